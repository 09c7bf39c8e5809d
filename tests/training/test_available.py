from dataclasses import replace

import numpy as np
import pytest

from models.history import History
from training.cohort import read_cohort
from training.learners.available import FEW_DEATHS, NAMED_IN_ADVANCE, choose_design
from training.refused import NotSupported
from training.statistics.censoring import FollowUp

MANY = 420  # patients of the made-up cohort among whom enough die


def test_with_few_deaths_only_variables_named_in_advance_are_asked(write_cohort):
    choice = choose_design(read_cohort(write_cohort()))
    assert choice.named_in_advance
    assert choice.design.features == ("ln_nlr", "prior_systemic_therapy", "albumin", "age")
    assert set(choice.design.features) <= set(NAMED_IN_ADVANCE)
    assert choice.left_out["sex_male"] == f"fewer than {FEW_DEATHS} deaths: only variables named in advance"
    assert choice.left_out["ln_alc"] == "measured in 0 of 120 patients it applies to: a quarter is needed"


def test_with_many_deaths_all_that_the_cohort_supports_are_taken(write_cohort):
    choice = choose_design(read_cohort(write_cohort(MANY)))
    assert not choice.named_in_advance
    assert {"ln_nlr", "albumin", "age", "sex_male", "tumour", "prior_lines"} <= set(choice.design.features)
    assert [column.name for column in choice.design.columns if column.level] == ["tumour=colorectal", "tumour=nsclc"]


def test_features_named_by_the_data_scientist_are_taken_in_their_order(write_cohort):
    choice = choose_design(read_cohort(write_cohort()), ("sex_male", "ln_nlr"))
    assert choice.design.features == ("sex_male", "ln_nlr")
    assert not choice.named_in_advance
    assert choice.left_out == {}


def test_every_named_feature_that_cannot_be_is_named_with_the_reason(write_cohort):
    cohort = read_cohort(write_cohort(columns={"lines": 1}))
    with pytest.raises(NotSupported, match=r"features extra\.tmb, shoes: allowed are ln_alc"):
        choose_design(cohort, ("shoes", "ln_nlr", "extra.tmb"))
    with pytest.raises(NotSupported, match=r"feature ln_alc: measured in 0 .*; feature prior_lines: it does not vary"):
        choose_design(cohort, ("ln_nlr", "ln_alc", "prior_lines"))


@pytest.mark.parametrize(
    ("columns", "feature", "reason"),
    [
        ({"albumin": [38.5, 40.1] * 50 + [""] * 320}, "albumin", "measured in 100 of 420 patients it applies to: a quarter"),
        ({"sex": ["male"] * 416 + ["female"] * 4}, "sex_male", "fewer than 5 patients with, or without"),
        ({"lines": 2}, "prior_lines", "it does not vary"),
        ({"tumour": ["nsclc"] * 405 + ["sarcoma"] * 15}, "tumour", "fewer than two levels with 20 patients"),
    ],
)
def test_what_the_cohort_cannot_support_is_left_out_with_the_reason(write_cohort, columns, feature, reason):
    choice = choose_design(read_cohort(write_cohort(MANY, columns=columns)))
    assert choice.left_out[feature].removesuffix(" is needed") == reason
    assert feature not in choice.design.features


def test_a_feature_is_judged_among_those_it_applies_to(write_cohort):
    edits = {"albumin = {": 'ca19_9 = { column = "ca", unit = "U/mL" }\nalbumin = {'}
    columns = {"tumour": ["colorectal"] * 60 + ["nsclc"] * 360, "ca": [40 + k for k in range(60)] + [""] * 360}
    choice = choose_design(read_cohort(write_cohort(MANY, columns=columns, edits=edits)))
    assert "ca19_9_log10" in choice.design.features


def test_site_covariates_are_features_of_their_own(write_cohort):
    more = '[extra]\ntmb = { column = "tmb", kind = "numeric" }\nward = { column = "ward", kind = "categorical" }\n'
    path = write_cohort(MANY, columns={"tmb": [k % 9 for k in range(MANY)], "ward": ["A", "B"] * 210}, more=more)
    design = choose_design(read_cohort(path)).design
    assert [column.name for column in design.columns][-3:] == ["extra.tmb", "extra.ward=A", "extra.ward=B"]


def test_a_cohort_in_which_nothing_was_measured_is_refused(write_cohort):
    cohort = read_cohort(write_cohort())
    bare = [replace(patient, measurements=(), age_years=60.0, history=History()) for patient in cohort.patients]
    with pytest.raises(NotSupported, match="nothing can be learned"):
        choose_design(replace(cohort, patients=tuple(bare)))


def test_what_is_known_on_the_index_date_alone_is_no_feature_of_later_landmarks(write_cohort):
    """Half of all rows know it: as an estimate on the other half it would say again, and in its own way, what the counts say."""
    cohort = read_cohort(write_cohort(MANY))
    first = [replace(one, landmark=0.0) for one in cohort.patients]
    later = [replace(one, landmark=28.0, measurements=tuple(m for m in one.measurements if m.analyte != "albumin"))
             for one in cohort.patients]
    follow_up = FollowUp(np.tile(cohort.follow_up.times, 2), np.tile(cohort.follow_up.deaths, 2))
    choice = choose_design(replace(cohort, patients=(*first, *later), follow_up=follow_up))
    said = f"measured in 0 of {MANY} patients it applies to on day 28: a quarter is needed on each landmark"
    assert choice.left_out["albumin"] == said
    assert "ln_nlr" in choice.design.features
    with pytest.raises(NotSupported, match="feature albumin: measured in 0 of 420 patients it applies to on day 28"):
        choose_design(replace(cohort, patients=(*first, *later), follow_up=follow_up), ("ln_nlr", "albumin"))
