"""The simulated cohort: who is in it, what was seen of them, and how long."""

from dataclasses import fields

import numpy as np
import pytest
from numpy.typing import NDArray

from models.tumours import CA19_9_TUMOURS
from models.tumours import TUMOURS as KNOWN_TUMOURS
from training.simulation.simulate import SimulatedCohort, simulate
from training.simulation.truth import HORIZONS
from training.simulation.world import PANCREATIC_LATER_LINES, PANCREATIC_SECOND_LINE, SITES, TUMOURS, Setting


@pytest.fixture(scope="module")
def cohort() -> SimulatedCohort:
    return simulate(20_000, seed=3)


def of_tumour(cohort: SimulatedCohort, name: str) -> NDArray[np.bool_]:
    return np.array([one.name == name for one in TUMOURS])[cohort.patients.tumour]


def auc(risk: NDArray[np.float64], died: NDArray[np.bool_]) -> float:
    ranks = np.argsort(np.argsort(risk)) + 1.0
    m = died.sum()
    return float((ranks[died].sum() - m * (m + 1) / 2) / (m * (len(died) - m)))


def test_the_same_seed_gives_the_same_cohort_and_another_seed_other_patients() -> None:
    first, again, other = simulate(300, seed=8), simulate(300, seed=8), simulate(300, seed=9)
    for field in fields(first.patients):
        if field.name != "treatments":
            assert np.array_equal(getattr(first.patients, field.name), getattr(again.patients, field.name), equal_nan=True)
    assert np.array_equal(first.times, again.times)
    assert np.array_equal(first.deaths, again.deaths)
    assert np.array_equal(first.risk_given_covariates, again.risk_given_covariates)
    assert first.ids == again.ids
    assert not set(first.ids) & set(other.ids)
    assert not np.array_equal(first.patients.alc, other.patients.alc)


@pytest.mark.parametrize(
    ("later", "setting", "ca19_9"), [(False, PANCREATIC_SECOND_LINE, 3.1), (True, PANCREATIC_LATER_LINES, 3.4)]
)
def test_pancreatic_patients_look_like_their_line(cohort: SimulatedCohort, later: bool, setting: Setting, ca19_9: float) -> None:
    p = cohort.patients
    among = of_tumour(cohort, "pancreatic") & ((p.treatments.prior_lines > 1) == later)
    alc, anc = p.alc[among], p.anc[among]
    assert np.median(alc) == pytest.approx(setting.alc, rel=0.05)
    assert np.median(anc) == pytest.approx(setting.anc, rel=0.05)
    assert np.log(alc).std() == pytest.approx(setting.alc_sd, abs=0.04)
    assert np.log(anc).std() == pytest.approx(setting.anc_sd, abs=0.04)
    assert np.corrcoef(np.log(alc), np.log(anc))[0, 1] == pytest.approx(0.10, abs=0.05)
    assert np.corrcoef(np.log(alc), np.log(anc / alc))[0, 1] == pytest.approx(-0.70, abs=0.06)
    assert p.albumin[among].mean() == pytest.approx(setting.albumin, abs=0.04)
    assert p.albumin[among].std() == pytest.approx(setting.albumin_sd, abs=0.04)
    assert np.bincount(p.ecog[among].astype(int)) / among.sum() == pytest.approx(setting.ecog, abs=0.03)
    assert p.liver_metastases[among].mean() == pytest.approx(setting.liver, abs=0.03)
    secretors = among & p.secretor & (p.bilirubin < 40)
    assert np.log10(p.ca19_9[secretors]).mean() == pytest.approx(ca19_9, abs=0.06)
    assert np.log10(p.ca19_9[secretors]).std() == pytest.approx(1.0, abs=0.05)


def test_inflammation_ties_nlr_to_albumin_and_albumin_to_haemoglobin(cohort: SimulatedCohort) -> None:
    p = cohort.patients
    assert -0.45 < np.corrcoef(np.log(p.anc / p.alc), p.albumin)[0, 1] < -0.28
    assert 0.38 < np.corrcoef(p.albumin, p.hemoglobin)[0, 1] < 0.55


