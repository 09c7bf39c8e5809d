"""A cohort file to fill in: what a table's columns may be is proposed, what their units are is left to a human."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from models.analytes import ANALYTES
from models.history import HISTORY_FIELDS
from training.tables import read_table

# usual beginnings of column names, longest first where one begins another
_WORDS: Mapping[str, tuple[str, ...]] = {
    "alc": ("alc", "lymphocyte", "lymph"),
    "anc": ("anc", "neutrophil", "neut"),
    "wbc": ("wbc", "leukocyte", "leucocyte"),
    "nlr": ("nlr",),
    "ca19_9": ("ca19", "ca_19", "ca199"),
    "albumin": ("alb",),
    "ldh": ("ldh",),
    "crp": ("crp",),
    "hemoglobin": ("hemoglobin", "haemoglobin", "hgb", "hb"),
    "platelets": ("plt", "platelet"),
    "bilirubin": ("bili",),
    "creatinine": ("crea",),
    "sodium": ("sodium", "sod", "na_"),
    "monocytes": ("mono",),
    "ecog": ("ecog",),
    "karnofsky": ("kps", "karno"),
    "weight": ("weight_kg", "weight_lb"),
    "bmi": ("bmi",),
}
_HEAD = """# A draft: nothing here has been checked. Fill in every "" (units above all: they are never guessed), remove what is not known on
# the index date, then run: lymphorisk check {name}.toml
name = "{name}"
source = ""
table = "{table}"
patient = "{patient}"
missing = []                                   # sentinels of the source, such as -999

[follow_up]                                    # from the index date; not needed to score
time = {{ column = "", unit = "" }}              # d, wk, mo (30.4375 d), a
died = {{ column = "" }}                         # 1/0, true/false, or {{ column = "", yes = "Dead" }}
"""


def draft_of(table: Path) -> str:
    """The draft of a cohort file for `table`: every column is listed once, mapped or as a comment with its share of empty cells."""
    frame = read_table(table)
    columns = [str(column) for column in frame.columns]
    taken: dict[str, str] = {}
    patient = next((c for c in columns if re.search(r"(patient|subject|person).*id|^id$", c.lower())), "")
    sections = [_HEAD.format(name=table.stem, table=table.name, patient=patient), _fields(columns, taken), _labs(columns, taken)]
    sections.append(_history(columns, taken))
    rest = [column for column in columns if column not in taken and column != patient]
    sections.append("# Columns not mapped above (share of empty cells):\n" + "".join(f"# {c}  {_empty(frame, c):.0%}\n" for c in rest))
    return "\n".join(sections)


def _empty(frame: pd.DataFrame, column: str) -> float:
    cells = frame[column]
    return float((cells.isna() | (cells.astype(str).str.strip() == "")).mean())


def _fields(columns: list[str], taken: dict[str, str]) -> str:
    lines = ["[patient_fields]"]
    for field, pattern in (("age_years", r"^age"), ("sex", r"^(sex|gender)"), ("tumour", r"tumou?r|cancer_type|histology")):
        found = next((c for c in columns if re.search(pattern, c.lower()) and c not in taken), "")
        taken[found] = field
        lines.append(f'{field} = "{found}"' if found or field != "sex" else f'# {field} = ""')
    return "\n".join([*lines, ""])


def _labs(columns: list[str], taken: dict[str, str]) -> str:
    lines = ["[measurements]                                 # analyte = column + UCUM unit"]
    for analyte, words in _WORDS.items():
        found = next((c for c in columns if c.lower().startswith(words) and c not in taken), "")
        if found:
            taken[found] = analyte
            uln = ', uln = ""' if analyte == "ldh" else ""
            lines.append(f'{analyte} = {{ column = "{found}", unit = ""{uln} }}   # {ANALYTES[analyte].label}')
    return "\n".join([*lines, ""])


def _history(columns: list[str], taken: dict[str, str]) -> str:
    lines = ["[treatment_history]                            # yes / no / unknown, or numbers"]
    for field in HISTORY_FIELDS:
        if field in columns:
            taken[field] = field
            lines.append(f'{field} = "{field}"')
    return "\n".join([*lines, ""])
