"""The groups in which a model is judged apart: by tumour, line, CA19-9, lymphocytes, site, sex, age, fitness, missing labs."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from models.analytes import ANALYTES
from models.features import FEATURES, undetectable
from models.patient import Patient
from models.population import prior_line
from models.tumours import CA19_9_TUMOURS, LABELS

UNKNOWN, LIMIT, MISSING = "not known", "known only as a limit", "not measured"
LAST_LINE = 6  # lines beyond are one group
ALC_EDGES = (0.5, 0.8, 1.0, 1.2, 1.5)  # 10*9/L; every cut-off in circulation is an edge (clinical.md section 1)
ALC_BANDS = ("below 0.5", "0.5 to 0.8", "0.8 to 1.0", "1.0 to 1.2", "1.2 to 1.5", "1.5 or more")
CA19_9_EDGES = (37.0, 1000.0, 2183.0, 10000.0)  # U/mL: the upper limit of normal; 2,183 is 59 times it (MPACT)
CA19_9_BANDS = ("up to 37", "37 to 1,000", "1,000 to 2,183", "2,183 to 10,000", "above 10,000")
OLD = 75.0  # years
BANDED = ("alc", "ca19_9", "ecog")  # grouped by their values, the missing among them
_ENDINGS = {1: "st", 2: "nd", 3: "rd"}


@dataclass(frozen=True)
class Grouping:
    """What patients are grouped by, and the group of each; None belongs to no group, because the question does not apply.

    `levels` says in which order groups are told; those that are not in it follow by name.
    """

    by: str
    level: Callable[[Patient], str | None]
    levels: tuple[str, ...] = ()


def groupings(features: Sequence[str], patients: Sequence[Patient]) -> tuple[Grouping, ...]:
    """The groupings of an evaluation: those of every cohort, its audit columns, and each lab of the model's `features`."""
    audited = sorted({name for patient in patients for name in patient.audit})
    asked = (FEATURES[name].analyte for name in features if name in FEATURES)
    labs = dict.fromkeys(analyte for analyte in asked if analyte and analyte not in BANDED)
    return (*BY, *(_audit(name) for name in audited), *(_missing(analyte) for analyte in labs))


def _line(patient: Patient) -> str:
    lines = patient.history.prior_lines
    if lines is None:
        return {"yes": "treated before, number of lines not known", "no": _ordinal(1)}.get(prior_line(patient), UNKNOWN)
    return _ordinal(int(lines) + 1)


def _ordinal(line: int) -> str:
    if line > LAST_LINE:
        return f"{LAST_LINE + 1}th line or later"
    return f"{line}{_ENDINGS.get(line, 'th')} line"


def _ca19_9(patient: Patient) -> str | None:
    if patient.tumour not in CA19_9_TUMOURS:
        return None
    found = patient.current("ca19_9")
    if found is None:
        return MISSING
    if undetectable(found):
        return "undetectable"
    if found.limit:
        return CA19_9_BANDS[-1] if found.value >= CA19_9_EDGES[-1] else LIMIT
    return CA19_9_BANDS[bisect_left(CA19_9_EDGES, found.value)]


def _alc(patient: Patient) -> str:
    found = patient.current("alc")
    if found is None:
        return MISSING
    decided = found.value <= ALC_EDGES[0] if found.limit == "<" else found.value >= ALC_EDGES[-1]
    if found.limit and not decided:
        return LIMIT
    return ALC_BANDS[0] if found.limit == "<" else ALC_BANDS[bisect_right(ALC_EDGES, found.value)]


def _ecog(patient: Patient) -> str:
    found = patient.current("ecog")
    return MISSING if found is None else f"{found.value:g}"


def _audit(name: str) -> Grouping:
    return Grouping(f"{name} (audit only)", lambda patient: patient.audit.get(name) or UNKNOWN)


def _missing(analyte: str) -> Grouping:
    def level(patient: Patient) -> str | None:
        return MISSING if patient.current(analyte) is None else None

    return Grouping(ANALYTES[analyte].label, level)


SITE = Grouping("site", lambda patient: patient.site or UNKNOWN)
BY = (
    Grouping("tumour", lambda patient: LABELS.get(patient.tumour, patient.tumour)),
    Grouping("line", _line),
    Grouping("CA19-9 (U/mL)", _ca19_9, ("undetectable", *CA19_9_BANDS, LIMIT, MISSING)),
    Grouping("ALC (10*9/L)", _alc, (*ALC_BANDS, LIMIT, MISSING)),
    SITE,
    Grouping("sex", lambda patient: patient.sex),
    Grouping("age", lambda patient: "75 or older" if patient.age_years >= OLD else "under 75"),
    Grouping("ECOG", _ecog),
)
