"""The question about many receipts as a form: what stands in each field, what is wrong there, and how a command asks the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from urllib.parse import urlencode

from models.fault import Fault
from serving.answer import PRIMARY
from serving.pages.words import say
from serving.receipts.attributions.question import ALL, FIELDS, LAST, InvalidQuestion, Period, Question, asked
from serving.receipts.attributions.strata import CALLED

_COMMAND = "lymphorisk audit attributions"
_OPTIONS = {"receipts": "count"}  # fields whose option is called otherwise
_LONGEST = 80  # characters of a field that are shown again


@dataclass(frozen=True)
class Form:
    """What stands in the fields; the question, or the faults by field that leave none; what may be chosen."""

    values: Mapping[str, str]
    question: Question | None
    faults: Mapping[str, str]  # by field: what is allowed; "" for what is no field
    days: Sequence[int]  # horizons
    models: Sequence[str]  # digests

    @classmethod
    def of(cls, given: Mapping[str, str], days: Sequence[int], models: Sequence[str]) -> Form:
        """The form in which this was given, under a model that serves these horizons; an empty one has its defaults."""
        values = {name: given.get(name, "").strip().lower() for name in FIELDS}
        others = {name: value for name, value in given.items() if name not in FIELDS}
        try:
            question = asked(values | others, datetime.now(UTC).date())
        except InvalidQuestion as error:
            return cls._faulty(values, {_field(one): one.allowed for one in error.faults}, days, models)
        return cls(fields_of(question), question, {}, days, models)

    @classmethod
    def _faulty(cls, given: Mapping[str, str], faults: Mapping[str, str], days: Sequence[int], models: Sequence[str]) -> Form:
        values = {name: _shown(name, value) for name, value in given.items()}
        if "horizon" in faults or not values["horizon"]:  # one of a list
            values["horizon"] = str(PRIMARY)
        return cls(values, None, faults, days, models)

    def options(self, name: str) -> list[tuple[str, str]]:
        """What may be chosen in that field, and what it is called; a horizon that the model does not serve, where it is asked."""
        if name == "horizon":
            days = sorted({*self.days, int(self.values["horizon"])})
            return [(str(one), say("attributions", "days", days=one)) for one in days]
        if name == "by":
            return [("", say("attributions", "no_groups")), *CALLED.items()]
        return [(one, say("attributions", one)) for one in (LAST, ALL)]

    @property
    def asked(self) -> dict[str, str]:
        """What is asked, field by field, without what is left open."""
        return {name: value for name, value in self.values.items() if value}

    @property
    def query(self) -> str:
        """The same as the end of an address."""
        return urlencode(self.asked)

    @property
    def command(self) -> str:
        """The same as a command, which reads to the end."""
        words = (f"--{_OPTIONS.get(name, name).replace('_', '-')} {value}" for name, value in self.asked.items())
        return " ".join((_COMMAND, *words))


def fields_of(question: Question) -> dict[str, str]:
    """The question in the words in which it is asked."""
    found = _of_period("", question.period) | {"horizon": str(question.horizon), "by": question.by}
    found["receipts"] = ALL if question.every else LAST
    return found | (_of_period("against_", question.against) if question.against else dict.fromkeys(_of_against(), ""))


def _of_period(prefix: str, period: Period) -> dict[str, str]:
    return {f"{prefix}from": str(period.since), f"{prefix}to": str(period.until), f"{prefix}model": period.model}


def _of_against() -> list[str]:
    return [name for name in FIELDS if name.startswith("against_")]


def _shown(name: str, value: str) -> str:
    """What a field can show again of what was not understood; one for a day shows days alone."""
    if not name.endswith(("from", "to")):
        return value[:_LONGEST]
    try:
        return value if date.fromisoformat(value).isoformat() == value else ""
    except ValueError:
        return ""


def _field(fault: Fault) -> str:
    return fault.field if fault.field in FIELDS else ""
