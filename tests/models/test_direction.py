"""Whatever a model learned, its risk never moves against the clinic: over the hard ranges, with all else held and measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from models.analytes import ANALYTES
from models.design import DesignMatrix, design_matrix
from models.neutrophils import undecided
from models.patient import GivenMeasurement as Given
from models.patient import Patient
from models.population import ineligibility
from models.risk import RiskModel

MakePatient = Callable[..., Patient]
ROUNDING = 1e-12  # log-odds: sums of terms in float64
UNITS = {"alc": "10*9/L", "anc": "10*9/L", "nlr": "1", "albumin": "g/L", "hemoglobin": "g/dL"}


def over(analyte: str, at_least: float | None = None) -> st.SearchStrategy[float]:
    low, high = ANALYTES[analyte].hard
    return st.floats(low if at_least is None else at_least, high)


alc = st.just(0.0) | over("alc", 0.01)
anc = over("anc", 1.0)  # with fewer neutrophils the ratio is not interpretable, so not measured
held = st.fixed_dictionaries({"albumin": over("albumin"), "hemoglobin": over("hemoglobin"), "age_years": st.floats(18, 100)})
several = {"min_size": 2, "max_size": 8}


def now(**values: float) -> list[Given]:
    return [Given(analyte, value, UNITS[analyte]) for analyte, value in values.items()]


def then(**values: float) -> list[Given]:
    return [Given(analyte, value, UNITS[analyte], 30.0) for analyte, value in values.items()]


def log_odds(model: RiskModel, patients: Iterable[Patient]) -> np.ndarray:
    matrix = design_matrix(model.design, patients)
    assert not matrix.to_estimate.any()
    return model.score(matrix).log_odds


def patient_of(make_patient: MakePatient, measurements: list[Given], rest: dict[str, float]) -> Patient:
    labs = now(albumin=rest["albumin"], hemoglobin=rest["hemoglobin"])
    return make_patient(*measurements, *labs, age_years=rest["age_years"], tumour="nsclc")


@given(st.lists(over("nlr"), **several), alc, alc, anc, held)
def test_risk_never_falls_as_the_ratio_rises(
    directed: RiskModel,
    make_patient: MakePatient,
    ratios: list[float],
    count: float,
    before: float,
    anc_then: float,
    rest: dict[str, float],
) -> None:
    # where the ratio alone implies few neutrophils there is no number: the count is asked for
    course = then(alc=before, anc=anc_then)
    everybody = [patient_of(make_patient, [*now(nlr=one, alc=count), *course], rest) for one in sorted(ratios)]
    patients = [one for one in everybody if not ineligibility(one) and not undecided(one)]
    assume(patients)
    assert (np.diff(log_odds(directed, patients), axis=0) >= -ROUNDING).all()


@given(st.lists(alc, **several), anc, alc, anc, held)
def test_risk_never_rises_with_the_lymphocytes_where_the_neutrophils_are_held_and_the_ratio_follows(
    directed: RiskModel,
    make_patient: MakePatient,
    counts: list[float],
    neutrophils: float,
    before: float,
    anc_then: float,
    rest: dict[str, float],
) -> None:
    course = then(alc=before, anc=anc_then)
    patients = [patient_of(make_patient, [*now(alc=one, anc=neutrophils), *course], rest) for one in sorted(counts)]
    assert (np.diff(log_odds(directed, patients), axis=0) <= ROUNDING).all()


@given(st.sampled_from(["albumin", "hemoglobin"]), st.data(), alc, anc, held)
def test_risk_never_rises_with_albumin_or_haemoglobin(
    directed: RiskModel,
    make_patient: MakePatient,
    analyte: str,
    data: st.DataObject,
    count: float,
    neutrophils: float,
    rest: dict[str, float],
) -> None:
    values = sorted(data.draw(st.lists(over(analyte), **several)))
    counts = [*now(alc=count, anc=neutrophils), *then(alc=count, anc=neutrophils)]
    patients = [patient_of(make_patient, counts, rest | {analyte: value}) for value in values]
    assert (np.diff(log_odds(directed, patients), axis=0) <= ROUNDING).all()


@given(st.integers(0, 100_000))
def test_risk_never_falls_with_the_horizon(directed: RiskModel, seed: int) -> None:
    rng = np.random.default_rng(seed)
    low, high = directed.imputation.lower, directed.imputation.upper
    x = rng.uniform(low - (high - low), high + (high - low), (50, len(low)))
    x[rng.random(x.shape) < 0.2] = np.nan
    scores = directed.score(DesignMatrix(x, np.isnan(x)))
    assert (np.diff(scores.log_odds, axis=1) >= 0).all()
    assert (np.diff(scores.risk, axis=1) >= 0).all()


def test_the_directed_model_moves_at_all(directed: RiskModel, make_patient: MakePatient) -> None:
    rest = {"albumin": 36.0, "hemoglobin": 11.0, "age_years": 60.0}
    counts = [[*now(alc=one, anc=6.0), *then(alc=1.0, anc=6.0)] for one in (0.2, 1.0, 4.0)]
    worst, _, best = log_odds(directed, [patient_of(make_patient, one, rest) for one in counts])
    assert (worst > best + 0.1).all()
