"""A cohort file to fill in: what a table's columns may be is proposed, what their units are is left to a human."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from models.analytes import ANALYTES
from models.example import SIMULATED, made_by_simulation
from models.history import HISTORY_FIELDS
from training.reading.tables import Table, read_table

# how the name of a column begins that may hold an analyte, in words
_BEGINS: Mapping[str, tuple[str, ...]] = {
    "alc": ("alc", "lymphocyte", "lymphocytes", "lymphs"),
    "anc": ("anc", "neutrophil", "neutrophils", "neuts"),
    "wbc": ("wbc", "wblc", "leukocytes", "leucocytes", "white"),
    "lymphocyte_pct": ("lymphocyte", "lymphocytes", "lymphs"),
    "neutrophil_pct": ("neutrophil", "neutrophils", "neuts"),
    "nlr": ("nlr",),
    "monocytes": ("monocytes", "monocyte"),
    "ca19_9": ("ca19", "ca199", "ca 19", "ca 199"),
    "albumin": ("albumin", "alb"),
    "ldh": ("ldh",),
    "crp": ("crp",),
    "hemoglobin": ("hemoglobin", "haemoglobin", "hgb", "hb"),
    "platelets": ("platelets", "platelet", "plt"),
    "bilirubin": ("bilirubin", "bili"),
    "creatinine": ("creatinine", "crea"),
    "sodium": ("sodium", "sod"),
    "ecog": ("ecog",),
    "karnofsky": ("karnofsky", "kps"),
    "weight": ("weight", "wt"),
    "bmi": ("bmi",),
}
_PERCENT = frozenset({"pct", "percent", "perc"})
# a column that says something about a measurement, and is none
_ABOUT = frozenset(
    {"cat", "category", "change", "code", "constant", "date", "day", "days", "flag", "grade"}
    | {"limit", "loss", "placeholder", "uln", "unit"}
)
_FIELDS = {
    "age_years": r"age\b",
    "sex": r"(sex|gender)\b",
    "tumour": r"((tumou?r|cancer|primary)( (type|site|entity))?|histology)$",
}
_PATIENT = r"(patient|subject|person|study|case)?( (id|no|nr|number|name))?$"
_HEAD = """\
# A draft: nothing here has been checked. Fill in every "" (units above all: they are never guessed), remove what is not known on
# the index date, and look at what was proposed. Then: lymphorisk check {name}.toml
name = {name_quoted}
source = {source}
table = {table}
patient = {patient}
missing = []                                   # sentinels of the source, such as -999

[follow_up]                                    # from the index date; not needed to score
time = {{ column = "", unit = "" }}              # d, wk, mo (30.4375 d), a
died = {{ column = "" }}                         # 1/0, true/false, or {{ column = "", yes = "Dead" }}
"""


def draft_of(table: Path) -> str:
    """The draft of a cohort file for `table`: every column is listed once, mapped or in a comment with its share of empty cells.

    As it is written it is refused, naming each blank. Raises InvalidCohort where there is no table to be read.
    """
    read = read_table(table)
    free = list(read.columns)
    patient = _take(free, lambda words: bool(words) and re.fullmatch(_PATIENT, words) is not None)
    names = {"name": table.stem, "name_quoted": _quoted(table.stem), "table": _quoted(table.name), "patient": _quoted(patient)}
    names["source"] = _quoted(SIMULATED if made_by_simulation(table.stem, table.parent) else "")
    parts = [_HEAD.format(**names), *_fields(free), "", *_labs(free), "", *_history(free), ""]
    unmapped = [f"# {_quoted(column)}  {_empty(read, column):.0%}" for column in free]
    return "\n".join([*parts, "# Columns that are not mapped (share of empty cells):", *unmapped, ""])


def _quoted(text: str) -> str:
    """A TOML string: every JSON string is one."""
    return json.dumps(text, ensure_ascii=False)


def _words(column: str) -> str:
    """A column's name in small words: "CA19-9 (U/mL)" is "ca19 9 u ml"."""
    return " ".join(re.findall(r"[a-z0-9]+", column.lower()))


def _take(free: list[str], fits: Callable[[str], bool]) -> str:
    """The first free column whose words fit, no longer free; empty where there is none."""
    found = next((column for column in free if fits(_words(column))), "")
    if found:
        free.remove(found)
    return found


def _empty(table: Table, column: str) -> float:
    cells = [line.row[column] for line in table.lines]
    return sum(cell is None or not str(cell).strip() for cell in cells) / max(len(cells), 1)


def _fields(free: list[str]) -> Iterator[str]:
    yield "[patient_fields]"
    for field, pattern in _FIELDS.items():
        found = _take(free, lambda words, pattern=pattern: re.match(pattern, words) is not None)  # type: ignore[misc]
        yield f"{field} = {_quoted(found)}" if found or field != "sex" else '# sex = ""'


def _labs(free: list[str]) -> Iterator[str]:
    yield "[measurements]                                 # analyte = column + UCUM unit"
    for analyte in _BEGINS:
        if found := _take(free, lambda words, analyte=analyte: _may_hold(words, analyte)):  # type: ignore[misc]
            limit = ', uln = ""' if analyte == "ldh" else ""
            yield f'{analyte} = {{ column = {_quoted(found)}, unit = ""{limit} }}   # {ANALYTES[analyte].label}'


def _may_hold(words: str, analyte: str) -> bool:
    share = bool(_PERCENT & set(words.split()))
    begins = any(words == begin or words.startswith(f"{begin} ") for begin in _BEGINS[analyte])
    return begins and share == analyte.endswith("_pct") and not _ABOUT & set(words.split())


def _history(free: list[str]) -> Iterator[str]:
    yield "[treatment_history]                            # yes / no / unknown, or numbers"
    for field in HISTORY_FIELDS:
        if found := _take(free, lambda words, field=field: words == _words(field)):  # type: ignore[misc]
            yield f"{field} = {_quoted(found)}"
