import pytest

from models.cohort_file import InvalidCohort
from training.cohort import read_cohort
from training.reading.suspicion import CREDIBLE_MEDIAN


def lab(analyte, unit):
    return {"albumin = {": f'{analyte} = {{ column = "extra", unit = "{unit}" }}\nalbumin = {{'}


@pytest.mark.parametrize(
    ("analyte", "unit", "value", "said"),
    [
        ("hemoglobin", "g/dL", 7.7, "a median of 7.7 g/dL: allowed is a median from 9 to 16 g/dL; .*likely mmol/L under"),
        ("hemoglobin", "mmol/L", 12.5, "a median of 20.1 g/dL: .*likely g/dL under the unit mmol/L"),
        ("bilirubin", "mg/dL", 11, "a median of 188 umol/L: .*likely umol/L under the unit mg/dL"),
        ("crp", "mg/dL", 29, "a median of 290 mg/L: .*likely mg/L under the unit mg/dL"),
        ("weight", "kg", 160, r"a median of 160 kg: .*likely \[lb_av\] under the unit kg"),
        ("weight", "[lb_av]", 72, r"a median of 32.7 kg: .*likely kg under the unit \[lb_av\]"),
        ("lymphocyte_pct", "%", 0.2, "a median of 0.2 %: .*likely another unit, or another column"),
    ],
)
def test_a_median_that_no_such_cohort_has_is_refused_with_the_likely_unit(write_cohort, analyte, unit, value, said):
    values = [value * (0.95 + 0.1 * (k % 11) / 10) for k in range(120)]
    path = write_cohort(columns={"extra": values}, edits=lab(analyte, unit))
    with pytest.raises(InvalidCohort, match=f"column extra = {said}"):
        read_cohort(path)


def test_the_likely_unit_is_found_however_the_given_one_is_spelled(write_cohort):
    path = write_cohort(columns={"extra": [11 + k % 5 for k in range(120)]}, edits=lab("bilirubin", "MG / dl"))
    with pytest.raises(InvalidCohort, match="umol/L under the unit MG / dl"):
        read_cohort(path)


def test_a_column_at_fault_is_not_suspected_on_top(write_cohort):
    # in mg/dL under umol/L most values are below what is possible, and the median of the rest is too low
    path = write_cohort(columns={"extra": [0.4 + (k % 10) / 10 for k in range(120)]}, edits=lab("bilirubin", "umol/L"))
    with pytest.raises(InvalidCohort, match="mg/dL under the unit umol/L") as refused:
        read_cohort(path)
    assert len(refused.value.faults) == 1


def test_months_under_a_heading_of_days_are_refused(write_cohort):
    months = [0.5 + k / 5 for k in range(119)]
    said = r"column os = a median of 12\.4 days, and at most 70: .*likely months under the unit d"
    with pytest.raises(InvalidCohort, match=said):
        read_cohort(write_cohort(columns={"os": [*months, 70]}))


@pytest.mark.parametrize(("unit", "word"), [("a", "months"), ("mo", "days")])
def test_follow_up_of_decades_is_refused_with_the_unit_that_fits(write_cohort, unit, word):
    days = {"months": 14, "days": 420}[word]
    path = write_cohort(columns={"os": [days + k % 7 for k in range(120)]}, edits={'"os", unit = "d"': f'"os", unit = "{unit}"'})
    with pytest.raises(InvalidCohort, match=f"{word} under the unit {unit}"):
        read_cohort(path)


def test_short_cohorts_and_steps_are_not_suspected(write_cohort):
    ecog = {"albumin = {": 'ecog = { column = "ecog", unit = "{score}" }\nalbumin = {'}
    read_cohort(write_cohort(columns={"ecog": 1}, edits=ecog))  # a trial may admit one grade alone
    read_cohort(write_cohort(9, columns={"nlr": 6.2}))


def test_a_value_that_a_quarter_of_the_patients_share_is_told(write_cohort):
    values = [6.2 if k < 40 else 2 + k / 50 for k in range(120)]
    (warning,) = read_cohort(write_cohort(columns={"nlr": values})).warnings
    assert warning == "Neutrophil-to-lymphocyte ratio is 6.2 in 40 of 120 patients: perhaps filled in by the source"


def test_a_constant_history_a_tumour_with_few_deaths_and_an_unknown_sex_are_warnings(write_cohort):
    columns = {"lines": 2, "tumour": ["nsclc"] * 100 + ["sarcoma"] * 20, "died": [1, 1, 0, 1] * 30}
    path = write_cohort(columns=columns, cells={("sex", 5): "", ("sex", 6): "unknown"})
    assert read_cohort(path).warnings == (
        "tumour sarcoma: 15 deaths, fewer than 20; such patients are marked outside the population",
        "sex is unknown for 2 of 120 patients",
        "prior_lines is 2 for all 120 patients in whom it is known: it cannot be a feature",
        "prior_systemic_therapy is yes for all 120 patients in whom it is known: it cannot be a feature",
    )


def test_a_constant_that_only_follows_from_another_column_is_no_warning(write_cohort):
    edits = {'prior_lines = "lines"': 'prior_systemic_therapy = "treated"'}
    assert read_cohort(write_cohort(columns={"treated": ["no", "yes"] * 60}, edits=edits)).warnings == ()


def test_a_history_that_is_constant_where_it_is_known_is_a_warning_too(write_cohort):
    first, *_ = read_cohort(write_cohort(columns={"lines": [2, ""] * 60})).warnings
    assert first.startswith("prior_lines is 2 for all 60 patients")


def test_a_cohort_in_which_everybody_died_is_a_warning(write_cohort):
    (warning,) = read_cohort(write_cohort(columns={"died": 1})).warnings
    assert warning.startswith("every patient died")


def test_medians_of_real_cohorts_are_credible():
    # LORIS publication (NLR, albumin), PACTO (the others)
    medians = {"nlr": 4.3, "albumin": 39, "crp": 29, "bilirubin": 12, "alc": 1.3, "anc": 6.4, "platelets": 314}
    for analyte, median in medians.items():
        low, high = CREDIBLE_MEDIAN[analyte]
        assert low < median < high
