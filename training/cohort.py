"""A cohort is read whole or refused whole: its tables become patients with follow-up, and every exclusion is counted."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from models.cohort_file import CohortFile, InvalidCohort, read_cohort_file
from models.cohort_row import Outcome, excluded, outcome_of, patient_of, present
from models.fault import Fault
from models.features import FEATURES
from models.patient import InvalidPatient, Patient
from models.population import ineligibility
from training.censoring import FollowUp
from training.suspicion import suspicions

_SHOWN = 5  # rows named in a fault before "and N more"


@dataclass(frozen=True)
class Step:
    """One step of the flow diagram: why rows left, how many, and who remained (the change in composition)."""

    reason: str
    left: int
    remaining: Mapping[str, float]


@dataclass(frozen=True)
class Cohort:
    """Eligible patients with their follow-up, in the order of the table, and how they came to be those."""

    name: str
    source: str  # "simulated", or where it came from
    digest: str  # SHA-256 over the cohort file and its tables
    patients: tuple[Patient, ...]
    follow_up: FollowUp
    required: tuple[str, ...]  # features without which a patient is not in the cohort
    flow: tuple[Step, ...]
    warnings: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()
    file: CohortFile | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.patients)

    def select(self, rows: np.ndarray[tuple[int], np.dtype[Any]]) -> Cohort:
        """The cohort of some rows (indices or a mask), as it would have been read alone; the flow is that of the whole."""
        rows = np.arange(len(self))[rows]
        entries = None if self.follow_up.entries is None else self.follow_up.entries[rows]
        chosen = FollowUp(self.follow_up.times[rows], self.follow_up.deaths[rows], entries)
        patients = tuple(self.patients[row] for row in rows)
        return Cohort(
            self.name, self.source, self.digest, patients, chosen, self.required, self.flow, self.warnings, self.accepted, self.file
        )


def read_cohort(
    path: Path | str,
    *,
    data: Path | str | None = None,
    accept: str = "",
    required: Sequence[str] | None = None,
    progress: bool = False,
) -> Cohort:
    """The cohort described by the file at `path`; its tables lie beside it, or in `data`.

    `accept` is the reason for which suspicious columns are taken as they are; it is kept. `required` names the features without
    which a patient is excluded, in place of the cohort's own: those of the model that is to be judged. Raises InvalidCohort naming every fault with column and rows.
    """
    file = read_cohort_file(path)
    if file.follow_up is None:
        raise InvalidCohort([Fault(f"{file.path.name}: follow_up", "nothing", "a [follow_up] table with time and died")])
    folder = Path(data) if data is not None else file.path.parent
    table = read_table(folder / file.table)
    faults = file.missing_columns(table.columns)
    if faults:
        raise InvalidCohort(faults)
    tidy = tidy_rows(file, folder)
    raw = table.to_dict("records")
    reading = _Reading(file, required_features(file) if required is None else tuple(required))
    for number, row in enumerate(tqdm(raw, desc=f"reading {file.name}", unit="patient", disable=not progress)):
        reading.row(number, row, *(tables.get(str(row[file.patient]), ()) for tables in tidy))
    reading.raise_faults(raw)
    suspicious = suspicions(file, reading.kept_rows, [outcome.days for outcome in reading.outcomes], raw)
    if suspicious.faults and not accept:
        raise InvalidCohort(suspicious.faults)
    accepted = (f"{accept}: " + "; ".join(map(str, suspicious.faults)),) if suspicious.faults else ()
    return reading.cohort(digest_of(file, folder), suspicious.warnings, accepted)


def read_table(path: Path) -> pd.DataFrame:
    """A CSV (every cell as text, nothing guessed) or a Parquet table."""
    if not path.is_file():
        raise InvalidCohort([Fault(str(path), "no such file", "a CSV or Parquet table", "--data DIR names the folder of the tables")])
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def tidy_rows(file: CohortFile, folder: Path) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
    """The measurement and treatment rows of each patient, by patient id; empty for the one-row form."""
    grouped: list[dict[str, list[Any]]] = []
    for name, needed in ((file.measurement_table, ("patient", "day", "value", "unit")), (file.treatment_table, ("patient", "start"))):
        rows: dict[str, list[Any]] = defaultdict(list)
        table = read_table(folder / name) if name else pd.DataFrame(columns=list(needed))
        faults = [Fault(name, f"no column {column}", f"columns {', '.join(needed)}") for column in needed if column not in table]
        if faults:
            raise InvalidCohort(faults)
        for row in table.to_dict("records"):
            rows[str(row["patient"])].append(row)
        grouped.append(dict(rows))
    return grouped[0], grouped[1]


def digest_of(file: CohortFile, folder: Path) -> str:
    """SHA-256 over the bytes of the cohort file and of its tables, in their order."""
    digest = hashlib.sha256(file.path.read_bytes())
    for name in (file.table, file.measurement_table, file.treatment_table):
        if name:
            digest.update((folder / name).read_bytes())
    return digest.hexdigest()


def required_features(file: CohortFile) -> tuple[str, ...]:
    """The features a patient must have: those the file names, else the NLR where the cohort has one, else the ALC, else none."""
    named = file.required
    mapped = {lab.analyte for lab in file.labs}
    if not named:
        counts = {"alc", "anc"} <= mapped or {"wbc", "lymphocyte_pct", "neutrophil_pct"} <= mapped
        alc = "alc" in mapped or {"wbc", "lymphocyte_pct"} <= mapped
        named = ("nlr",) if "nlr" in mapped or counts or file.tidy else ("alc",) if alc else ()
    return tuple(next(one.name for one in FEATURES.values() if one.analyte == name) for name in named)


class _Reading:
    """One pass over the rows: patients kept, rows left out by reason, and every fault with its rows."""

    def __init__(self, file: CohortFile, required: tuple[str, ...]):
        self.file, self.required = file, required
        self.patients: list[Patient] = []
        self.outcomes: list[Outcome] = []
        self.kept_rows: list[int] = []
        self.left: dict[str, list[Patient | None]] = {}
        self.faulty: dict[tuple[str, str, str], list[tuple[int, str]]] = defaultdict(list)
        self.total = 0

    def row(self, number: int, row: Mapping[Any, object], measurements: Iterable[Any], treatments: Iterable[Any]) -> None:
        self.total += 1
        if reason := excluded(self.file, row):
            self.left.setdefault(reason, []).append(None)
            return
        try:
            outcome = outcome_of(self.file, row)
            patient = patient_of(self.file, row, measurements, treatments)
        except InvalidPatient as error:
            for fault in error.faults:
                self.faulty[fault.field, fault.allowed, fault.likely].append((number, fault.given))
            return
        if reason := self.reason_to_leave(patient, outcome):
            self.left.setdefault(reason, []).append(patient)
        elif outcome is not None:
            self.patients.append(patient)
            self.outcomes.append(outcome)
            self.kept_rows.append(number)

    def reason_to_leave(self, patient: Patient, outcome: Outcome | None) -> str | None:
        if outcome is None:
            return "follow-up missing"
        if reasons := ineligibility(patient):
            return f"{reasons[0].field}: {reasons[0].likely or reasons[0].allowed}"
        if outcome.entered >= outcome.days and outcome.entered > 0:
            return "entered at or after the end of follow-up"
        missing = [name for name in self.required if FEATURES[name].of(patient).status == "not measured"]
        return f"no required input: {', '.join(FEATURES[name].label for name in missing)}" if missing else None

    def raise_faults(self, raw: Sequence[Mapping[Any, object]]) -> None:
        faults = []
        counted = Counter(str(row[self.file.patient]) for row in raw)
        for patient, times in counted.items():
            if times > 1:
                rows = [number for number, row in enumerate(raw) if str(row[self.file.patient]) == patient]
                faults.append(Fault(f"{self.where(rows)}, column {self.file.patient}", f"one patient in {times} rows", "one row a patient"))
        for (place, allowed, likely), found in self.faulty.items():
            given = ", ".join(dict.fromkeys(text for _, text in found[:3]))
            faults.append(Fault(f"{self.where([number for number, _ in found])}, {place}", given, allowed, likely))
        if faults:
            raise InvalidCohort(faults[:200])
        if not self.patients:
            raise InvalidCohort([Fault(self.file.name, f"{self.total} rows, none left after exclusions", "at least one patient")])

    def where(self, rows: Sequence[int]) -> str:
        """Rows as a spreadsheet counts them: the header is row 1."""
        shown = ", ".join(str(row + 2) for row in rows[:_SHOWN])
        return f"{self.file.table} rows {shown}" + (f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else "")

    def cohort(self, digest: str, warnings: Sequence[str], accepted: tuple[str, ...]) -> Cohort:
        entered = np.array([outcome.entered for outcome in self.outcomes])
        follow_up = FollowUp(
            np.array([outcome.days for outcome in self.outcomes]),
            np.array([outcome.died for outcome in self.outcomes]),
            entered if entered.any() else None,
        )
        return Cohort(
            name=self.file.name,
            source=self.file.source,
            digest=digest,
            patients=tuple(self.patients),
            follow_up=follow_up,
            required=self.required,
            flow=self.flow(),
            warnings=(*warnings, *stratum_warnings(self.patients, follow_up)),
            accepted=accepted,
            file=self.file,
        )

    def flow(self) -> tuple[Step, ...]:
        everybody = self.patients + [patient for left in self.left.values() for patient in left if patient is not None]
        steps = [Step("rows read", 0, {"n": float(self.total)} | composition(everybody))]
        remaining, n = everybody, self.total
        for reason, left in self.left.items():
            gone = {id(patient) for patient in left}
            remaining, n = [patient for patient in remaining if id(patient) not in gone], n - len(left)
            steps.append(Step(reason, len(left), {"n": float(n)} | composition(remaining)))
        return tuple(steps)


def composition(patients: Sequence[Patient]) -> dict[str, float]:
    """Who they are in five numbers, for the change that an exclusion makes; shares and medians, NaN-free."""
    if not patients:
        return {}
    ages = [patient.age_years for patient in patients]
    women = [patient.sex == "female" for patient in patients if patient.sex != "unknown"]
    treated = [v for patient in patients if (v := patient.history.prior_systemic_therapy) is not None]
    made = {"median_age": float(np.median(ages))}
    made |= {"share_women": float(np.mean(women))} if women else {}
    made |= {"share_previously_treated": float(np.mean(treated))} if treated else {}
    for analyte in ("nlr", "albumin"):
        values = [found.value for patient in patients if (found := patient.current(analyte)) is not None]
        made |= {f"median_{analyte}": float(np.median(values))} if values else {}
    return made


def stratum_warnings(patients: Sequence[Patient], follow_up: FollowUp) -> list[str]:
    """Warnings that refuse nothing: a tumour with fewer than 20 deaths, unknown sex, a constant history column."""
    warnings = []
    deaths = Counter(patient.tumour for patient, died in zip(patients, follow_up.deaths, strict=True) if died)
    for tumour in sorted({patient.tumour for patient in patients}):
        if deaths[tumour] < 20:
            warnings.append(f"tumour {tumour}: {deaths[tumour]} deaths, fewer than 20; such patients are marked outside the population")
    unknown = sum(patient.sex == "unknown" for patient in patients)
    if unknown:
        warnings.append(f"sex is unknown for {unknown} of {len(patients)} patients")
    known = [patient.history.known() for patient in patients]
    for name in sorted({name for history in known for name in history}):
        values = {history.get(name) for history in known}
        if len(patients) > 1 and len(values) == 1:
            warnings.append(f"{name} is {next(iter(values))} for everybody: it cannot be a feature")
    return warnings


__all__ = ["Cohort", "Step", "composition", "present", "read_cohort", "read_table", "required_features"]