def test_tumours_are_of_the_closed_list_and_most_have_no_ca19_9(cohort: SimulatedCohort) -> None:
    assert {one.name for one in TUMOURS} <= set(KNOWN_TUMOURS)
    assert {one.name for one in TUMOURS if one.ca19_9 is not None} == {one.name for one in TUMOURS} & CA19_9_TUMOURS
    shares = {one.name: of_tumour(cohort, one.name).mean() for one in TUMOURS}
    assert len(shares) >= 5
    assert max(shares, key=lambda name: shares[name]) == "pancreatic"
    applicable = np.array([one.ca19_9 is not None for one in TUMOURS])[cohort.patients.tumour]
    assert np.array_equal(np.isfinite(cohort.patients.ca19_9), applicable)


def test_seven_percent_do_not_secrete_ca19_9_whatever_their_burden(cohort: SimulatedCohort) -> None:
    p = cohort.patients
    assert (~p.secretor).mean() == pytest.approx(0.07, abs=0.008)
    silent = ~p.secretor & np.isfinite(p.ca19_9)
    assert p.ca19_9[silent].max() <= 2
    assert abs(np.corrcoef(p.ca19_9[silent], p.metastatic_sites[silent])[0, 1]) < 0.12


def test_lines_run_from_two_to_six_and_treatments_lie_in_order_before_the_index_date(cohort: SimulatedCohort) -> None:
    treatments = cohort.patients.treatments
    assert set(treatments.prior_lines) == {1, 2, 3, 4, 5}
    assert np.nanmax(treatments.end) <= -7
    assert np.all((treatments.start < treatments.end) | np.isnan(treatments.start))
    assert np.all((treatments.end[:, 1:] < treatments.start[:, :-1]) | np.isnan(treatments.start[:, 1:]))
    assert np.all(treatments.months_on_therapy >= treatments.last_line_months)


def test_steroids_raise_neutrophils_and_lower_lymphocytes_and_gcsf_raises_neutrophils(cohort: SimulatedCohort) -> None:
    p = cohort.patients
    neither = ~p.steroids & ~p.gcsf

    def ratio(counts: NDArray[np.float64], given: NDArray[np.bool_]) -> float:
        return float(np.median(counts[given]) / np.median(counts[neither]))

    assert ratio(p.anc, p.steroids & ~p.gcsf) == pytest.approx(1.5, rel=0.08)
    assert ratio(p.alc, p.steroids & ~p.gcsf) == pytest.approx(0.6, rel=0.08)
    assert ratio(p.anc, p.gcsf & ~p.steroids) == pytest.approx(2.5, rel=0.12)


def test_recent_radiotherapy_costs_lymphocytes_and_old_radiotherapy_does_not(cohort: SimulatedCohort) -> None:
    days = -cohort.patients.treatments.radiotherapy_end
    never = np.median(cohort.patients.alc[np.isnan(days)])
    assert np.median(cohort.patients.alc[days < 84]) / never == pytest.approx(0.6, abs=0.07)
    assert np.median(cohort.patients.alc[days > 450]) / never > 0.9


def test_what_is_missing_depends_on_the_hospital_on_frailty_and_on_burden(cohort: SimulatedCohort) -> None:
    applicable = np.isfinite(cohort.patients.ca19_9)
    absent, site = cohort.missing["ca19_9"], cohort.patients.site
    by_site = [absent[applicable & (site == number)].mean() for number in range(len(SITES))]
    assert min(by_site) < 0.06
    assert max(by_site) > 0.40
    assert 0.08 < absent[applicable].mean() < 0.18
    assert np.all(absent[~applicable])
    assert cohort.frailty[cohort.missing["albumin"]].mean() > cohort.frailty[~cohort.missing["albumin"]].mean() + 0.03
    burdened = cohort.patients.metastatic_sites >= 4
    assert absent[applicable & burdened].mean() < absent[applicable & ~burdened].mean() - 0.02


