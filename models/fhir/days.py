"""When something was: FHIR writes a year, a month, a day or an instant; only a whole day is one that can be counted from.

A day is the one that was written, in the time zone in which it was written: that of the hospital.

References
----------
HL7 FHIR R4 (4.0.1, 2019): datatypes date, dateTime, instant, Period.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import NamedTuple

from models.fhir.resources import Object, object_in, text_in

_WRITTEN = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2})(T\S{1,40})?)?)?", re.ASCII)
FIRST_YEAR = 1900  # earlier ones are codes for "not known"


class Moment(NamedTuple):
    """A day, and the rest of the instant as it was written, which orders two moments of one day; `exact` is False for a part."""

    day: date
    time: str = ""
    exact: bool = True


def moment(written: str) -> Moment | None:
    """What was written; of a year or a month the first day, not exact. None for what is no date."""
    found = _WRITTEN.fullmatch(written)
    if found is None or int(found[1]) < FIRST_YEAR:
        return None
    try:
        day = date(int(found[1]), int(found[2] or 1), int(found[3] or 1))
    except ValueError:
        return None
    return Moment(day, (found[4] or "")[1:], found[3] is not None)


def instant(written: str) -> float | None:
    """Seconds since 1970 of a whole instant with its time zone; None for anything else."""
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        return None
    return found.timestamp() if found.tzinfo is not None and found.year >= FIRST_YEAR else None


def moment_in(body: Object, name: str) -> Moment | None:
    """The moment of a field such as `effective`: its DateTime, Instant or Date, or the start of its Period."""
    for kind in ("DateTime", "Instant", "Date"):
        if written := text_in(body, f"{name}{kind}"):
            return moment(written)
    return moment(text_in(object_in(body, f"{name}Period"), "start"))


def span_in(body: Object, name: str) -> tuple[Moment | None, Moment | None]:
    """Start and end of nameDateTime or namePeriod; a single moment is both."""
    period = object_in(body, f"{name}Period")
    if period:
        return moment(text_in(period, "start")), moment(text_in(period, "end"))
    once = moment_in(body, name)
    return once, once


def years_between(birth: date, day: date) -> int:
    """Completed years of age."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))
