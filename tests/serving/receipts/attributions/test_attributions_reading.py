"""Receipts of a period become a table: every one counted, every number the one that was answered."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import date
from itertools import islice
from typing import Any

import numpy as np
import pytest

from models.artifact import Artifact
from serving.receipts.archive import Archive
from serving.receipts.attributions.gathered import Gathered
from serving.receipts.attributions.question import Period
from serving.receipts.attributions.reading import NO_LIMIT, Limit, read
from serving.receipts.attributions.strata import STRATA
from serving.receipts.attributions.table import ABSENT, ESTIMATED, NOT_MEASURED, STATES

SEPTEMBER, OCTOBER = Period(date(2026, 9, 1), date(2026, 9, 30)), Period(date(2026, 10, 1), date(2026, 10, 31))


def test_every_receipt_of_the_period_is_counted_and_erased_ones_are_said(two_months: Archive) -> None:
    found = read(two_months, OCTOBER, 90)
    assert (found.counts.receipts, found.counts.counted, found.counts.patients) == (71, 70, 70)
    assert found.counts.left_out == {"erased on request": 1}
    assert not found.counts.stopped
    assert not found.counts.example


def test_the_numbers_are_those_of_the_answers(two_months: Archive) -> None:
    table = read(two_months, SEPTEMBER, 90).table
    for row, receipt in enumerate(two_months.scores(SEPTEMBER.since, SEPTEMBER.until)):
        assert receipt.document is not None
        answer = receipt.document["answer"]
        told = answer["explanation"]["horizons"]["90"]
        assert table.sequence[row] == receipt.record.sequence
        assert table.risk[row] == answer["risks"]["90"]["risk"]
        assert (table.log_odds[row], table.base[row]) == (told["log_odds"], told["base"])
        by_group = {one["group"]: one["term"] for one in told["groups"]}
        assert dict(zip(table.groups, table.group_term[row], strict=True)) == by_group
        terms = dict(zip([one.name for one in table.inputs], table.term[row], strict=True))
        assert terms == pytest.approx(told["terms"], rel=1e-6, abs=1e-7)


def test_terms_add_up_to_the_log_odds_and_points_to_the_change_of_the_risk(two_months: Archive) -> None:
    table = read(two_months, OCTOBER, 180).table
    np.testing.assert_allclose(table.base + table.group_term.sum(axis=1), table.log_odds, atol=1e-12)
    reference = 1 / (1 + np.exp(-table.base))
    np.testing.assert_allclose(table.points.sum(axis=1), 100 * (table.risk - reference), atol=1e-9)


def test_values_stand_on_the_scale_of_the_model_and_states_as_bits(two_months: Archive) -> None:
    table = read(two_months, SEPTEMBER, 90).table
    names = [one.name for one in table.inputs]
    (first,) = (one for row, one in enumerate(two_months.scores(SEPTEMBER.since, SEPTEMBER.until)) if row == 0)
    assert first.document is not None
    alc = next(one["value"] for one in first.document["patient"]["measurements"] if one["analyte"] == "alc")
    assert table.value[0, names.index("ln_alc")] == pytest.approx(np.log(alc), rel=1e-6)
    assert table.words["tumour"][int(table.value[0, names.index("tumour")])] == first.document["patient"]["tumour"]
    ldh = table.states[:, names.index("ln_ldh_ratio")]
    assert (ldh == NOT_MEASURED | ESTIMATED).all()  # nobody had one
    assert not (table.states & ABSENT).any()
    assert len(STATES) < 16


def test_every_stratum_has_a_level_for_everybody(two_months: Archive) -> None:
    table = read(two_months, SEPTEMBER, 90).table
    assert table.strata == tuple(STRATA)
    assert set(table.levels["tumour"]) == {"pancreatic", "non-small cell lung", "colorectal"}
    assert table.levels["unit"] == ("ward 1",)
    assert table.levels["site"] == ("Trial",)
    assert table.stratum.shape == (60, len(STRATA))
    assert (table.stratum >= 0).all()


def test_a_period_ends_where_it_says(two_months: Archive) -> None:
    assert read(two_months, Period(date(2026, 9, 10), date(2026, 9, 10)), 90).counts.counted == 60
    assert read(two_months, Period(date(2026, 9, 11), date(2026, 10, 4)), 90).counts.receipts == 0


def test_another_model_and_another_horizon_are_left_out_and_said(two_months: Archive, loaded: Artifact) -> None:
    by_it = Period(SEPTEMBER.since, SEPTEMBER.until, loaded.digest[:8])
    assert read(two_months, by_it, 90).counts.counted == 60
    other = read(two_months, Period(SEPTEMBER.since, SEPTEMBER.until, "0" * 8), 90)
    assert (other.counts.counted, other.counts.left_out) == (0, {"of another model": 60})
    assert read(two_months, SEPTEMBER, 91).counts.left_out == {"without a risk at this horizon": 60}


def test_what_lies_behind_a_limit_is_left_out_and_said(two_months: Archive) -> None:
    short = read(two_months, OCTOBER, 90, Limit(20, NO_LIMIT.seconds))
    assert (short.counts.counted, short.counts.stopped) == (20, "2026-10-05 12:00:00 (UTC)")
    assert read(two_months, OCTOBER, 90, Limit(NO_LIMIT.receipts, -1.0)).counts.counted == 0


def test_the_last_receipt_of_a_patient_counts(two_months: Archive) -> None:
    both = Period(SEPTEMBER.since, OCTOBER.until)
    found = read(two_months, both, 90)
    assert (found.counts.counted, found.counts.patients) == (130, 120)
    once = found.counted_once()
    assert (once.counts.counted, once.counts.patients) == (120, 120)
    again = found.table.sequence[found.table.time >= np.datetime64("2026-10-20")]
    assert len(again) == 10
    assert set(again) <= set(once.table.sequence)


def test_models_with_other_inputs_stand_in_one_table(two_months: Archive) -> None:
    first, second = islice(two_months.scores(), 2)
    found = Gathered(90)
    assert first.document is not None
    assert second.document is not None
    found.add(second.record, without_ecog(second.document))
    found.add(first.record, first.document)
    table = found.table()
    place = [one.name for one in table.inputs].index("ecog")
    assert table.sequence.tolist() == [first.record.sequence, second.record.sequence]
    assert (table.states[1, place], table.term[1, place]) == (ABSENT, 0)
    assert np.isnan(table.value[1, place])
    assert not (table.states[0] & ABSENT).any()
    assert [one.digest for one in table.models] == ["0" * 64, first.document["model"]["digest"]]


def without_ecog(document: Mapping[str, Any]) -> dict[str, Any]:
    """The receipt as a model without ECOG would have left it."""
    found: dict[str, Any] = copy.deepcopy(dict(document))
    answer = found["answer"]
    answer["model"]["digest"] = "0" * 64
    answer["quality"] = [one for one in answer["quality"] if one["input"] != "ecog"]
    answer["explanation"]["inputs"] = [one for one in answer["explanation"]["inputs"] if one["feature"] != "ecog"]
    for one in answer["explanation"]["horizons"].values():
        del one["terms"]["ecog"]
    return found
