"""What has shifted: found where something has, not found where nothing has, and never told of too few."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp, wasserstein_distance

from serving.receipts.archive import Archive
from serving.receipts.attributions.chance import SHUFFLES, Shuffled, probabilities
from serving.receipts.attributions.distances import KS, VARIATION, WASSERSTEIN
from serving.receipts.attributions.lines import INPUT, SHARE, Pair, lines
from serving.receipts.attributions.question import Period
from serving.receipts.attributions.reading import read
from serving.receipts.attributions.shift import Shifted, TooFew, shift
from serving.receipts.attributions.table import NOT_MEASURED, Table


@pytest.fixture(scope="module")
def september(two_months: Archive) -> Table:
    return read(two_months, Period(date(2026, 9, 1), date(2026, 9, 30)), 90).table


@pytest.fixture(scope="module")
def october(two_months: Archive) -> Table:
    return read(two_months, Period(date(2026, 10, 1), date(2026, 10, 31)), 90).table


def line(found: tuple[Shifted, ...], name: str) -> Shifted:
    return next(one for one in found if one.what.name == name)


def test_sicker_patients_are_seen_in_what_made_them_sicker_and_in_the_risk(september: Table, october: Table) -> None:
    found = shift(september, october)
    albumin, risk = line(found.lines, "albumin"), line(found.lines, "risk")
    assert albumin.beyond_chance
    assert risk.beyond_chance
    assert risk.difference is not None
    assert risk.difference.low > 0
    assert albumin.difference is not None
    assert albumin.difference.high < 0
    assert not line(found.lines, "sex_male").beyond_chance
    assert (found.first, found.second, found.in_both) == (60, 70, 10)


def test_the_distances_are_those_of_scipy_in_sds_of_the_first(september: Table, october: Table) -> None:
    found = line(shift(september, october).lines, "albumin").distances
    place = [one.name for one in september.inputs].index("albumin")
    first, second = (table.value[:, place].astype(np.float64) for table in (september, october))
    assert found[KS].value == pytest.approx(ks_2samp(first, second).statistic, abs=1e-12)
    assert found[WASSERSTEIN].value == pytest.approx(wasserstein_distance(first, second) / first.std(ddof=1), rel=1e-9)


def test_a_period_against_itself_has_not_shifted(september: Table) -> None:
    found = shift(september, september)
    assert found.in_both == 60
    assert all(distance.value == 0 for one in found.lines for distance in one.distances.values())
    assert all(one.difference is None or one.difference.value == 0 for one in found.lines)
    assert not any(one.beyond_chance for one in found.lines)


def test_other_patients_of_the_same_kind_have_not_shifted(september: Table) -> None:
    rows = np.arange(60)
    found = shift(september.select(rows[:30]), september.select(rows[30:]))
    assert not any(one.beyond_chance for one in found.lines)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_receipts_does_not_matter(september: Table, october: Table, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(october))
    first = {one.what.name: one.distances for one in shift(september, october).lines}
    for one in shift(september, october.select(order)).lines:
        for name, distance in one.distances.items():
            assert distance.value == pytest.approx(first[one.what.name][name].value, abs=1e-12)


def test_fewer_than_twenty_patients_are_refused_with_the_number_that_is_needed(september: Table) -> None:
    few = np.arange(19)
    with pytest.raises(TooFew, match="it is compared with: 19 patients with a risk within 90 days; at least 20 are needed"):
        shift(september, september.select(few))
    with pytest.raises(TooFew, match="the period: fewer than 10 patients"):
        shift(september.select(few[:9]), september)


def test_estimates_are_no_values_and_how_many_there_were_is_a_line_of_its_own(september: Table, october: Table) -> None:
    found, untold = lines(Pair(september, october))
    ecog = next(one for one in found if one.what.name == "ecog")
    place = [one.name for one in september.inputs].index("ecog")
    known = sum(int((table.states[:, place] & NOT_MEASURED == 0).sum()) for table in (september, october))
    assert len(ecog.rows) == known < 130
    missing = next(one for one in found if one.what.name == "ecog: not measured")
    assert missing.what.kind == SHARE
    assert missing.values.sum() == 130 - known
    assert untold["LDH over its upper limit of normal"] == "known of fewer than 20 patients in one of the two"


def test_a_share_that_tells_of_a_few_patients_has_no_numbers(september: Table, october: Table) -> None:
    place = [one.name for one in october.inputs].index("sex_male")
    value, males = october.value.copy(), np.zeros(70)
    males[:3] = 1
    value[:, place] = males
    found = line(shift(september, replace(october, value=value)).lines, "sex_male")
    assert (found.second.mean, found.difference, dict(found.distances)) == (None, None, {})
    assert found.beyond_chance
    assert found.what.kind == INPUT


def test_tumours_are_compared_by_name_and_not_by_place(september: Table) -> None:
    turned = tuple(reversed(september.words["tumour"]))
    place = [one.name for one in september.inputs].index("tumour")
    value = september.value.copy()
    value[:, place] = len(turned) - 1 - value[:, place]
    other = replace(september, value=value, words={"tumour": turned})
    assert line(shift(september, other).lines, "tumour").distances[VARIATION].value == 0


def test_an_input_of_one_model_alone_is_said(september: Table, october: Table) -> None:
    other = replace(october, inputs=tuple(replace(one, name="extra.x") if one.name == "age" else one for one in october.inputs))
    _, untold = lines(Pair(september, other))
    assert untold["age"] == "an input of the second alone"
    assert not [one for one in lines(Pair(september, other))[0] if one.what.name in ("age", "extra.x")]


def test_shuffles_keep_the_counts_and_exchange_whoever_is_in_both() -> None:
    shuffled = Shuffled.of(np.array([1, 2, 3, 3]), np.array([3, 4, 5]))
    assert shuffled.in_both == 1
    seen = set()
    for given_to in shuffled.shuffles():
        own, other = given_to[[2, 3]], given_to[4]
        assert own[0] == own[1] != other  # both receipts of patient 3 go together, and his others the other way
        assert given_to[[0, 1, 5, 6]].sum() == 2
        seen.add(tuple(given_to.tolist()))
    assert len(seen) == 12  # six ways to give the four, two for the pair


def test_where_nothing_has_shifted_hardly_any_comparison_finds_anything() -> None:
    rng = np.random.default_rng(3)
    found = [probabilities(one[0], one[1:]).min() <= 0.05 for one in rng.normal(size=(200, SHUFFLES + 1, 40))]
    assert 2 <= sum(found) <= 20  # 5 % of 200 are expected


def test_what_never_varies_says_nothing() -> None:
    assert probabilities(np.array([1.0, 2.0]), np.ones((9, 2))).tolist() == [1.0, 1.0]
