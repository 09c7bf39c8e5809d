"""The resources of one patient after another, brought to the plain tables of `stages` by the code that reads one for a score.

A diagnosis counts from the later of the days on which it began and was recorded. FHIR knows no period of observation: it is taken
to last from the first to the last record of a patient, of whatever kind, and every report says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from models.fhir.conditions import diagnosis_of
from models.fhir.days import moment, moment_in, span_in
from models.fhir.observations import measurements_of
from models.fhir.person import SEXES, is_of, modified
from models.fhir.reading import READ
from models.fhir.resources import LOINC, Resource, Resources, code_in, object_in, resources_of, text_in
from models.fhir.treatments import DISEASE_STATUS, doses_of
from models.fhir.understood import Listing
from training.sources.concept_sets import OF_THE_LIVER
from training.sources.database import Columns, Work
from training.sources.fhir.files import Body, Sorted, bundles
from training.sources.stages import NO_NUMBER

EVENTS: Columns = {
    "stage": "TEXT", "person": "TEXT", "day": "DATE", "until": "DATE", "clock": "TEXT", "name": "TEXT", "words": "TEXT",
    "unit": "TEXT", "number": "DOUBLE PRECISION", "uln": "DOUBLE PRECISION",
}
Event = tuple[Any, ...]
_NO_DAY = date(1900, 1, 1)  # of a diagnosis without one: it was known all along
_LATER_TOLD = ("clinicalStatus", "abatementDateTime", "abatementPeriod", "abatementAge", "abatementRange", "abatementString")
_DATED = ("effective", "performed", "onset", "period", "authored")


def stage_bundles(work: Work, found: Sorted, extracted: date) -> None:
    """Make every table of `stages`, and `listed`: what was not used, and why."""
    events = (event for person, bundle in bundles(work, found) for event in _events(person, bundle, extracted))
    work.fill("events", EVENTS, events)
    own = "FROM events WHERE stage ="
    work.keep("persons", f"""SELECT person, day AS born, CAST(number AS INTEGER) AS born_exact, name AS sex, '' AS site,
        until AS died {own} 'person'""")
    work.keep("observed", f"SELECT person, day AS since, until {own} 'observed'")
    work.keep("measured", f"""SELECT person, name AS analyte, day, clock, '' AS sign, number, words, '' AS unit,
        unit AS unit_words, uln, 'its LOINC code' AS route {own} 'measured'""")
    work.keep("diagnosed", f"SELECT person, day, name AS means {own} 'diagnosed'")
    work.keep("dosed", f"SELECT person, name AS modality, words AS agent, day AS since, until {own} 'dosed'")
    work.keep("statuses", f"SELECT person, day, name AS outcome {own} 'status'")
    work.keep("listed", f"SELECT name AS what, words AS why, sum(number) AS n {own} 'listed' GROUP BY name, words")


def _event(stage: str, person: str, day: date | None = None, until: date | None = None, **more: Any) -> Event:
    plain = {"clock": "", "name": "", "words": "", "unit": "", "number": NO_NUMBER, "uln": NO_NUMBER} | more
    return stage, person, day, until, *plain.values()


def _events(person: str, bundle: Body, extracted: date) -> Iterator[Event]:
    resources, listing = resources_of(bundle), Listing()
    patients = resources.of("Patient")
    if not patients:
        yield _event("listed", person, name="Patient", words="resources of a patient who is not there", number=1.0)
        return
    patient = patients[0]
    theirs = [one for one in resources.of(*READ) if not modified(one.body) and is_of(one, patient, resources, listing)]
    yield from _person(person, patient, resources, extracted)
    yield from _results(person, theirs, resources, extracted, listing)
    for one in (one for one in theirs if one.kind == "Condition"):
        yield from _diagnosis(person, one, extracted, listing)
    doses, statuses = doses_of(resources, theirs, extracted, listing)
    yield from (_event("dosed", person, one.start, one.end, name=one.modality, words=one.agent) for one in doses)
    yield from (_event("status", person, day, name=outcome) for day, outcome in statuses)
    for line in listing.lines:
        what = f"{line.reference.partition('/')[0]} {line.what}".strip()
        yield _event("listed", person, name=what, words=line.why, number=float(line.times))


def _person(person: str, patient: Resource, resources: Resources, extracted: date) -> Iterator[Event]:
    body = patient.body
    born, died = moment(text_in(body, "birthDate")), moment(text_in(body, "deceasedDateTime"))
    gender = text_in(body, "gender")
    sex = gender if gender in SEXES else "unknown"
    exact = float(born is not None and born.exact)
    yield _event("person", person, born.day if born else None, died.day if died else None, name=sex, number=exact)
    if (body.get("deceasedBoolean") is True and died is None) or (died is not None and not died.exact):
        yield _event("listed", person, name="Patient deceased", words="dead, and on what day is not told", number=1.0)
        return
    days = [day for one in resources.all if one.kind != "Patient" for day in _days(one) if day <= extracted]
    if days:
        yield _event("observed", person, min(days), died.day if died else max(days))


def _days(one: Resource) -> Iterator[date]:
    written = (moment(text_in(one.body, name)) for name in ("authoredOn", "recordedDate", "issued"))
    for found in (*written, *(each for name in _DATED for each in span_in(one.body, name)), *_period(one)):
        if found is not None and found.exact:
            yield found.day


def _period(one: Resource) -> Iterator[Any]:
    period = object_in(one.body, "period")
    return (moment(text_in(period, name)) for name in ("start", "end"))


def _results(person: str, theirs: list[Resource], resources: Resources, extracted: date, listing: Listing) -> Iterator[Event]:
    """Each observation alone: which of several of one day counts is for the rules of all sources."""
    for one in theirs:
        if one.kind != "Observation" or code_in(object_in(one.body, "code"), LOINC) == DISEASE_STATUS:
            continue
        for result in measurements_of([one], resources, extracted, listing):
            given = result.document
            text = isinstance(given["value"], str)
            yield _event(
                "measured",
                person,
                result.moment.day,
                clock=_clock(result.moment.time),
                name=given["analyte"],
                words=given["value"] if text else "",
                number=NO_NUMBER if text else float(given["value"]),
                unit=given["unit"],
                uln=float(given.get("uln", NO_NUMBER)),
            )


def _clock(time: str) -> str:
    """The time of the day as it was written; midnight is what a day without a time is often written as."""
    return "" if time[:8] in ("", "00:00:00") else time


def _diagnosis(person: str, one: Resource, extracted: date, listing: Listing) -> Iterator[Event]:
    # whether it went into remission by the extraction is not known on an earlier day, and must not choose who is in
    known = replace(one, body={name: told for name, told in one.body.items() if name not in _LATER_TOLD})
    found, _ = diagnosis_of([known], extracted, listing)
    begun, told = moment_in(one.body, "onset"), moment(text_in(one.body, "recordedDate"))
    day = max((each.day for each in (begun, told) if each is not None), default=_NO_DAY)
    if tumour := found.get("tumour"):
        yield _event("diagnosed", person, day, name=tumour)
    if found.get("history"):
        yield _event("diagnosed", person, day, name=OF_THE_LIVER)
