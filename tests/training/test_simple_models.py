import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter

from models.artifact import InvalidArtifact
from models.risk import sigmoid
from training.cohort import followed
from training.comparing.simple_file import NAME, read_simple, simple_document, simple_from
from training.comparing.simple_models import ALBUMIN, COX, NLR, SIMPLE, measured, out_of_fold_simple
from training.learners.learn import stacked
from training.learners.recalibrate import calibrated, fit_calibration
from training.refused import NotSupported

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.filterwarnings("ignore:Starting with pandas version 4.0")]


@pytest.fixture(scope="module")
def out_of_fold(small_cohort, small_fit):
    return {name: out_of_fold_simple(one, small_cohort, small_fit.cross, small_fit.plan.grid, 1) for name, one in SIMPLE.items()}


def test_a_simple_model_speaks_only_of_those_in_whom_all_its_inputs_were_measured(out_of_fold, small_cohort):
    there = [row for row, one in enumerate(small_cohort.patients) if one.current("albumin")]
    assert 0 < len(there) < len(small_cohort)
    assert out_of_fold[ALBUMIN].rows.tolist() == there
    assert set(out_of_fold[COX].rows) == set(out_of_fold[ALBUMIN].rows) & set(out_of_fold[NLR].rows)
    assert out_of_fold[COX].model.patients == len(out_of_fold[COX].rows)


def test_the_cox_model_is_that_of_an_independent_library_fitted_on_the_other_folds(out_of_fold, small_cohort, small_fit):
    """lifelines, on the folds of the model itself; then the same four numbers of calibration as everybody gets."""
    names = ("ln_nlr", "albumin", "age")  # everybody of this cohort was treated before
    assert out_of_fold[COX].model.features == names
    (repeat,), days = small_fit.cross.repeats, small_fit.cross.horizons
    there, matrix = measured(names, small_cohort.patients)
    fold, part = repeat.fold[there], followed(small_cohort.follow_up, there)
    raw = np.zeros((len(there), len(days)))
    for k in np.unique(fold):
        limits = matrix.x[fold != k]
        centre, spread = limits.mean(axis=0), limits.std(axis=0)
        low, high = np.maximum(limits.min(axis=0), centre - 6 * spread), np.minimum(limits.max(axis=0), centre + 6 * spread)
        frame = pd.DataFrame(np.clip(matrix.x, low, high), columns=names).assign(time=part.times, died=part.deaths)
        cox = CoxPHFitter().fit(frame[fold != k], "time", "died")
        hazard = cox.baseline_cumulative_hazard_.iloc[:, 0]  # a step function; lifelines itself would interpolate
        steps = np.array([hazard[hazard.index <= day].iloc[-1] for day in days])
        alive = np.exp(-np.outer(cox.predict_partial_hazard(frame[fold == k]), steps))
        raw[fold == k] = np.log1p(-alive) - np.log(alive)
    expected = np.zeros_like(raw)
    for k in np.unique(fold):
        others = np.flatnonzero(fold != k)
        line = fit_calibration(raw[others], stacked(followed(part, others), days))
        expected[fold == k] = calibrated(raw[fold == k], line)
    assert sigmoid(out_of_fold[COX].log_odds) == pytest.approx(sigmoid(expected), abs=1e-5)


def test_no_patient_has_a_part_in_the_model_that_speaks_of_them(small_cohort, small_fit):
    """Were the patients of one fold to die on the first day, what is said of them raw would not change."""
    fold = small_fit.cross.repeats[0].fold
    times = np.where(fold == 0, 1.0, small_cohort.follow_up.times)
    deaths = small_cohort.follow_up.deaths | (fold == 0)
    changed = replace(small_cohort, follow_up=replace(small_cohort.follow_up, times=times, deaths=deaths))
    for name in (NLR, COX):
        cohorts, given = (small_cohort, changed), (small_fit.cross, small_fit.plan.grid, 1)
        before, after = (out_of_fold_simple(SIMPLE[name], one, *given) for one in cohorts)
        own = fold[before.rows] == 0
        # the calibration of fold 0 was fitted on log-odds of other folds, whose learners saw fold 0: their order stays, at least
        first, second = (one.log_odds[own][:, 2] for one in (before, after))
        assert np.corrcoef(first, second)[0, 1] > 0.999
        assert (np.argsort(first) == np.argsort(second)).all()


def test_a_variable_that_is_the_same_for_everybody_is_left_out_and_one_never_measured_is_a_reason(small_cohort, small_fit):
    labs = [tuple(one for one in patient.measurements if one.analyte != "albumin") for patient in small_cohort.patients]
    bare = [replace(one, measurements=kept) for one, kept in zip(small_cohort.patients, labs, strict=True)]
    without = replace(small_cohort, patients=tuple(bare))
    with pytest.raises(NotSupported, match=r"albumin measured in 0 of 491 patients: 40 with 20 deaths are needed"):
        out_of_fold_simple(SIMPLE[ALBUMIN], without, small_fit.cross, small_fit.plan.grid, 1)
    same = [replace(one, age_years=60.0) for one in small_cohort.patients]
    found = out_of_fold_simple(SIMPLE[COX], replace(small_cohort, patients=tuple(same)), small_fit.cross, small_fit.plan.grid, 1)
    assert found.model.features == ("ln_nlr", "albumin")
    assert found.model.simple.label == "Cox on ln NLR and albumin"


def test_a_cox_model_of_three_is_not_called_one_of_four(out_of_fold):
    found = out_of_fold[COX].model
    assert (found.simple.name, found.simple.label) == ("cox_four", "Cox on ln NLR, albumin and age")
    assert simple_document([found], {})["models"]["cox_four"]["label"] == "Cox on ln NLR, albumin and age"


def test_saved_and_read_again_they_say_the_same_to_the_bit_and_hold_nothing_of_one_patient(out_of_fold, small_cohort, tmp_path):
    models = [one.model for one in out_of_fold.values()]
    document = simple_document(models, {"another": "measured in 3 of 40 patients"})
    (tmp_path / NAME).write_text(json.dumps(document, allow_nan=False))
    again = read_simple(tmp_path)
    assert again.absent == {"another": "measured in fewer than 10 of 40 patients"}
    for before, after in zip(models, again.models, strict=True):
        rows, said = before.log_odds(small_cohort.patients)
        rows_again, said_again = after.log_odds(small_cohort.patients)
        assert (rows == rows_again).all()
        assert (said == said_again).all()
    numbers = sum(isinstance(one, float) for one in _leaves(document))
    assert numbers < 150 < len(small_cohort)  # three models of at most five ramps or four variables at five horizons
    assert not {patient.id for patient in small_cohort.patients} & {str(one) for one in _leaves(document)}


def _leaves(document):
    if isinstance(document, dict):
        return [leaf for one in document.values() for leaf in _leaves(one)]
    return [leaf for one in document for leaf in _leaves(one)] if isinstance(document, list) else [document]


def test_a_model_saved_without_them_has_none_and_nonsense_is_refused(tmp_path, out_of_fold):
    assert read_simple(tmp_path).models == ()
    document = simple_document([out_of_fold[NLR].model], {})
    document["models"][NLR]["lower"] = [0.0, 1.0]
    (tmp_path / NAME).write_text(json.dumps(document))
    with pytest.raises(InvalidArtifact, match="limits or calibration do not fit its 1 features"):
        read_simple(tmp_path)
    with pytest.raises(KeyError, match="models"):
        simple_from({})
