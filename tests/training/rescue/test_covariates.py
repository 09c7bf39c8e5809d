"""What the analysis is adjusted for: estimated where it was not measured, left out where it cannot be, never flagged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from training.rescue.covariates import adjustment
from training.rescue.needed import short_for, short_of
from training.rescue.person import ADJUSTED, Person


def people(n: int = 200, **columns: np.ndarray) -> list[Person]:
    """Patients whose covariates are standard normal, but for the `columns`."""
    rng = np.random.default_rng(2)
    x = {name: rng.standard_normal(n) for name in ADJUSTED}
    x |= {"ca19_9_undetectable": (rng.random(n) < 0.1).astype(float)} | columns
    rows = [{name: float(x[name][row]) for name in ADJUSTED} for row in range(n)]
    return [Person(100.0, row % 2 == 0, 0.7, covariates=each, tumour="pancreatic") for row, each in enumerate(rows)]


def test_a_covariate_that_few_have_is_left_out_and_said() -> None:
    albumin = np.where(np.arange(200) < 90, 35.0 + np.arange(200), np.nan)
    found = adjustment(people(albumin=albumin))
    assert found.left_out == {"albumin": "known in 45% of those of whom it may be asked; at least 50% are needed"}
    assert found.x.shape == (200, len(ADJUSTED) - 1)


def test_a_covariate_that_hardly_varies_is_left_out() -> None:
    found = adjustment(people(ca19_9_undetectable=np.r_[np.ones(5), np.zeros(195)]))
    assert list(found.left_out) == ["CA19-9 undetectable"]


def test_what_was_not_measured_is_estimated_from_what_was() -> None:
    rng = np.random.default_rng(7)
    albumin = rng.standard_normal(200)
    nlr = -0.9 * albumin + 0.3 * rng.standard_normal(200)
    hidden = albumin.copy()
    hidden[:40] = np.nan
    found = adjustment(people(albumin=hidden, ln_nlr=nlr))
    estimated = found.x[:40, found.names.index("albumin")]
    assert np.corrcoef(estimated, albumin[:40])[0, 1] > 0.8
    assert found.estimated == {"albumin": 0.2}


def test_what_does_not_apply_is_the_average_and_no_estimate() -> None:
    made = people()
    unasked = frozenset({"ca19_9_log10"})
    silent = [replace(one, covariates={**one.covariates, "ca19_9_log10": np.nan}, not_applicable=unasked) for one in made[:60]]
    found = adjustment([*silent, *made[60:]])
    assert found.x[:60, found.names.index("ca19_9_log10")].tolist() == [0.0] * 60
    assert found.estimated == {}


def test_tumours_with_few_deaths_share_a_baseline() -> None:
    made = people()
    tumours = ["a"] * 100 + ["b"] * 70 + ["c"] * 20 + ["d"] * 10
    named = [replace(one, tumour=tumour) for one, tumour in zip(made, tumours, strict=True)]
    found = adjustment(named)
    assert found.tumours == 3
    assert found.strata.tolist() == [0] * 100 + [1] * 70 + [2] * 30
    assert found.sentence().endswith("3 groups of tumours, each with a baseline hazard of its own")


def test_the_order_of_the_patients_does_not_matter() -> None:
    made = people()
    there, back = adjustment(made), adjustment(made[::-1])
    assert back.x[::-1] == pytest.approx(there.x, abs=1e-9)


def test_what_is_short_is_named_without_a_small_count() -> None:
    found = short_of({"recovered": 4, "others": 30}, {"after it": 12})
    assert found is not None
    assert found.why == "<10 patients recovered: at least 10 are needed"
    assert short_of({"recovered": 10}, {"after it": 10}) is None


def test_a_model_needs_deaths_for_each_coefficient() -> None:
    found = short_for(8, 39)
    assert found is not None
    assert found.why == "39 deaths for 8 coefficients: at least 40 are needed (5 each)"
    assert short_for(8, 40) is None
