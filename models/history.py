"""The treatment history in summary: how many lines, what kinds, how the last one went, what confounds a blood count today."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from models.fault import Fault
from models.reading import read

Known = float | str | None

OUTCOMES = ("progression", "response", "stable", "toxicity", "completed", "unknown")
FLAG_WORDS = {"yes": 1.0, "y": 1.0, "true": 1.0, "1": 1.0, "1.0": 1.0, "no": 0.0, "n": 0.0, "false": 0.0, "0": 0.0, "0.0": 0.0}
OUTCOME_WORDS = {
    "pd": "progression",
    "progressed": "progression",
    "progressive disease": "progression",
    "cr": "response",
    "pr": "response",
    "complete response": "response",
    "partial response": "response",
    "sd": "stable",
    "stable disease": "stable",
}
UNKNOWN_WORDS = frozenset({"", "unknown", "none", "na", "nan", "u"})


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
        return {name: value for name in HISTORY_FIELDS if (value := getattr(self, name)) is not None}

    def filled_by(self, other: History) -> History:
        """Every field of `other` where it is known, else this one's."""
        return replace(self, **other.known())  # type: ignore[arg-type]  # known() keeps each field's own type


FLAGS = tuple(
    name
    for name in History.__annotations__
    if (name.startswith("prior_") and name != "prior_lines") or name.endswith("_14d") or name == "liver_metastases"
)
NUMBERS: Mapping[str, tuple[float, float]] = {  # allowed range of each number
    "prior_lines": (0, 30),
    "days_since_radiotherapy": (0, 36525),
    "months_on_therapy": (0, 600),
    "last_line_months": (0, 600),
    "metastatic_sites": (0, 50),
}
COUNTED = frozenset({"prior_lines", "metastatic_sites"})  # whole numbers
HISTORY_FIELDS = tuple(History.__annotations__)


def read_history(given: Mapping[str, object], where: Mapping[str, str], faults: list[Fault]) -> History:
    """The summary as given; unreadable fields are added to `faults` and left unknown.

    Flags take yes / no / unknown, true / false or 1 / 0. Having had no systemic therapy is having had no prior line.
    """
    known: dict[str, Known] = {}
    for name, value in given.items():
        field = where.get(name, name)
        if name in FLAGS:
            known[name] = _flag(value, field, faults)
        elif name in NUMBERS:
            known[name] = _number(value, field, name, faults)
        elif name == "last_line_outcome":
            known[name] = _outcome(value, field, faults)
        else:
            faults.append(Fault(field, name, "one of " + ", ".join(HISTORY_FIELDS)))
    return _completed(known, where, faults)


def _completed(known: dict[str, Known], where: Mapping[str, str], faults: list[Fault]) -> History:
    lines, therapy = known.get("prior_lines"), known.get("prior_systemic_therapy")
    if lines is not None and therapy is not None and (float(lines) > 0) != (float(therapy) > 0):
        field = where.get("prior_systemic_therapy", "prior_systemic_therapy")
        faults.append(Fault(field, "yes" if therapy else "no", "what prior_lines says"))
    faults += _contradictions(known, where)
    if lines is not None and therapy is None:
        known["prior_systemic_therapy"] = float(float(lines) > 0)
    if lines is None and therapy == 0:
        known["prior_lines"] = 0.0
    if known.get("days_since_radiotherapy") is not None and known.get("prior_radiotherapy") is None:
        known["prior_radiotherapy"] = 1.0
    return History(**known)  # type: ignore[arg-type]  # each field was read by its own kind above


def _contradictions(known: Mapping[str, Known], where: Mapping[str, str]) -> Iterator[Fault]:
    """What only somebody with a prior line or with radiotherapy can have, of somebody who had none."""
    if 0 in (known.get("prior_lines"), known.get("prior_systemic_therapy")):
        for name in ("months_on_therapy", "last_line_months", "last_line_outcome"):
            if known.get(name) not in (None, 0, "unknown"):
                yield Fault(where.get(name, name), "another", "nothing, or 0 months, since there was no prior line")
    if known.get("prior_radiotherapy") == 0 and known.get("days_since_radiotherapy") is not None:
        name = "days_since_radiotherapy"
        yield Fault(where.get(name, name), "a number", "nothing, since there was no radiotherapy")


def _flag(value: object, field: str, faults: list[Fault]) -> float | None:
    word = "" if value is None else str(value).strip().lower()
    if word in UNKNOWN_WORDS:
        return None
    if word not in FLAG_WORDS:
        faults.append(Fault(field, str(value), "yes, no or unknown"))
    return FLAG_WORDS.get(word)


def _number(value: object, field: str, name: str, faults: list[Fault]) -> float | None:
    if value is None or str(value).strip().lower() in UNKNOWN_WORDS:
        return None
    number, limit = read(value)
    low, high = NUMBERS[name]
    if limit or not low <= number <= high or (name in COUNTED and not number.is_integer()):
        kind = "a whole number" if name in COUNTED else "a number"
        faults.append(Fault(field, str(value), f"{kind} from {low:g} to {high:g}"))
        return None
    return number


def _outcome(value: object, field: str, faults: list[Fault]) -> str | None:
    word = "" if value is None else str(value).strip().lower()
    word = OUTCOME_WORDS.get(word, word)
    if word in UNKNOWN_WORDS:
        return None
    if word not in OUTCOMES:
        faults.append(Fault(field, str(value), "one of " + ", ".join(OUTCOMES)))
        return None
    return word
