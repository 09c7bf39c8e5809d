"""The CSVs of the mCODE extraction framework become FHIR resources, and with them a cohort: one reading for both.

Files are known by their names, as the framework's samples have them; the columns that are read are those below, every other file
and column is told. Record numbers name people: they are replaced by numbers of this import, and kept nowhere.

References
----------
mCODE extraction framework 2.3 (Apache-2.0), CSV templates. mCODE (STU 4, 2024).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from models.fault import Fault
from models.fhir.treatments import DISEASE_STATUS
from models.mapping import InvalidCohort
from models.text_table import RaggedRow, TextRow, column_names, text_rows
from training.sources.account import Account
from training.sources.database import DuckDb, readable
from training.sources.fhir.files import SORTED, Body, Sorted
from training.sources.fhir.imported import of_sorted
from training.sources.imported import Wanted, require_free

Cells = Mapping[str, str]
Say = Callable[[str], None]
_LOINC, _SNOMED = "http://loinc.org", "http://snomed.info/sct"
_RESULT = re.compile(r"([<>]=?)?\s*(-?\d+(?:\.\d+)?)(?:\s+(\S.{0,39}))?", re.ASCII)


def _coded(code: str, system: str, display: str) -> Body:
    return {"coding": [{"system": system or _SNOMED, "code": code, "display": display}]}


def _patient(row: Cells) -> Body:
    return {"resourceType": "Patient", "gender": row["gender"], "birthDate": row["dateOfBirth"]}


def _condition(row: Cells) -> Body:
    told = (row[name] for name in ("clinicalStatus", "verificationStatus"))
    status, verified = ({"coding": [{"code": code}]} if code else {} for code in told)
    return {
        "resourceType": "Condition", "code": _coded(row["code"], row["codeSystem"], row["displayName"]),
        "recordedDate": row["dateOfDiagnosis"], "clinicalStatus": status, "verificationStatus": verified,
    }


def _observation(row: Cells) -> Body:
    body: dict[str, object] = {
        "resourceType": "Observation", "status": row["status"], "effectiveDateTime": row["effectiveDate"],
        "code": _coded(row["code"], row["codeSystem"], row["displayName"]),
    }
    if row["valueCodeSystem"]:
        return body | {"valueCodeableConcept": _coded(row["value"], row["valueCodeSystem"], "")}
    found = _RESULT.fullmatch(row["value"].strip())
    if found is None:
        return body
    sign = {"comparator": found[1]} if found[1] else {}
    return body | {"valueQuantity": {"value": float(found[2]), "unit": found[3] or ""} | sign}


def _status(row: Cells) -> Body:
    return {
        "resourceType": "Observation", "status": row["observationStatus"] or "final",
        "effectiveDateTime": row["dateOfObservation"],
        "code": _coded(DISEASE_STATUS, _LOINC, ""), "valueCodeableConcept": _coded(row["diseaseStatusCode"], _SNOMED, ""),
    }


def _given(row: Cells) -> Body:
    period = {name: row[column] for name, column in (("start", "startDate"), ("end", "endDate")) if row[column]}
    return {
        "resourceType": "MedicationAdministration", "status": row["status"], "effectivePeriod": period,
        "medicationCodeableConcept": _coded(row["code"], row["codeSystem"], row["displayText"]),
    }


def _ordered(row: Cells) -> Body:
    return {
        "resourceType": "MedicationRequest", "status": row["status"], "intent": row["intent"], "authoredOn": row["authoredOn"],
        "medicationCodeableConcept": _coded(row["code"], row["codeSystem"], row["displayText"]),
    }


def _procedure(row: Cells) -> Body:
    return {
        "resourceType": "Procedure", "status": row["status"], "performedDateTime": row["effectiveDate"],
        "code": _coded(row["code"], row["codeSystem"], row["displayName"]),
    }


FILES: Mapping[str, tuple[tuple[str, ...], Callable[[Cells], Body]]] = {
    "patient-information": (("gender", "dateOfBirth"), _patient),
    "condition-information": (
        ("code", "codeSystem", "displayName", "dateOfDiagnosis", "clinicalStatus", "verificationStatus"), _condition),
    "observation-information": (
        ("status", "code", "codeSystem", "displayName", "value", "valueCodeSystem", "effectiveDate"), _observation),
    "cancer-disease-status-information": (("diseaseStatusCode", "dateOfObservation", "observationStatus"), _status),
    "cancer-related-medication-administration-information": (
        ("code", "codeSystem", "displayText", "startDate", "endDate", "status"), _given),
    "cancer-related-medication-request-information": (
        ("code", "codeSystem", "displayText", "authoredOn", "status", "intent"), _ordered),
    "procedure-information": (("status", "code", "codeSystem", "displayName", "effectiveDate"), _procedure),
}


def import_csvs(source: Path, wanted: Wanted, threads: int = 2, memory: str = "2GB", say: Say = lambda _: None) -> Account:
    """The cohort of a folder of CSVs. Raises InvalidCohort naming every file and column that is missing."""
    require_free(wanted.out)
    _require(source)
    wanted.out.parent.mkdir(parents=True, exist_ok=True)
    with (
        readable(),
        TemporaryDirectory(dir=wanted.out.parent, prefix=".import-") as name,
        closing(DuckDb(Path(name), threads, memory)) as work,
    ):
        found = Sorted()
        work.fill("sorted", SORTED, _resources(source, found))
        return of_sorted(work, found, wanted, "mCODE CSVs", say)


def _require(source: Path) -> None:
    faults = []
    for name, (columns, _) in FILES.items():
        path = source / f"{name}.csv"
        if path.is_file():
            header = column_names(path)
            faults += [Fault(path.name, f"no column {column}", "the columns of the framework's template")
                       for column in ("mrn", *columns) if column not in header]
        elif name == "patient-information":
            faults.append(Fault(str(path), "no such file", "a folder with the CSVs of the mCODE extraction framework"))
    if faults:
        raise InvalidCohort(faults)


def _resources(source: Path, found: Sorted) -> Iterator[tuple[object, ...]]:
    numbers: dict[str, str] = {}
    for path in sorted(source.glob("*.csv")):
        if path.stem not in FILES:
            found.kinds[path.name] += (lines := _lines(path))
            found.unread[f"{path.name}: a file that is not read"] += lines
            continue
        _, made = FILES[path.stem]
        for row in text_rows(path):
            found.kinds[path.name] += 1
            if why := _why_unread(row):
                found.unread[f"{path.name}: {why}"] += 1
            elif isinstance(row, TextRow):
                cells = {name: cell.strip() for name, cell in row.cells.items()}
                person = numbers.setdefault(cells["mrn"], f"m{len(numbers) + 1:06d}")
                id = person if path.stem == "patient-information" else f"{path.stem[:24]}-{row.number}"
                subject = {"id": id, "subject": {"reference": f"Patient/{person}"}}
                yield person, row.number, "", json.dumps({**made(cells), **subject})


def _why_unread(row: TextRow | RaggedRow) -> str:
    if isinstance(row, RaggedRow):
        return "more or fewer cells than the header"
    return "" if row.cells["mrn"].strip() else "it does not say of whom it is"


def _lines(path: Path) -> int:
    """Lines below the first: of a file that is not read nobody knows more."""
    with path.open("rb") as file:
        return max(sum(1 for line in file if line.strip()) - 1, 0)