def test_no_lymphocyte_or_neutrophil_count_is_missing(cohort: SimulatedCohort) -> None:
    assert not cohort.missing["alc"].any()
    assert "anc" not in cohort.missing


def test_earlier_draws_lie_sixty_to_twenty_days_before_and_lead_to_the_index_date(cohort: SimulatedCohort) -> None:
    earlier, p = cohort.earlier, cohort.patients
    assert earlier.day.min() >= -60
    assert earlier.day.max() <= -20
    assert np.all(earlier.day[:, 0] < earlier.day[:, 1])
    untouched = ~p.steroids & ~p.gcsf
    assert np.corrcoef(np.log(earlier.alc[untouched, 1]), np.log(p.alc[untouched]))[0, 1] > 0.85
    rising = p.secretor & (p.ca19_9 > 10)
    assert np.median(earlier.ca19_9[rising, 0] / p.ca19_9[rising]) < 0.85
    silent = ~p.secretor & np.isfinite(p.ca19_9)
    assert earlier.ca19_9[silent].max() <= 2


def test_follow_up_ends_in_death_or_in_censoring_never_after_either(cohort: SimulatedCohort) -> None:
    assert np.array_equal(cohort.times[cohort.deaths], cohort.death_days[cohort.deaths])
    assert np.all(cohort.times[~cohort.deaths] < cohort.death_days[~cohort.deaths])
    assert cohort.times.min() >= 1
    assert np.array_equal(cohort.times, np.round(cohort.times))
    lost = ~cohort.deaths & (cohort.times < 180)
    assert cohort.frailty[lost].mean() > 0


def test_a_calendar_that_closes_early_leaves_nobody_observed_for_a_year() -> None:
    short = simulate(2_000, seed=4, accrual_days=200, closing_day=330)
    assert short.times.max() <= 330


def test_mortality_is_that_of_published_cohorts_and_the_oracle_ranks_as_designed() -> None:
    cohort = simulate(60_000, seed=5)
    later = of_tumour(cohort, "pancreatic") & (cohort.patients.treatments.prior_lines > 1)
    others = ~of_tumour(cohort, "pancreatic")
    for day, pancreatic, other in ((90, 0.40, 0.20), (180, 0.60, 0.33), (365, 0.79, 0.53)):
        assert (cohort.death_days[later] <= day).mean() == pytest.approx(pancreatic, abs=0.04)
        assert (cohort.death_days[others] <= day).mean() == pytest.approx(other, abs=0.03)
    died = cohort.death_days <= 180
    oracle = auc(cohort.risk_given_covariates[:, HORIZONS.index(180)], died)
    assert oracle == pytest.approx(0.793, abs=0.008)
    assert auc(cohort.risk_given_frailty[:, HORIZONS.index(180)], died) > oracle + 0.005


def test_blemishes_are_off_unless_asked_for_and_then_are_rows_that_must_be_excluded() -> None:
    clean, blemished = simulate(1_000, seed=6), simulate(1_000, seed=6, blemishes=True)
    assert clean.patients.age.min() >= 18
    assert not clean.missing["times"].any()
    young, uncounted, unfollowed = blemished.patients.age < 18, blemished.missing["alc"], blemished.missing["times"]
    assert young.sum() == uncounted.sum() == unfollowed.sum() == 5
    assert not (young & uncounted).any()
    assert not (uncounted & unfollowed).any()


@pytest.mark.parametrize(
    ("patients", "seed", "closing_day", "message"),
    [
        (0, 1, 1278.0, "patients = 0: allowed is 1 or more"),
        (10, -1, 1278.0, "seed = -1: allowed is 0 or more"),
        (10, 1, 42.0, "closing_day = 42: allowed is .* likely months where days are meant"),
    ],
)
def test_an_impossible_cohort_is_refused(patients: int, seed: int, closing_day: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        simulate(patients, seed, closing_day=closing_day)
