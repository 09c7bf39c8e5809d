"""Simulated patients who are seen again and again: what is asked of the process, and the truth that is told of it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxTimeVaryingFitter
from numpy.typing import NDArray

from training.simulation import over_time, truth_over_time
from training.simulation.histories import LANDMARKS, WITHIN, SimulatedHistories, simulate_history
from training.simulation.over_time import Moving, draw_deaths, weekly_hazard
from training.simulation.simulate import simulate
from training.simulation.truth import FRAILTY_SD, HORIZONS, Hazard, hazard
from training.simulation.truth_over_time import TrueRisks
from training.simulation.world import TUMOURS

# lifelines 0.30 calls DataFrame.var as pandas 4 will no longer allow; an oracle of the tests only
pytestmark = pytest.mark.filterwarnings("ignore:Starting with pandas version 4.0")
FloatArray = NDArray[np.float64]


@pytest.fixture(scope="module")
def drawn() -> SimulatedHistories:
    return simulate_history(4000, seed=5)


def low_of(histories: SimulatedHistories) -> NDArray[np.bool_]:
    return np.asarray(histories.cohort.patients.alc < 1.0)


def auc(risk: FloatArray, died: NDArray[np.bool_]) -> float:
    ranks = np.argsort(np.argsort(risk)) + 1.0
    m = died.sum()
    return float((ranks[died].sum() - m * (m + 1) / 2) / (m * (len(died) - m)))


def rows_in_time(histories: SimulatedHistories, ever: bool = False) -> pd.DataFrame:
    """Counting-process rows of those who were low: `recovered` from the day it was known, or, biased, from the index date."""
    cohort, p = histories.cohort, histories.cohort.patients
    rows = []
    for i in np.flatnonzero(low_of(histories)):
        end, died, on = float(cohort.times[i]), bool(cohort.deaths[i]), float(histories.recovered[i])
        if ever or on >= end:
            rows.append((i, 0.0, end, died, float(ever and on < end)))
        else:
            rows += [(i, 0.0, on, False, 0.0), (i, on, end, died, 1.0)]
    known = {"ln_alc": np.log(p.alc), "ln_nlr": np.log(p.anc / p.alc), "albumin": p.albumin, "line": p.treatments.prior_lines}
    pancreatic = (p.tumour == [one.name for one in TUMOURS].index("pancreatic")).astype(float)
    table = pd.DataFrame(known | {"age": p.age / 10, "pancreatic": pancreatic})
    return pd.DataFrame(rows, columns=["id", "start", "stop", "died", "recovered"]).join(table, on="id")


def log_hazard_ratio(rows: pd.DataFrame) -> tuple[float, float]:
    fitted = CoxTimeVaryingFitter().fit(rows, id_col="id", event_col="died", start_col="start", stop_col="stop")
    return float(fitted.params_["recovered"]), float(fitted.standard_errors_["recovered"])


def test_the_same_arguments_give_the_same_histories_and_another_seed_other_patients() -> None:
    first, again, other = (simulate_history(60, seed, truth=False) for seed in (8, 8, 9))
    assert np.array_equal(first.cohort.times, again.cohort.times)
    for name, values in first.visits.found.items():
        assert np.array_equal(values, again.visits.found[name], equal_nan=True)
    assert not np.array_equal(first.cohort.patients.alc, other.cohort.patients.alc)


def test_on_the_index_date_they_are_the_patients_of_the_same_seed_without_histories(drawn: SimulatedHistories) -> None:
    plain = simulate(4000, seed=5)
    assert plain.ids == drawn.cohort.ids
    assert np.array_equal(plain.patients.alc, drawn.cohort.patients.alc)
    assert np.array_equal(plain.patients.ca19_9, drawn.cohort.patients.ca19_9, equal_nan=True)
    assert low_of(drawn).mean() == pytest.approx(0.41, abs=0.025)


def test_the_true_risks_are_borne_out_at_every_landmark_and_rank_better_than_those_of_the_index_date(
    drawn: SimulatedHistories,
) -> None:
    death, at_index = drawn.cohort.death_days, drawn.cohort.risk_given_covariates[:, HORIZONS.index(180)]
    assert tuple(drawn.risk_at) == LANDMARKS
    for day in LANDMARKS:
        alive = death > day
        for place, days in enumerate(WITHIN):
            risk, died = drawn.risk_at[day][alive, place], death[alive] <= day + days
            assert died.mean() == pytest.approx(risk.mean(), abs=3.5 * np.sqrt((risk * (1 - risk)).mean() / alive.sum()))
        assert np.isnan(drawn.risk_at[day][~alive]).all()
        gain = auc(drawn.risk_at[day][alive, 2], death[alive] <= day + 180) - auc(at_index[alive], death[alive] <= day + 180)
        assert gain > (0.03 if day >= 56 else -0.01)
    both = drawn.cohort.risk_given_covariates[:, [HORIZONS.index(days) for days in WITHIN]]
    assert drawn.risk_at[0] == pytest.approx(both, abs=0.02)  # the mean over other courses


def test_of_a_disease_that_stands_still_the_true_risks_are_those_known_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (over_time, truth_over_time):
        for name in ("BURDEN_RISK", "INFLAMMATION_RISK"):
            monkeypatch.setattr(module, name, 0.0)
    still: Hazard = hazard(simulate(50, seed=3).patients)
    never = TrueRisks(still, Moving(np.zeros((50, 60)), np.zeros((50, 60)), np.zeros(50)), np.full(50, np.inf), 1.0, FRAILTY_SD)
    exact = np.stack([still.risk_whatever_frailty(day) for day in (28, 182)], axis=1)
    assert never.on(0, (28, 182)) == pytest.approx(exact, abs=1e-9)
    lived, later = (1 - still.risk_whatever_frailty(day) for day in (84, 175))
    assert never.on(84, (91,))[:, 0] == pytest.approx(1 - later / lived, abs=1e-9)
    frail = np.full(50, 0.4)
    assert never.on(0, (91,), frail)[:, 0] == pytest.approx(still.risk(91, frail), abs=1e-12)
    halved = replace(never, recovered=np.zeros(50), ratio=0.5)
    assert halved.on(0, (91,), frail)[:, 0] == pytest.approx(still.risk(91, frail + np.log(0.5)), abs=1e-12)


def test_a_recovery_changes_the_hazard_from_its_day_on_and_never_before() -> None:
    still = hazard(simulate(3, seed=3).patients)
    nothing, own = np.zeros((3, 4)), np.zeros(3)
    plain = weekly_hazard(still, nothing, np.full(3, np.inf), 0.5, own)
    assert plain.sum(axis=1) == pytest.approx(still.cumulative(28))
    found = weekly_hazard(still, nothing, np.array([np.inf, 10.0, 0.0]), 0.5, own) / plain
    assert found == pytest.approx(np.array([[1, 1, 1, 1], [1, 1 - 0.5 * 4 / 7, 0.5, 0.5], [0.5, 0.5, 0.5, 0.5]]))


def test_deaths_are_drawn_by_the_hazard() -> None:
    gained = np.tile([0.2, 0.1, 0.4], (40_000, 1))
    days = draw_deaths(np.random.default_rng(2), gained)
    for week, reached in ((1, 0.2), (2, 0.3), (3, 0.7)):
        assert (days <= 7 * week).mean() == pytest.approx(1 - np.exp(-reached), abs=0.01)
    assert np.isinf(days).mean() == pytest.approx(np.exp(-0.7), abs=0.01)
    assert set(days[np.isfinite(days)]) == set(range(1, 22))


def test_without_an_effect_recovery_in_time_says_nothing_and_ever_recovered_makes_an_effect_out_of_nothing() -> None:
    null = simulate_history(8000, seed=11, truth=False)
    found, error = log_hazard_ratio(rows_in_time(null))
    assert error < 0.07
    assert abs(found) < 3 * error
    biased, _ = log_hazard_ratio(rows_in_time(null, ever=True))
    assert 0.2 < np.exp(biased) < 0.5


def test_an_effect_that_is_asked_for_is_there() -> None:
    found, error = log_hazard_ratio(rows_in_time(simulate_history(8000, seed=12, rescue_hazard_ratio=0.5, truth=False)))
    # what nobody measures draws every hazard ratio towards 1
    assert np.log(0.5) - 3 * error < found < np.log(0.6) + 3 * error
    assert found < np.log(0.7)


def test_unmeasured_fitness_lets_recovery_and_survival_go_together() -> None:
    fit = simulate_history(12_000, seed=14, unmeasured_fitness=True, truth=False)
    recovered = low_of(fit) & np.isfinite(fit.recovered)
    assert fit.fitness[recovered].mean() > fit.fitness[low_of(fit) & ~recovered].mean() + 0.1
    found, error = log_hazard_ratio(rows_in_time(fit))
    assert found < -error
    assert not simulate_history(5, seed=13, truth=False).fitness.any()


def test_low_lymphocytes_recover_in_about_one_patient_of_ten_a_month(drawn: SimulatedHistories) -> None:
    low = low_of(drawn)
    assert not np.isfinite(drawn.recovered[~low]).any()
    assert drawn.recovered[low].min() >= 10  # two draws at least a week apart
    by = [(drawn.recovered[low] <= day).mean() for day in (60, 120, 180)]
    assert 0.05 < by[1] - by[0] < 0.35
    assert by[0] < by[1] < by[2] < 0.8


def draws(histories: SimulatedHistories, name: str) -> tuple[FloatArray, FloatArray]:
    """Days and natural logarithms of an analyte over that of the index date at rest; NaN where not drawn."""
    ln = np.log(histories.visits.found[name]) - np.log(getattr(histories.cohort.patients, name))[:, None]
    return np.where(np.isfinite(histories.visits.day), histories.visits.day, np.nan), ln


@pytest.mark.parametrize(
    ("course", "name", "ratio", "after"),
    [("steroids", "alc", 0.6, 0), ("steroids", "anc", 1.5, 0), ("gcsf", "anc", 2.5, 0), ("radiotherapy", "alc", 0.6, 40)],
)
def test_drugs_and_radiotherapy_move_counts(drawn: SimulatedHistories, course: str, name: str, ratio: float, after: int) -> None:
    day, ln = draws(drawn, name)
    given: FloatArray = getattr(drawn.treated, course)
    start, end = given[:, :1], given[:, 1:]
    during = (day >= (end if after else start)) & (day <= end + after)
    before = day < start
    had = during.any(axis=1) & before.any(axis=1) & ~drawn.cohort.patients.steroids & ~drawn.cohort.patients.gcsf
    assert had.sum() > 60
    on = np.nanmean(np.where(during, ln, np.nan)[had], axis=1)
    off = np.nanmean(np.where(before, ln, np.nan)[had], axis=1)
    assert np.exp(np.median(on - off)) == pytest.approx(ratio, rel=0.12)


def test_chemotherapy_costs_counts_between_a_week_and_two_after_it(drawn: SimulatedHistories) -> None:
    first = np.array([one.regimens[r][0] for one, r in (
        (TUMOURS[t], r) for t, r in zip(drawn.cohort.patients.tumour, drawn.treated.regimen[:, 0], strict=True)
    )])
    for name, least, most in (("alc", 0.70, 0.9), ("anc", 0.45, 0.75)):
        day, ln = draws(drawn, name)
        phase = (day - drawn.treated.start[:, :1]) % 21
        runs = (day >= drawn.treated.start[:, :1]) & (day < drawn.treated.end[:, :1]) & (day < 60)
        rows = (first == "chemotherapy")[:, None] & runs
        lost = np.exp(np.nanmedian(ln[rows & (phase >= 7) & (phase <= 14)]) - np.nanmedian(ln[rows & (phase >= 18)]))
        assert least < lost < most
        others = (first == "immunotherapy")[:, None] & runs
        assert abs(np.nanmedian(ln[others & (phase >= 7) & (phase <= 14)]) - np.nanmedian(ln[others & (phase >= 18)])) < 0.08


def test_burden_moves_ca19_9_of_secretors_and_inflammation_albumin(drawn: SimulatedHistories) -> None:
    day, ln = draws(drawn, "ca19_9")
    secreting = drawn.cohort.patients.secretor & (drawn.cohort.patients.ca19_9 > 10)
    eight_weeks = (day > 49) & (day < 63)
    changes = ln[secreting[:, None] & eight_weeks & np.isfinite(ln)] / np.log(10)
    assert 0.3 < changes.std() < 0.65  # .50 in a large cancer centre (8-week change of log10)
    silent = ~drawn.cohort.patients.secretor
    assert np.nanmax(np.abs(ln[silent])) == 0


@pytest.mark.parametrize("ratio", [0.0, -1.0, np.inf, np.nan])
def test_a_hazard_ratio_that_is_none_is_refused(ratio: float) -> None:
    with pytest.raises(ValueError, match=r"rescue_hazard_ratio = .*: allowed is a number above 0; 1 is no effect"):
        simulate_history(5, seed=1, rescue_hazard_ratio=ratio)


def test_another_assay_reads_the_same_blood_otherwise(drawn: SimulatedHistories) -> None:
    day, ln = draws(drawn, "ca19_9")
    high = (drawn.cohort.patients.secretor & (drawn.cohort.patients.ca19_9 > 100))[:, None] & np.isfinite(ln) & (day > 150)
    other, same = ln[high & (drawn.visits.method == 1)], ln[high & (drawn.visits.method == 0)]
    assert len(other) > 150
    assert other.mean() - same.mean() == pytest.approx(np.log(1.4), abs=0.25)
