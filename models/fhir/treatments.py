"""What was given before the index date: drugs become lines of therapy, radiation and what moves a blood count stand beside them.

Administrations and statements count as given; an order (MedicationRequest) only where nothing says that the drug was given. What
runs is what says so, an order no longer than a gap between lines; a drug whose last dose is all that is known ended with it.

References
----------
HL7 FHIR R4 (4.0.1, 2019): MedicationAdministration, MedicationStatement, MedicationRequest, Procedure. mCODE (STU 4, 2024):
CancerRelatedMedicationAdministration, RadiotherapyCourseSummary, CancerRelatedSurgicalProcedure, CancerDiseaseStatus.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from models.courses import SYSTEMIC
from models.fhir.days import Moment, moment, span_in
from models.fhir.drugs import ATC, Drug, drug_of_atc, drugs_named
from models.fhir.resources import (
    LOINC,
    SNOMED,
    Object,
    Resource,
    Resources,
    code_in,
    first_code,
    object_in,
    repeated,
    text_in,
    words,
)
from models.fhir.understood import Listing
from models.lines import GAP_DAYS, Dose, Line, lines_of

GIVEN = ("MedicationAdministration", "MedicationStatement")
ORDERED = "MedicationRequest"
RUNNING = {"active", "in-progress"}
USED = {  # statuses that say it was, or is, so
    "MedicationAdministration": {"completed", "in-progress", "stopped", "on-hold"},
    "MedicationStatement": {"active", "completed", "stopped", "on-hold"},
    "MedicationRequest": {"active", "completed", "stopped", "on-hold"},
    "Procedure": {"completed", "in-progress", "stopped"},
}
ORDERS = {"order", "original-order", "reflex-order", "filler-order", "instance-order"}  # and no plan, proposal or option
DISEASE_STATUS = "97509-4"  # LOINC: cancer disease status
OUTCOMES = {  # SNOMED CT, as mCODE's value set of disease status has them
    "271299001": "progression",  # patient's condition worsened
    "268910001": "response",  # patient's condition improved
    "359746009": "stable",  # patient's condition stable
}
_RADIATION = re.compile(r"radiotherapy|radiation therapy|teleradiotherapy|brachytherapy|teletherapy|irradiation|radiosurgery")
_CHEMOTHERAPY = re.compile(r"chemotherapy|antineoplastic|chemoradi")
# about a treatment, and not its giving
_NOT_GIVING = re.compile(
    r"planning|simulation|consult|educat|counsel|assess|review|follow-up|referral|evaluat|\bport\b|catheter|induced"
)
_SURGERY = "mcode-cancer-related-surgical-procedure"


@dataclass(frozen=True)
class _Given:
    """A dose with the resource it came from; `running` where that says so."""

    dose: Dose
    reference: str


def treatments_of(
    resources: Resources, of_patient: Iterable[Resource], as_of: date, listing: Listing
) -> list[tuple[dict[str, Any], str]]:
    """The treatments of the patient document up to `as_of`, each with the resource it begins with; oldest first."""
    drugs, progressions = _given(resources, list(of_patient), as_of, listing)
    found = [*_lines(drugs, progressions), *_others(drugs)]
    return sorted(found, key=lambda one: (one[0]["start"], one[0]["modality"]))


def doses_of(
    resources: Resources, of_patient: Iterable[Resource], as_of: date, listing: Listing
) -> tuple[list[Dose], list[tuple[date, str]]]:
    """Every dose up to `as_of`, and every disease status with its day: of which histories make lines."""
    drugs, statuses = _given(resources, list(of_patient), as_of, listing)
    return [one.dose for one in drugs], [(day, outcome) for day, outcome, _ in statuses]


def _given(
    resources: Resources, every: Sequence[Resource], as_of: date, listing: Listing
) -> tuple[list[_Given], list[tuple[date, str, str]]]:
    drugs = [one for resource in every if resource.kind in GIVEN for one in _drug(resource, resources, as_of, listing)]
    given: dict[str, date] = {}
    for one in drugs:
        given[one.dose.agent] = max(one.dose.start, given.get(one.dose.agent, one.dose.start))
    for resource in every:
        if resource.kind == ORDERED:
            drugs += _ordered(resource, resources, given, as_of, listing)
        elif resource.kind == "Procedure":
            drugs += _procedure(resource, as_of, listing)
    for one in drugs:
        listing.use(one.reference)
    return drugs, _statuses([one for one in every if one.kind == "Observation"], as_of, listing)


def _ordered(
    resource: Resource, resources: Resources, given: Mapping[str, date], as_of: date, listing: Listing
) -> Iterator[_Given]:
    """What an order adds: the drug where nothing says that it was given, else only that it goes on."""
    if resource.body.get("doNotPerform") is True:
        listing.aside(resource.reference, "doNotPerform", "an order not to give it")
        return
    if text_in(resource.body, "intent") not in ORDERS:
        listing.aside(resource.reference, "intent", "a plan, a proposal or an option, and no order")
        return
    for one in _drug(resource, resources, as_of, listing):
        last = given.get(one.dose.agent)
        if last is not None and one.dose.end is None and last >= one.dose.start:
            yield _Given(one.dose._replace(start=last), resource.reference)
        elif last is not None:
            listing.aside(resource.reference, "order", "what was given of the drug is known, and counts")
        else:
            yield one


def _drug(resource: Resource, resources: Resources, as_of: date, listing: Listing) -> Iterator[_Given]:
    """The doses that a medication resource tells of, where they are of drugs that matter here."""
    concepts = _medication(resource, resources)
    drugs = _recognised(concepts)
    if not drugs:
        code = next((found for one in concepts if (found := first_code(one))), "")
        what = f"drug {repeated(code)}" if code else "a drug without a code"
        listing.aside(resource.reference, what, "no systemic therapy that is known here")
        return
    begun, ended = _authored(resource) if resource.kind == ORDERED else span_in(resource.body, "effective")
    for drug in drugs:
        yield from _dated(resource, drug, begun, ended, as_of, listing)


def _dated(
    resource: Resource, drug: Drug, begun: Moment | None, ended: Moment | None, as_of: date, listing: Listing
) -> Iterator[_Given]:
    """The dose, unless its status or its dates speak against it."""
    status = text_in(resource.body, "status")
    why = ""
    if status not in USED[resource.kind]:
        why = "a status of what was not given, or not known to be"
    elif begun is None or not begun.exact:
        why = "no whole day on which it began"
    elif begun.day > as_of:
        why = "after the index date"
    elif ended is not None and ended.exact and ended.day < begun.day:
        why = "an end before its beginning"
    if why or begun is None:
        listing.aside(resource.reference, drug.name or drug.modality, why)
        return
    end = ended.day if ended is not None and ended.exact else begun.day
    lasting = resource.kind != ORDERED or (as_of - begun.day).days <= GAP_DAYS
    begins = begun.day == as_of  # what is given for the first time on the index date is no earlier treatment
    running = end > as_of or begins or (status in RUNNING and lasting and not _ends(resource))
    yield _Given(Dose(drug.modality, drug.name, begun.day, None if running else end), resource.reference)


def _ends(resource: Resource) -> bool:
    """Whether the span of what is active says when it ended."""
    field = "performedPeriod" if resource.kind == "Procedure" else "effectivePeriod"
    return bool(text_in(object_in(resource.body, field), "end"))


def _authored(resource: Resource) -> tuple[Moment | None, Moment | None]:
    begun = moment(text_in(resource.body, "authoredOn"))
    return begun, begun


def _medication(resource: Resource, resources: Resources) -> list[Object]:
    concept = object_in(resource.body, "medicationCodeableConcept")
    if concept:
        return [concept]
    found = resources.found(object_in(resource.body, "medicationReference"), resource)
    if found is None:
        return [{"text": text_in(object_in(resource.body, "medicationReference"), "display")}]
    parts = found.body.get("ingredient")
    inner = [object_in(one, "itemCodeableConcept") for one in parts] if isinstance(parts, list) else []
    return [object_in(found.body, "code"), *inner]


def _recognised(concepts: Sequence[Object]) -> list[Drug]:
    """Every drug in a product, each once: of its ingredients by their names, else of its class."""
    found: dict[str, Drug] = {}
    for concept in concepts:
        modality = drug_of_atc(code_in(concept, *ATC))
        named = {drug.name: drug for name in words(concept) for drug in drugs_named(name)}
        if modality and not named:
            name = code_in(concept, *ATC).lower()
            named = {name: Drug(name, modality)}
        for name, drug in named.items():
            found.setdefault(name, drug._replace(modality=modality) if modality and len(named) == 1 else drug)
    return list(found.values())


def _procedure(resource: Resource, as_of: date, listing: Listing) -> Iterator[_Given]:
    """Radiation, chemotherapy whose drugs are not named, surgery of the tumour."""
    concept = object_in(resource.body, "code")
    said = " ".join(words(concept)).lower()
    known = ((_RADIATION, "radiotherapy"), (_CHEMOTHERAPY, "chemotherapy"))
    kinds = [modality for pattern, modality in known if pattern.search(said) and not _NOT_GIVING.search(said)]
    if kinds and "radiation" in said and "chemo" in said and "radiotherapy" not in kinds:
        kinds.append("radiotherapy")
    if not kinds and any("radiotherapy-course-summary" in one for one in resource.profiles):
        kinds = ["radiotherapy"]
    if not kinds and _SURGERY in resource.profiles:
        kinds = ["surgery"]
    if not kinds:
        code = first_code(concept)
        what = f"code {repeated(code)}" if code else "no code"
        listing.aside(resource.reference, what, "no treatment of a tumour that is known here")
        return
    begun, ended = span_in(resource.body, "performed")
    for modality in kinds:
        yield from _dated(resource, Drug("", modality), begun, ended, as_of, listing)


def _lines(given: Sequence[_Given], statuses: Sequence[tuple[date, str, str]]) -> Iterator[tuple[dict[str, Any], str]]:
    """Every line as one treatment for each modality in it, with the newest disease status told before the next line began."""
    lines = lines_of((one.dose for one in given), [day for day, outcome, _ in statuses if outcome == "progression"])
    days = [day for day, _, _ in statuses]
    first = {one.dose: one.reference for one in reversed(given)}
    for place, line in enumerate(lines):
        until = lines[place + 1].start if place + 1 < len(lines) else date.max
        newest = bisect_right(days, until)
        outcome = statuses[newest - 1][1] if newest and days[newest - 1] > line.start else ""
        for modality in dict.fromkeys(one.modality for one in line.doses):
            doses = [one for one in line.doses if one.modality == modality]
            yield _treatment(line, modality, doses, until, outcome), first[doses[0]]


def _treatment(line: Line, modality: str, doses: Sequence[Dose], until: date, outcome: str) -> dict[str, Any]:
    found: dict[str, Any] = {"modality": modality, "line": line.number, "start": doses[0].start.isoformat()}
    if agents := sorted({one.agent for one in doses if one.agent}):
        found["agents"] = agents
    ends = [one.end for one in doses if one.end is not None]
    if until < date.max:  # whatever says that it runs, another line has begun
        found["end"] = min(max([*ends, doses[0].start]), until).isoformat()
    elif len(ends) == len(doses):
        found["end"] = max(ends).isoformat()
    return found | ({"outcome": outcome} if outcome and "end" in found else {})


def _others(given: Sequence[_Given]) -> Iterator[tuple[dict[str, Any], str]]:
    """Radiation, surgery, steroids and G-CSF, each span once."""
    seen = set()
    for one in sorted(given, key=lambda one: (one.dose.start, one.dose.end or date.max)):
        if one.dose.modality in SYSTEMIC or one.dose in seen:
            continue
        seen.add(one.dose)
        found: dict[str, Any] = {"modality": one.dose.modality, "start": one.dose.start.isoformat()}
        if one.dose.agent:
            found["agents"] = [one.dose.agent]
        yield found | ({"end": one.dose.end.isoformat()} if one.dose.end else {}), one.reference


def _statuses(observations: Iterable[Resource], as_of: date, listing: Listing) -> list[tuple[date, str, str]]:
    """Disease statuses up to the index date, oldest first: day, outcome, resource."""
    found = []
    for one in observations:
        if code_in(object_in(one.body, "code"), LOINC) != DISEASE_STATUS:
            continue
        when, _ = span_in(one.body, "effective")
        outcome = OUTCOMES.get(code_in(object_in(one.body, "valueCodeableConcept"), SNOMED), "")
        if text_in(one.body, "status") not in ("final", "amended", "corrected"):
            listing.aside(one.reference, "disease status", "not final: it may change, or was entered in error")
        elif when is None or not when.exact or when.day > as_of or not outcome:
            listing.aside(one.reference, "disease status", "no whole day up to the index date, or no status that is read")
        else:
            listing.use(one.reference)
            found.append((when.day, outcome, one.reference))
    return sorted(found)
