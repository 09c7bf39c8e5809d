"""The terms behind the pictures are the terms behind the risks."""

import numpy as np
import pytest

from training.cohort import Cohort
from training.fit import Fit
from training.telling.attribution import attribution


def test_base_and_terms_are_the_log_odds_of_the_model(small_fit: Fit) -> None:
    of, scores = attribution(small_fit), small_fit.model.score(small_fit.matrix)
    added = of.base + of.terms[:, of.primary].sum(axis=-1) + scores.time_bound[:, of.primary]
    assert of.day == 90
    assert added == pytest.approx(scores.log_odds[:, of.primary], abs=1e-9)


def test_groups_and_features_sum_to_the_same(small_fit: Fit) -> None:
    of = attribution(small_fit)
    assert of.by_group().sum(axis=-1) == pytest.approx(of.terms.sum(axis=-1), abs=1e-12)


def test_the_mean_size_of_a_feature_is_that_of_its_terms(small_fit: Fit) -> None:
    of = attribution(small_fit)
    place = of.model.design.features.index("albumin")
    assert of.mean_size()["albumin"] == pytest.approx(np.abs(of.terms[:, of.primary, place]).mean())


def test_a_tumour_has_no_order_and_a_marker_none_where_it_does_not_apply(small_fit: Fit, small_cohort: Cohort) -> None:
    of, features = attribution(small_fit), small_fit.model.design.features
    assert np.isnan(of.values[:, features.index("tumour")]).all()
    melanoma = [patient.tumour == "melanoma" for patient in small_cohort.patients]
    assert np.isnan(of.values[melanoma, features.index("ca19_9_log10")]).all()
    assert not np.isnan(of.values[:, features.index("albumin")]).any(), "estimates are in place"


def test_values_are_written_as_a_reader_would(small_fit: Fit, small_cohort: Cohort) -> None:
    of, features = attribution(small_fit), small_fit.model.design.features
    row = next(row for row, patient in enumerate(small_cohort.patients) if patient.tumour == "nsclc")
    written = dict(zip(features, of.written(row), strict=True))
    patient = small_cohort.patients[row]
    nlr = patient.current("nlr")
    assert nlr is not None
    assert written["ln_nlr"] == f"{nlr.value:.3g}"
    assert written["tumour"] == "non-small cell lung"
    assert written["ca19_9_log10"] == "not applicable"
    assert written["prior_chemotherapy"] in ("yes", "no")
    assert len(written) == len(features)
