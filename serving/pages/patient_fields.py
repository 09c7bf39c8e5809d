"""The fields in which a patient is entered: which measurements there are, in which units they may come, what may be chosen.

No unit stands in a field before somebody chose it. Where a quantity has but one unit (a ratio, a percentage, a grade), it stands
beside the field and there is nothing to choose.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from models.analytes import ANALYTES
from models.courses import MODALITIES
from models.history import FLAGS, OUTCOMES
from models.measurements import UPPER_LIMITS
from models.tumours import LABELS, TUMOURS
from serving.pages.words import say

BLOOD = ("alc", "anc", "nlr", "wbc", "lymphocyte_pct", "neutrophil_pct", "monocytes", "hemoglobin", "platelets")
CHEMISTRY = ("ca19_9", "albumin", "crp", "ldh", "bilirubin", "creatinine", "sodium")
STATUS = ("ecog", "karnofsky", "weight", "bmi")
MEASURED = (*BLOOD, *CHEMISTRY, *STATUS)
OFFERED = 6  # units of each analyte: the first of its list are those that laboratories print
ONE_UNIT: Mapping[str, str] = {
    **{"nlr": "1", "lymphocyte_pct": "%", "neutrophil_pct": "%"},
    **{"ecog": "{score}", "karnofsky": "{score}"},
}
WITH_LIMIT = tuple(name for name in CHEMISTRY if name in UPPER_LIMITS and name != "creatinine")
NUMBERS = ("prior_lines", "days_since_radiotherapy", "months_on_therapy", "last_line_months", "metastatic_sites")
ANSWERS = ("yes", "no", "unknown")
TREATED = ("modality", "line", "agents", "start", "end", "outcome")
LEAST_ROWS, MOST_ROWS = 2, 20  # of treatments
PERSON = ("as_of", "index_date", "id", "age_years", "sex", "tumour", "compared_with")


@dataclass(frozen=True)
class Lab:
    """One measurement of the form; `unit` is the only one there is, or none where one is to be chosen from `units`."""

    name: str
    label: str
    unit: str
    units: tuple[str, ...]
    limited: bool  # whether the laboratory's upper limit of normal may stand beside it


@dataclass(frozen=True)
class Choice:
    """Something to be chosen: the word on the wire, and what it is called."""

    value: str
    label: str


def labs(names: tuple[str, ...]) -> list[Lab]:
    """The measurements of these names, in their order."""
    return [
        Lab(name, ANALYTES[name].label, ONE_UNIT.get(name, ""), tuple(ANALYTES[name].units)[:OFFERED], name in WITH_LIMIT)
        for name in names
    ]


def tumours() -> list[Choice]:
    """The closed list, by the names that people know."""
    return sorted((Choice(name, LABELS.get(name, name)) for name in TUMOURS), key=lambda one: one.label)


def choices(words: tuple[str, ...]) -> list[Choice]:
    """What may be chosen of a list of words on the wire, as the page calls them."""
    return [Choice(word, say("patient", word.replace("-", "_"))) for word in words]


def called(name: str) -> str:
    """What a field is called, for whoever has to find it."""
    row = re.fullmatch(r"t(\d+)_(\w+)", name)
    if row:
        return f"{say('patient', 'treatment', number=int(row[1]) + 1)}, {say('patient', row[2])}"
    lab, _, part = name.rpartition("_")
    if name in ANALYTES:
        return ANALYTES[name].label
    if lab in ANALYTES and part in _PARTS:
        return say("patient", _PARTS[part], label=ANALYTES[lab].label)
    return say("patient", _SHORTLY.get(name, name))


_SHORTLY = {"draws": "draws_called"}
_PARTS = {"unit": "unit_of", "date": "day_of", "uln": "limit_of"}
SEXES = ("female", "male", "unknown")
MODALITY_CHOICES, OUTCOME_CHOICES, FLAG_NAMES = MODALITIES, OUTCOMES, FLAGS
