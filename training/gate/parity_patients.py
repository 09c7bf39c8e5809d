"""Made-up patients for the parity certificate: every input a model reads, in many units, and much of it not measured.

Nobody's: values are drawn within the development ranges. The same patients are written once as a cohort file with tidy tables and
once in the words of the service, so that every path can be asked for the same risk.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from models.analytes import ANALYTES
from models.features import Feature
from models.history import FLAGS
from models.risk import RiskModel

AS_OF = date(2026, 1, 31)
MISSING = 0.25  # share of what the model does not require that was "not measured"
_EARLIER_DAY = 40  # days before the index date of a draw from which changes are taken
_PEOPLE = ("patient", "age", "sex", "tumour", "days", "died")
_LABS = ("patient", "day", "analyte", "value", "unit", "uln")
Wire = dict[str, Any]


@dataclass(frozen=True)
class MadeUp:
    """The made-up patients in the words of the service, and the cohort file that says the same of them."""

    patients: tuple[Wire, ...]
    cohort_file: Path

    @property
    def lines(self) -> tuple[str, ...]:
        """One patient a line."""
        return tuple(json.dumps(patient) for patient in self.patients)


def made_up(model: RiskModel, count: int, seed: int, folder: Path) -> MadeUp:
    """So many patients with what `model` requires, and their cohort file with its tables in `folder`."""
    rng = np.random.default_rng(seed)
    patients = tuple(_patient(model, f"P{number:03d}", rng) for number in range(count))
    return MadeUp(patients, _written(patients, folder))


def _patient(model: RiskModel, id: str, rng: np.random.Generator) -> Wire:
    read = {feature.analyte for feature in model.design.of.values() if feature.analyte}
    required = {model.design.of[name].analyte or name for name in model.required}
    kept = {name for name in sorted(read) if name in required or rng.random() > MISSING}
    tumours = sorted(model.population.deaths_by_tumour) or ["nsclc"]
    return {
        "id": id,
        "as_of": AS_OF.isoformat(),
        "age_years": int(rng.integers(30, 88)),
        "sex": str(rng.choice(["female", "male"])),
        "tumour": str(rng.choice(tumours)),
        "measurements": [*_draw(model, kept, 0, rng), *(_draw(model, kept, _EARLIER_DAY, rng) if rng.random() < 0.5 else [])],
        "history": _history(model, required, rng),
        "extra": _extra(model, required, rng),
    }


def _draw(model: RiskModel, kept: set[str], days: int, rng: np.random.Generator) -> list[Wire]:
    """The blood of one day. An NLR comes from its two counts, which nobody can then contradict."""
    values = {name: _value(model, name, rng) for name in sorted(kept - {"nlr", "alc", "anc"})}
    if kept & {"nlr", "alc", "anc"}:
        values["alc"] = float(np.exp(rng.uniform(math.log(0.3), math.log(3.0))))
        values["anc"] = values["alc"] * float(np.exp(rng.uniform(math.log(1.0), math.log(15.0)))) + 1.0
    found = []
    for name, value in values.items():
        known = ANALYTES[name]
        units = sorted(known.units)
        unit = units[int(rng.integers(len(units)))]
        told: float | str = float(f"{value / known.units[unit]:.3g}")
        if name == "ca19_9" and rng.random() < 0.1:
            told, unit = "<2.0", known.unit
        upper = {"uln": float(f"{250.0 / known.units[unit]:.3g}")} if name == "ldh" else {}
        on = (AS_OF - timedelta(days=days)).isoformat()
        found.append({"analyte": name, "value": told, "unit": unit, "date": on, **upper})
    return found


def _value(model: RiskModel, analyte: str, rng: np.random.Generator) -> float:
    """A value in the canonical unit, within the development range where a feature shows the analyte as it is."""
    known = ANALYTES[analyte]
    if known.step:
        return float(rng.choice(np.arange(known.plausible[0], known.plausible[1] + 1, known.step)))
    low, high = known.plausible
    for name, feature in model.design.of.items():
        if feature.analyte == analyte and feature.unit == known.unit and name in model.development_range:
            low, high = (feature.shown(end) for end in model.development_range[name])
    low = max(low, known.plausible[0], known.smallest, 1e-3 * high)
    return float(np.exp(rng.uniform(math.log(low), math.log(max(high, low)))))


def _history(model: RiskModel, required: set[str], rng: np.random.Generator) -> Wire:
    lines = int(rng.integers(0, 5))
    found: Wire = {"prior_lines": lines, "prior_systemic_therapy": "yes" if lines else "no"}
    treated = {"months_on_therapy": int(rng.integers(1, 30)), "last_line_months": int(rng.integers(1, 15))}
    found |= (treated | {"last_line_outcome": str(rng.choice(["progression", "toxicity"]))}) if lines else {}
    found |= {name: str(rng.choice(["yes", "no"])) for name in FLAGS if name not in found}
    found["metastatic_sites"] = int(rng.integers(0, 6))
    if found["prior_radiotherapy"] == "yes":
        found["days_since_radiotherapy"] = int(rng.integers(5, 700))
    return {name: value for name, value in found.items() if name in required or rng.random() > MISSING}


def _extra(model: RiskModel, required: set[str], rng: np.random.Generator) -> Wire:
    own = {name: feature for name, feature in model.design.of.items() if name.startswith("extra.")}
    kept = {name: one for name, one in own.items() if name in required or rng.random() > MISSING}
    return {name.removeprefix("extra."): _own(model, one, rng) for name, one in kept.items()}


def _own(model: RiskModel, feature: Feature, rng: np.random.Generator) -> float | str:
    if feature.scale == "level":
        return str(rng.choice([column.level for column in model.design.columns if column.feature == feature.name]))
    low, high = model.development_range.get(feature.name, (0.0, 1.0))
    return float(f"{rng.uniform(low, high):.4g}")


def _written(patients: Sequence[Wire], folder: Path) -> Path:
    """The cohort file and its tables. Their follow-up says nothing: nobody is judged by it."""
    history = sorted({name for one in patients for name in one["history"]})
    extra = sorted({name for one in patients for name in one["extra"]})
    people = [_person(patient, place, history, extra) for place, patient in enumerate(patients)]
    _table(folder / "patients.csv", [*_PEOPLE, *history, *(f"own_{name}" for name in extra)], people)
    _table(folder / "measurements.csv", _LABS, _labs(patients))
    _table(folder / "treatments.csv", ("patient", "line", "modality", "agents", "start", "end", "outcome"), ())
    path = folder / "parity.toml"
    path.write_text(_cohort_file(history, {name: _kind(patients, name) for name in extra}), encoding="utf-8")
    return path


def _person(patient: Wire, place: int, history: Sequence[str], extra: Sequence[str]) -> list[object]:
    simple = [patient["id"], patient["age_years"], patient["sex"], patient["tumour"], 100 + place, place % 2]
    return simple + [patient["history"].get(name, "") for name in history] + [patient["extra"].get(name, "") for name in extra]


def _labs(patients: Sequence[Wire]) -> Iterator[list[object]]:
    for patient in patients:
        for one in patient["measurements"]:
            day = (date.fromisoformat(one["date"]) - AS_OF).days
            yield [patient["id"], day, one["analyte"], one["value"], one["unit"], one.get("uln", "")]


def _kind(patients: Sequence[Wire], name: str) -> str:
    words = any(isinstance(one["extra"].get(name), str) for one in patients)
    return "categorical" if words else "numeric"


def _table(path: Path, columns: Sequence[str], rows: Sequence[Sequence[object]] | Iterator[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def _cohort_file(history: Sequence[str], extra: Mapping[str, str]) -> str:
    tables = [f'{name} = "{name}.csv"' for name in ("patients", "measurements", "treatments")]
    people = [f'{name} = "{name}"' for name in ("sex", "tumour")]
    own = [f'{json.dumps(name)} = {{ column = {json.dumps(f"own_{name}")}, kind = "{kind}" }}' for name, kind in extra.items()]
    return "\n".join(
        [
            *('name = "parity"', 'source = "made up"', 'patient = "patient"', "[tables]", *tables, "[index]", 'rule = "given"'),
            *("[follow_up]", 'time = { column = "days", unit = "d" }', 'died = { column = "died" }'),
            *("[patient_fields]", 'age_years = "age"', *people),
            *("[treatment_history]", *(f'{name} = "{name}"' for name in history)),
            *("[extra]", *own, ""),
        ]
    )
