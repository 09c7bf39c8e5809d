"""The treatment history in summary: how many lines, what kinds, how the last one went, what confounds a blood count today."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from models.fault import Fault

Known = float | str | None

OUTCOMES = ("progression", "response", "stable", "toxicity", "completed", "unknown")
_FLAG_WORDS = {"yes": 1.0, "y": 1.0, "true": 1.0, "1": 1.0, "1.0": 1.0, "no": 0.0, "n": 0.0, "false": 0.0, "0": 0.0, "0.0": 0.0}
_UNKNOWN_WORDS = frozenset({"", "unknown", "none", "na", "nan", "u"})


@dataclass(frozen=True, slots=True)
class History:
    """What is known in summary on the index date; None is "unknown", never "no"."""

    prior_lines: float | None = None  # completed or failed systemic lines for advanced disease
    prior_systemic_therapy: float | None = None  # 1 yes, 0 no
    prior_chemotherapy: float | None = None
    prior_radiotherapy: float | None = None
    prior_immunotherapy: float | None = None
    days_since_radiotherapy: float | None = None  # days from the end of the last course to the index date
    months_on_therapy: float | None = None  # months on systemic therapy before the index date
    last_line_months: float | None = None
    last_line_outcome: str | None = None  # one of OUTCOMES
    steroids_14d: float | None = None  # within 14 days before the index date
    gcsf_14d: float | None = None
    infection_14d: float | None = None
    liver_metastases: float | None = None
    metastatic_sites: float | None = None

    def known(self) -> dict[str, float | str]:
        """The fields that are known."""
        pairs = ((f.name, getattr(self, f.name)) for f in fields(self))
        return {name: value for name, value in pairs if value is not None}

    def filled_by(self, other: History) -> History:
        """Every field of `other` where it is known, else this one's."""
        return replace(self, **other.known())  # type: ignore[arg-type]  # known() keeps each field's own type


FLAGS = tuple(
    name
    for name in History.__annotations__
    if name.startswith("prior_") and name != "prior_lines" or name.endswith("_14d") or name == "liver_metastases"
)
NUMBERS: Mapping[str, tuple[float, float]] = {  # allowed range of each number
    "prior_lines": (0, 30),
    "days_since_radiotherapy": (0, 36525),
    "months_on_therapy": (0, 600),
    "last_line_months": (0, 600),
    "metastatic_sites": (0, 50),
}
HISTORY_FIELDS = tuple(History.__annotations__)


def read_history(given: Mapping[str, object], where: Mapping[str, str], faults: list[Fault]) -> History:
    """The summary as given; unreadable fields are added to `faults` and left unknown.

    Flags take yes / no / unknown, true / false or 1 / 0. Having had no systemic therapy is having had no prior line.
    """
    read: dict[str, Known] = {}
    for name, value in given.items():
        field = where.get(name, name)
        if name in FLAGS:
            read[name] = _flag(value, field, faults)
        elif name in NUMBERS:
            read[name] = _number(value, field, NUMBERS[name], faults)
        elif name == "last_line_outcome":
            read[name] = _outcome(value, field, faults)
        else:
            faults.append(Fault(field, name, "one of " + ", ".join(HISTORY_FIELDS)))
    return _completed(read, where, faults)


def _completed(read: dict[str, Known], where: Mapping[str, str], faults: list[Fault]) -> History:
    lines, therapy = read.get("prior_lines"), read.get("prior_systemic_therapy")
    if lines is not None and therapy is not None and (float(lines) > 0) != (float(therapy) > 0):
        field = where.get("prior_systemic_therapy", "prior_systemic_therapy")
        faults.append(Fault(field, "yes" if therapy else "no", "what prior_lines says"))
    if lines is not None and therapy is None:
        read["prior_systemic_therapy"] = float(float(lines) > 0)
    if read.get("days_since_radiotherapy") is not None and read.get("prior_radiotherapy") is None:
        read["prior_radiotherapy"] = 1.0
    return History(**read)  # type: ignore[arg-type]  # each field was read by its own kind above


def _flag(value: object, field: str, faults: list[Fault]) -> float | None:
    word = "" if value is None else str(value).strip().lower()
    if word in _UNKNOWN_WORDS:
        return None
    if word not in _FLAG_WORDS:
        faults.append(Fault(field, str(value), "yes, no or unknown"))
    return _FLAG_WORDS.get(word)


def _number(value: object, field: str, allowed: tuple[float, float], faults: list[Fault]) -> float | None:
    if value is None or str(value).strip().lower() in _UNKNOWN_WORDS:
        return None
    try:
        number = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]  # refused just below
    except (TypeError, ValueError):
        number = math.nan
    if not allowed[0] <= number <= allowed[1]:
        faults.append(Fault(field, str(value), f"a number from {allowed[0]:g} to {allowed[1]:g}"))
        return None
    return number


def _outcome(value: object, field: str, faults: list[Fault]) -> str | None:
    word = "" if value is None else str(value).strip().lower()
    word = "progression" if word in ("pd", "progressed", "progressive disease") else word
    if word in _UNKNOWN_WORDS:
        return None
    if word not in OUTCOMES:
        faults.append(Fault(field, str(value), "one of " + ", ".join(OUTCOMES)))
        return None
    return word
