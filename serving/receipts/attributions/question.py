"""What is asked about many receipts: of which days, of which model, within how many days, in which groups, and beside what.

A page and the command line ask in the same words, and hear the same when one of them is not understood.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from models.fault import Fault
from serving.answer import PRIMARY
from serving.receipts.attributions.strata import STRATA

SPAN = 30  # days of a period, where no first day is given
LONGEST = 3650  # days of a horizon, and more than any model has
LAST, ALL = "last", "all"
FIELDS = ("from", "to", "horizon", "model", "by", "receipts", "against_from", "against_to", "against_model")
_MODEL = re.compile(r"[0-9a-f]{8,64}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class InvalidQuestion(ValueError):
    """A question with every field of it that is not understood; no sentence repeats what was given."""

    def __init__(self, faults: Sequence[Fault]):
        super().__init__("; ".join(one.without_value() for one in faults))
        self.faults = tuple(faults)


@dataclass(frozen=True)
class Period:
    """Days (UTC), first and last included, and the model by the beginning of its digest; "" for every model."""

    since: date
    until: date
    model: str = ""

    def __str__(self) -> str:
        by = f", model {self.model[:16]}" if self.model else ""
        return (f"{self.since}" if self.since == self.until else f"{self.since} to {self.until}") + by


@dataclass(frozen=True)
class Question:
    """What is asked; `against` is the later period, or the other model, that `period` is held against."""

    period: Period
    horizon: int = PRIMARY
    by: str = ""  # a name of STRATA
    every: bool = False  # every receipt counts; else the last one of each patient in the period
    against: Period | None = None


def asked(given: Mapping[str, str], today: date) -> Question:
    """The question in these words (FIELDS); what is not there has its default, 30 days up to `today` and nothing beside it.

    Raises InvalidQuestion, which names every field that is not understood.
    """
    faults = [Fault("an unknown field", name, "one of " + ", ".join(FIELDS)) for name in given if name not in FIELDS]
    until = _day(given, "to", today, faults)
    since = _day(given, "from", date.fromordinal(max(until.toordinal() - SPAN + 1, 1)), faults)  # 1: the calendar begins
    period = Period(since, until, _model(given, "model", faults))
    _require_order(period, "from", faults)
    found = Question(
        period,
        _horizon(given, faults),
        _one_of(given, "by", ("", *STRATA), faults),
        _one_of(given, "receipts", ("", LAST, ALL), faults) == ALL,
        _against(given, period, faults),
    )
    if faults:
        raise InvalidQuestion(faults)
    return found


def _against(given: Mapping[str, str], period: Period, faults: list[Fault]) -> Period | None:
    """Another period or another model; of whichever is not given, that of the period."""
    if not any(given.get(name) for name in FIELDS if name.startswith("against_")):
        return None
    since, until = (_day(given, f"against_{name}", day, faults) for name, day in (("from", period.since), ("to", period.until)))
    found = Period(since, until, _model(given, "against_model", faults) or period.model)
    _require_order(found, "against_from", faults)
    understood = not any(one.field.startswith("against_") for one in faults)
    if understood and found == period:
        faults.append(Fault("against_from", "the same", "another period, or another model"))
    return found


def _require_order(period: Period, field: str, faults: list[Fault]) -> None:
    if period.since > period.until:
        faults.append(Fault(field, str(period.since), "a day that is not after the last one"))


def _day(given: Mapping[str, str], field: str, default: date, faults: list[Fault]) -> date:
    text = given.get(field, "")
    try:
        found = date.fromisoformat(text) if _DAY.fullmatch(text) else default
    except ValueError:
        found, text = default, "no day"
    if text and found.isoformat() != text:
        faults.append(Fault(field, text, "a day such as 2026-11-23"))
    return found


def _horizon(given: Mapping[str, str], faults: list[Fault]) -> int:
    text = given.get("horizon", "") or str(PRIMARY)
    if re.fullmatch(r"[0-9]{1,4}", text) and 1 <= int(text) <= LONGEST:
        return int(text)
    faults.append(Fault("horizon", text, f"a number of days from 1 to {LONGEST}, such as {PRIMARY}"))
    return PRIMARY


def _model(given: Mapping[str, str], field: str, faults: list[Fault]) -> str:
    text = given.get(field, "")
    if text and not _MODEL.fullmatch(text):
        faults.append(Fault(field, text, "the first 8 or more hex digits of a model's digest"))
        return ""
    return text


def _one_of(given: Mapping[str, str], field: str, allowed: Sequence[str], faults: list[Fault]) -> str:
    text = given.get(field, "")
    if text not in allowed:
        faults.append(Fault(field, text, "one of " + ", ".join(filter(None, allowed))))
        return ""
    return text
