"""Counts that move together: the ratio follows, the direction is the clinical one, and nothing is drawn where nobody was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chi2, norm

from models.response import SPREADS, SUPPORT, responses
from models.risk import RiskModel


def test_the_figures_are_those_of_their_distributions() -> None:
    assert pytest.approx(chi2(2).ppf(0.99)) == SUPPORT
    assert pytest.approx(norm.ppf([0.1, 0.5, 0.9])) == list(SPREADS)


def test_the_ratio_follows_the_lymphocytes_while_the_neutrophils_are_held(model: RiskModel) -> None:
    found = responses(model)
    assert len(found) == 3
    for one in found:
        assert one.alc * one.nlr == pytest.approx(one.anc)
        assert one.risk.shape == (len(one.alc), len(model.days))
        assert (np.diff(one.alc) > 0).all()


def test_more_lymphocytes_with_the_same_neutrophils_never_raise_the_risk(directed: RiskModel) -> None:
    for one in responses(directed):
        assert (np.diff(one.risk, axis=0) <= 1e-12).all()


def test_nothing_is_drawn_outside_the_development_ranges_or_the_ellipse(model: RiskModel) -> None:
    columns = [column.feature for column in model.design.columns]
    at = [columns.index("ln_alc"), columns.index("ln_nlr")]
    inverse = np.linalg.inv(model.imputation.covariance[np.ix_(at, at)])
    for one in responses(model):
        for alc, nlr in zip(one.alc, one.nlr, strict=True):
            apart = np.log([alc, nlr]) - model.imputation.mean[at]
            assert apart @ inverse @ apart <= SUPPORT * (1 + 1e-9)
            for name, value in (("ln_alc", alc), ("ln_nlr", nlr)):
                low, high = model.development_range[name]
                assert low - 1e-9 <= np.log(value) <= high + 1e-9


def test_a_narrow_development_cohort_supports_less(model: RiskModel) -> None:
    narrow = replace(model, development_range={**model.development_range, "ln_alc": (-0.3, 0.1)})
    assert all(one.alc.max() < 1.2 for one in responses(narrow) if len(one.alc))


def test_a_model_that_reads_one_of_them_alone_has_no_curves(make_model: Callable[..., RiskModel], model: RiskModel) -> None:
    assert {"ln_alc", "ln_nlr"} <= set(model.design.features)
    from models.design import columns_of

    class Bare:
        design = columns_of(["ln_alc", "albumin"], {})

    assert responses(Bare()) == ()  # type: ignore[arg-type]  # of a model only its design is looked at
