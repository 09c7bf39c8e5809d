"""Single doses become lines of therapy, a person at a time, by the rules of `models.lines`.

Radiation and what moves a blood count stand beside them, in no line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from models.courses import SYSTEMIC
from models.lines import Dose, lines_of
from training.sources.concept_sets import NO_CANCER, OF_THE_LIVER, SECONDARY
from training.sources.database import Columns, Work
from training.sources.rules import DIAGNOSIS_DAYS

COURSES: Columns = {
    "person": "TEXT", "line": "INTEGER", "modality": "TEXT", "agents": "TEXT", "since": "DATE", "until": "DATE",
}
BACKWARDS, UNDATED, BEFORE = "an end before its beginning", "no day on which it began", "begun before any tumour was recorded"
LATER, DEAD, UNBORN = "dated after the day of extraction", "dated after the death", "dated before the birth"


@dataclass
class Therapy:
    """The lines of all persons as they are made, and what was left out."""

    refused: Counter[str] = field(default_factory=Counter)
    used: Counter[str] = field(default_factory=Counter)  # doses by drug, or by modality where no drug is named
    repeated: int = 0
    lines: int = 0


def lines_into(work: Work, extracted: date, everybody: bool = False) -> Therapy:
    """Make `courses`: every dose that counts with its line, of the persons with a tumour, or of everybody."""
    found = Therapy()
    rows = (row for person, events in _by_person(work, everybody) for row in _courses(person, events, extracted, found))
    work.fill("courses", COURSES, rows)
    return found


def _by_person(work: Work, everybody: bool) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    """What was given to each person, with the statuses, the first record of a tumour, birth and death."""
    tumours = f"means NOT IN ('{SECONDARY}', '{OF_THE_LIVER}', '{NO_CANCER}')"
    whose = "LEFT JOIN" if everybody else "JOIN"
    ordered = work.rows(f"""
        SELECT d.person, d.kind, d.what, d.since, d.until, t.first, p.born, p.died FROM (
            SELECT person, modality AS kind, agent AS what, since, until FROM dosed
            UNION ALL SELECT person, 'status', outcome, day, day FROM statuses) AS d
        JOIN persons p ON p.person = d.person
        {whose} (SELECT person, min(day) AS first FROM diagnosed WHERE {tumours} GROUP BY person) AS t ON t.person = d.person
        ORDER BY d.person""")
    for person, rows in groupby(ordered, key=itemgetter(0)):
        yield person, list(rows)


def _courses(person: str, events: Sequence[tuple[Any, ...]], extracted: date, found: Therapy) -> Iterator[tuple[Any, ...]]:
    doses: list[Dose] = []
    for event in events:
        if event[1] != "status" and (dose := _dose(event, extracted, found)) is not None:
            doses.append(dose)
    every = list(dict.fromkeys(sorted(doses, key=_order)))
    found.repeated += len(doses) - len(every)
    found.used.update(one.agent or one.modality for one in every)
    progressed = [row[3] for row in events if row[1:3] == ("status", "progression") and row[3] is not None]
    lines = lines_of(every, sorted(day for day in progressed if day <= extracted))
    found.lines += len(lines)
    for line in lines:
        yield from ((person, line.number, *dose) for dose in line.doses)
    yield from ((person, None, *dose) for dose in every if dose.modality not in SYSTEMIC)


def _dose(event: tuple[Any, ...], extracted: date, found: Therapy) -> Dose | None:
    """The dose, unless its dates speak against it."""
    _, modality, agent, since, until, tumour, born, died = event
    early = tumour is not None and since is not None and modality in SYSTEMIC and since < tumour - timedelta(DIAGNOSIS_DAYS)
    faults = (
        (since is None, UNDATED),
        (since is not None and until is not None and until < since, BACKWARDS),
        (since is not None and since > extracted, LATER),
        (None not in (since, died) and since > died, DEAD),
        (None not in (since, born) and since < born, UNBORN),
        (early, BEFORE),
    )
    why = next((said for wrong, said in faults if wrong), "")
    if why:
        found.refused[why] += 1
        return None
    return Dose(modality, agent, since, until)


def _order(dose: Dose) -> tuple[date, date, str, str]:
    return dose.start, dose.end or date.max, dose.agent, dose.modality

