"""Patients become risks with their reasons: one path for the service, for files and for MLflow; no clock, no disk, no HTTP.

Whatever the company, a patient's numbers are the same to the bit: nothing is added up across patients.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.artifact import Artifact
from models.design import DesignMatrix, matrix_of
from models.explanation import explain
from models.fault import Fault
from models.features import Feature, Reading, level_of
from models.imputation import TAIL, Filled
from models.lymphopenia import lymphopenia
from models.neutrophils import NEUTROPENIA, undecided
from models.patient import Patient
from models.population import Ineligible
from models.published import published
from models.quality import quality_of
from models.risk import RiskModel, Scores
from serving.answer import Answer, Estimate, InputUsed
from serving.ranked import ranked
from serving.refused import Refused
from serving.standing import release, standing

_UNDECIDED = Fault(
    "anc",
    "nothing",
    f"the neutrophil count of the draw of the NLR: the ratio implies fewer than {NEUTROPENIA:.1f} 10*9/L, "
    "and must not be read without the count",
)


@dataclass(frozen=True)
class Company:
    """Patients who are scored together: (n,) patients, their design matrix and what the model says of them."""

    patients: tuple[Patient, ...]
    readings: tuple[Mapping[str, Reading], ...]  # of each patient, behind the numbers of his design row
    matrix: DesignMatrix
    scores: Scores


def score(artifact: Artifact, patients: Sequence[Patient | Refused], site: str = "") -> list[Answer | Refused]:
    """An answer for each patient in order, or the reasons why there is none; refused ones leave the others alone."""
    admitted = [admit(artifact.model, one) for one in patients]
    company = together(artifact.model, [one for one in admitted if isinstance(one, Patient)])
    answers = iter(_answers(artifact, company, site))
    return [next(answers) if isinstance(one, Patient) else one for one in admitted]


def admit(model: RiskModel, patient: Patient | Refused) -> Patient | Refused:
    """The patient, if a model of this kind may score him and has what it requires; else every reason why not."""
    if isinstance(patient, Refused):
        return patient
    if unreadable := _of_another_kind(model, patient):
        return Refused(patient.id, "invalid", unreadable)
    try:
        patient = model.population.seen(patient)
    except Ineligible as error:
        return Refused(patient.id, "not eligible", error.faults)
    missing = [_missing(model, name, patient) for name in model.required if _absent(model.design.of[name], patient)]
    if undecided(patient) and any(feature.analyte == "nlr" for feature in model.design.of.values()):
        missing.append(_UNDECIDED)
    return Refused(patient.id, "insufficient data", tuple(missing)) if missing else patient


def together(model: RiskModel, patients: Sequence[Patient]) -> Company:
    """The scores of `patients`, who have been admitted."""
    rows = [model.design.row(patient) for patient in patients]
    matrix = matrix_of(model.design, rows)
    return Company(tuple(patients), tuple(readings for _, readings in rows), matrix, model.score(matrix))


def _of_another_kind(model: RiskModel, patient: Patient) -> tuple[Fault, ...]:
    """The site covariates given as texts that the model reads as numbers; the other way round a number is its own word."""
    given = {f"extra.{name}": value for name, value in patient.extra.items() if isinstance(value, str)}
    wrong = [name for name in given if name in model.design.of and model.design.of[name].scale != "level"]
    allowed = "a number: the model reads this covariate as one"
    return tuple(Fault(name, given[name], allowed, "a number in quotes") for name in wrong)


def _absent(feature: Feature, patient: Patient) -> bool:
    if feature.scale == "level":
        return level_of(feature, patient) is None
    return feature.of(patient).status == "not measured"


def _missing(model: RiskModel, name: str, patient: Patient) -> Fault:
    feature = model.design.of[name]
    allowed = f"{feature.label}: this model requires it"
    if feature.analyte:
        allowed = f"{feature.label}, at most {patient.carried:g} days before the {patient.day}: this model requires it"
    apart = feature.analyte == "nlr" and patient.current("anc") and patient.current("alc")
    likely = "neutrophils and lymphocytes of different days: a ratio is of one draw" if apart else ""
    return Fault(feature.analyte or name, "nothing", allowed, likely)


def _answers(artifact: Artifact, company: Company, site: str) -> Iterable[Answer]:
    model = artifact.model
    explained = explain(model, company.scores, _estimated(model, company.matrix))
    estimates, used = _estimates(model, company), company.scores.filled.x.tolist()
    for row, patient in enumerate(company.patients):
        quality = quality_of(model, patient, company.readings[row])
        yield Answer(
            id=patient.id,
            standing=tuple(standing(artifact, patient, site)),
            horizons=explained[row],
            inputs=_inputs(model, used[row]),
            estimates=tuple(estimates[row]),
            lymphopenia=lymphopenia(patient),
            of_lymphocytes=quality.remarks.get("alc", ()),
            quality=quality.inputs,
            published=published(patient),
            warnings=quality.warnings,
            refused_horizons=model.refused,
            model=model.name,
            digest=artifact.digest,
            simulated=model.simulated,
            release=release(artifact),
            ranked=ranked(artifact, patient, site),
        )


def _estimated(model: RiskModel, matrix: DesignMatrix) -> NDArray[np.bool_]:
    """Shape (n, n_features): whether a feature rests on an estimate."""
    return np.logical_or.reduceat(matrix.to_estimate, model.design.first_columns, axis=1)


def _inputs(model: RiskModel, x: Sequence[float]) -> tuple[InputUsed, ...]:
    """Every feature with the value the model used, in the unit a reader knows; None where it has none."""
    return tuple(
        InputUsed(one.name, one.label, one.group, one.unit, _level(x[start:], levels) if levels else _number(one, x[start]))
        for one, start, levels in model.design.runs
    )


def _number(feature: Feature, value: float) -> float | None:
    return None if math.isnan(value) else feature.shown(value)


def _level(x: Sequence[float], levels: Sequence[str]) -> str | None:
    """The level that is known; where none is, the columns hold estimated shares."""
    return next((level for level, one in zip(levels, x, strict=False) if one == 1.0), None)


def _estimates(model: RiskModel, company: Company) -> list[list[Estimate]]:
    """For every patient, the estimated labs with their 10th and 90th percentiles and the risks there."""
    found: list[list[Estimate]] = [[] for _ in company.patients]
    owed = [(row, column) for row, column in np.argwhere(company.matrix.to_estimate).tolist() if _is_lab(model, column)]
    if owed:
        ends = model.score_filled(_ends(model, company.scores.filled, owed))
        rows, columns = np.array(owed, np.intp).T
        values = company.scores.filled.x[rows, columns].tolist()
        moved = ends.filled.x[np.arange(2 * len(owed)), np.repeat(columns, 2)].reshape(-1, 2).tolist()
        risks = ends.risk.reshape(len(owed), 2, -1).tolist()
        for (row, column), value, low_high, at_ends in zip(owed, values, moved, risks, strict=True):
            found[row].append(_estimate(model, column, (value, *low_high), at_ends))
    return found


def _estimate(model: RiskModel, column: int, values: Sequence[float], risks: Sequence[Sequence[float]]) -> Estimate:
    """`values`: the estimate with its 10th and 90th percentile; `risks` at those two, by horizon."""
    feature = model.design.of[model.design.columns[column].feature]
    value, low, high = map(feature.shown, values)
    at_low, at_high = (dict(zip(model.days, risk, strict=True)) for risk in risks)
    return Estimate(feature.name, feature.label, feature.unit, value, low, high, at_low, at_high)


def _is_lab(model: RiskModel, column: int) -> bool:
    feature = model.design.of[model.design.columns[column].feature]
    return bool(feature.analyte) and feature.scale != "flag"


def _ends(model: RiskModel, filled: Filled, owed: Sequence[tuple[int, int]]) -> Filled:
    """Two rows for each estimate: the patient with it at its 10th and at its 90th percentile, within the imputation's limits."""
    rows, columns = np.repeat(np.array(owed, np.intp).T, 2, axis=1)
    x, spread, every = filled.x[rows], filled.spread[rows], np.arange(len(rows))
    moved = x[every, columns] + np.where(every % 2, TAIL, -TAIL) * spread[every, columns]
    lower, upper = model.imputation.lower[columns], model.imputation.upper[columns]
    x[every, columns] = np.minimum(np.maximum(moved, lower), upper)
    return Filled(x, spread)
