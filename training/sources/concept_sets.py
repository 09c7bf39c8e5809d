"""Which codes of a source mean which quantity, diagnosis or drug: a table that a person can review, each code with its source.

The product's own table is `concepts/concepts.csv`; a site adds rows of its own in a file of the same columns, for local codes
above all. The number of a concept in OMOP is kept where it is known: with it a source without vocabularies can be read.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from models.analytes import ANALYTES
from models.fault import Fault
from models.fhir.drugs import drugs_named
from models.history import OUTCOMES
from models.mapping import InvalidCohort
from models.text_table import text_table
from models.tumours import HAEMATOLOGICAL, TUMOURS

FILE = Path(__file__).parent / "concepts" / "concepts.csv"
COLUMNS = ("kind", "vocabulary", "code", "concept_id", "means", "source")
SECONDARY, OF_THE_LIVER, NO_CANCER = "secondary", "secondary of the liver", "no cancer"
PROCEDURES = ("chemotherapy", "radiotherapy", "surgery")
_MEANINGS: dict[str, frozenset[str]] = {
    "measurement": frozenset(ANALYTES),
    "operator": frozenset({"<", "<=", "=", ">", ">="}),
    "condition": frozenset({*TUMOURS, HAEMATOLOGICAL, SECONDARY, OF_THE_LIVER, NO_CANCER}),
    "procedure": frozenset(PROCEDURES),
    "status": frozenset(OUTCOMES),
}
KINDS = (*_MEANINGS, "unit", "drug")


class Concept(NamedTuple):
    """One row: `code` of `vocabulary`, or OMOP's `concept_id`, means `means`; 0 and "" where it is not told."""

    kind: str
    vocabulary: str
    code: str
    concept_id: int
    means: str
    source: str


def concepts(*more: Path) -> tuple[Concept, ...]:
    """The product's rows and those of the files of a site. Raises InvalidCohort naming every row that cannot be read."""
    faults: list[Fault] = []
    read = [one for path in (FILE, *more) for one in _read(path, faults)]
    known: dict[tuple[str, str, str, int], str] = {}
    for one in read:
        key = one.kind, one.vocabulary, one.code, one.concept_id
        if known.setdefault(key, one.means) != one.means:
            faults.append(Fault(f"{one.kind} {one.vocabulary} {one.code}", one.means, f"one meaning: {known[key]}"))
    if faults:
        raise InvalidCohort(faults)
    return tuple(read)


def _read(path: Path, faults: list[Fault]) -> Iterator[Concept]:
    if not path.is_file():
        faults.append(Fault(str(path), "no such file", "a CSV with the columns " + ", ".join(COLUMNS)))
        return
    table = text_table(path)
    if missing := [column for column in COLUMNS if column not in table.columns]:
        faults.append(Fault(path.name, f"no column {', '.join(missing)}", "the columns " + ", ".join(COLUMNS)))
        return
    for row in table.rows:
        cells = {name: row.cells[name].strip() for name in COLUMNS}
        if fault := _fault(cells):
            faults.append(Fault(f"{path.name}, row {row.number}: {fault.field}", fault.given, fault.allowed))
        else:
            yield Concept(**cells | {"concept_id": int(cells["concept_id"] or 0)})  # type: ignore[arg-type]


def _fault(cells: dict[str, str]) -> Fault | None:
    kind, means = cells["kind"], cells["means"]
    if kind not in KINDS:
        return Fault("kind", kind, "one of " + ", ".join(KINDS))
    if means not in _MEANINGS.get(kind, {means}) or not means or (kind == "drug" and not drugs_named(means)):
        allowed = _MEANINGS.get(kind) or {"a unit, or the name of a drug that is known"}
        return Fault("means", means, "one of " + ", ".join(sorted(allowed)))
    if not cells["concept_id"].isdecimal() and (cells["concept_id"] or not (cells["vocabulary"] and cells["code"])):
        return Fault("concept_id", cells["concept_id"], "a whole number, or a vocabulary and a code")
    return None if cells["source"] else Fault("source", "nothing", "where the code comes from: a code keeps its source")
