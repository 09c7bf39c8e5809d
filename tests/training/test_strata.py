from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from models.patient import GivenMeasurement, assemble
from models.risk import sigmoid
from training.comparing.groupings import BY, groupings
from training.comparing.strata import Stratum, primary_of, strata, strata_json
from training.statistics.estimates import Estimate
from training.statistics.evaluate import evaluate

pytestmark = pytest.mark.usefixtures("one_thread")
NONE = Estimate(None, None, None, "")


def patient(*labs, tumour="pancreatic", **history):
    given = [GivenMeasurement(analyte, value, unit, 1.0) for analyte, value, unit in labs]
    return assemble(id="1", age_years=75, sex="F", tumour=tumour, measurements=given, history=history)


def level(by, one):
    return next(grouping for grouping in BY if grouping.by.startswith(by)).level(one)


@pytest.mark.parametrize(
    ("value", "band"),
    [
        (0.49, "below 0.5"), (0.5, "0.5 to 0.8"), (0.8, "0.8 to 1.0"), (0.99, "0.8 to 1.0"), (1.0, "1.0 to 1.2"),
        (1.2, "1.2 to 1.5"), (1.5, "1.5 or more"), ("<0.5", "below 0.5"), ("<0.8", "known only as a limit"),
        (">1.5", "1.5 or more"), (">1.0", "known only as a limit"),
    ],
)  # fmt: skip
def test_lymphocytes_are_grouped_at_every_cut_off_in_circulation(value, band):
    assert level("ALC", patient(("alc", value, "10*9/L"))) == band
    assert level("ALC", patient()) == "not measured"


@pytest.mark.parametrize(
    ("value", "band"),
    [
        (0, "undetectable"), (2, "undetectable"), ("<5", "undetectable"), (2.1, "up to 37"), (37, "up to 37"),
        (37.1, "37 to 1,000"), (1000, "37 to 1,000"), (2183, "1,000 to 2,183"), (10000, "2,183 to 10,000"),
        (10001, "above 10,000"), (">10000", "above 10,000"), (">1000", "known only as a limit"),
    ],
)  # fmt: skip
def test_ca19_9_is_grouped_where_it_applies(value, band):
    assert level("CA19-9", patient(("ca19_9", value, "U/mL"))) == band
    assert level("CA19-9", patient()) == "not measured"
    assert level("CA19-9", patient(("ca19_9", value, "U/mL"), tumour="nsclc")) is None


def test_the_line_that_is_to_come_is_counted_from_those_before():
    told = [level("line", patient(prior_lines=lines)) for lines in (0, 1, 2, 5, 6, 9)]
    assert told == ["1st line", "2nd line", "3rd line", "6th line", "7th line or later", "7th line or later"]
    assert level("line", patient(prior_systemic_therapy=1.0)) == "treated before, number of lines not known"
    assert level("line", patient(prior_systemic_therapy=0.0)) == "1st line"
    assert level("line", patient()) == "not known"


def test_audit_columns_and_labs_that_were_not_measured_are_groups_of_their_own():
    audited = replace(patient(("albumin", 40, "g/L")), audit={"race": "one"})
    by = {grouping.by: grouping for grouping in groupings(("albumin", "ln_nlr", "ecog", "age"), [audited, patient()])}
    assert [by["race (audit only)"].level(one) for one in (audited, patient())] == ["one", "not known"]
    assert [by["Albumin"].level(one) for one in (audited, patient())] == [None, "not measured"]
    assert "Neutrophil-to-lymphocyte ratio" in by
    assert not any(name.startswith("ECOG perf") for name in by)  # its own levels say where it was not measured
    assert level("age", audited) == "75 or older"


@pytest.fixture(scope="module")
def judged(small_cohort, small_fit):
    column = small_fit.cross.repeats[0].calibrated["ensemble"][:, small_fit.cross.horizons.index(90.0)]
    return column, strata(small_cohort, column, 90.0, small_fit.model.design.features, bootstrap=15, seed=1)


def test_a_group_is_judged_as_a_cohort_of_its_own_would_be(judged, small_cohort):
    log_odds, found = judged
    tumour = Counter(one.tumour for one in small_cohort.patients).most_common(1)[0][0]
    rows = np.array([one.tumour == tumour for one in small_cohort.patients])
    part, column = small_cohort.select(rows), log_odds[rows][:, None]
    ids = [one.id for one in part.patients]
    expected = evaluate(sigmoid(column), column, part.follow_up, [90.0], groups=ids, bootstrap=15, seed=1).horizons[90.0]
    one = next(one for one in found if (one.by, one.level) == ("tumour", tumour))
    assert (one.n, one.deaths) == (rows.sum(), expected.standing.deaths)
    assert (one.auc, one.observed_expected) == (expected.auc, expected.calibration.observed_expected)


def test_groups_that_share_everybody_out_hold_everybody_once(judged, small_cohort):
    _, found = judged
    sizes = Counter()
    for one in found:
        sizes[one.by] += one.n
    assert all(sizes[by] == len(small_cohort) for by in ("tumour", "line", "ALC (10*9/L)", "site", "sex", "age", "ECOG"))
    assert 0 < sizes["Albumin"] < len(small_cohort)


def test_what_cannot_be_had_in_a_group_says_why_without_the_count(judged):
    _, found = judged
    without = [one for one in found if one.auc.value is None]
    assert without
    assert all(one.auc.why.startswith("not evaluable: fewer than 20 ") for one in without)
    few = [one for one in found if one.deaths < 10]
    assert few
    assert all("fewer than 10 deaths by day 90" in one.observed_expected.why for one in few)
    assert all(one.observed_expected.value is not None for one in found if one.deaths >= 20)


def made(by, level, n, deaths):
    return Stratum(by, level, 90.0, n, deaths, NONE, NONE)


def test_no_small_count_can_be_had_by_subtraction():
    three = [made("tumour", "a", 138, 60), made("tumour", "b", 9, 4), made("tumour", "c", 53, 30)]
    told = strata_json(three, 200)
    assert [one["n"] for one in told] == ["about 140", "<10", 53]
    assert [one["deaths"] for one in told] == ["about 60", "<10", 30]
    told = strata_json([made("Albumin", "not measured", 195, 50)], 200)
    assert told[0]["n"] == "about 200"  # or the five in whom it was measured are told
    treated = strata_json([made("sex", "male", 43, 20), made("sex", "female", 40, 20)], 83, [made("sex", "male", 51, 29)])
    assert [one["n"] for one in treated] == ["about 40", 40]
    assert [one["deaths"] for one in treated] == ["about 20", 20]


def test_the_primary_horizon_is_ninety_days_or_the_next():
    assert primary_of([30.0, 60.0, 90.0, 180.0]) == 90.0
    assert primary_of([60.0, 180.0, 365.0]) == 180.0
    assert primary_of([30.0, 60.0]) == 60.0
    assert primary_of([]) is None
