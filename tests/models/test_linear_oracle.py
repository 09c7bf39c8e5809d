"""The linear terms are what `shap` calls them, given mean and covariance of the ramps."""

from __future__ import annotations

import numpy as np
import pytest

from models.linear import LinearModel, Ramps

shap = pytest.importorskip("shap")


@pytest.mark.filterwarnings("ignore")  # of shap about itself; what it computes is compared
def test_terms_are_the_shap_values_of_a_linear_model_with_independent_columns() -> None:
    rng = np.random.default_rng(8)
    x, source = rng.normal(0, 2, (200, 4)), np.array([0, 0, 1, 2, 2, 2, 3])
    start, width = rng.normal(-1, 0.5, len(source)), rng.uniform(0.5, 3, len(source))
    bare = Ramps(source, start, width, np.zeros(len(source)))
    risen = bare.centred(x)
    model = LinearModel(
        4,
        Ramps(source, start, width, risen.mean(axis=0)),
        rng.normal(size=len(source)),
        rng.normal(size=len(source)),
        np.array([-2.0, -1.0, 0.5]),
        np.array([0.0, 0.4, 1.0]),
    )
    terms = model.terms(x)
    for h, late in enumerate(model.late):
        coefficients = model.first + late * (model.last - model.first)
        explainer = shap.LinearExplainer((coefficients, model.base[h]), (risen.mean(axis=0), np.cov(risen.T)))
        values = explainer.shap_values(risen)
        by_column = np.stack([values[:, source == column].sum(axis=1) for column in range(4)], axis=1)
        np.testing.assert_allclose(terms[:, h], by_column, atol=1e-5)
        assert explainer.expected_value == pytest.approx(model.base[h] + coefficients @ risen.mean(axis=0))
