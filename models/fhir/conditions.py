"""The diagnosis: which tumour it is, and whether the liver is known to hold metastases; what is not clear stays unknown.

The tumour is that of the Conditions of malignant primaries, active on the index date and not merely suspected. Where they name
several, the one that claims mCODE's profile of the primary cancer counts; else none does, and a person has to say. Absence of a
Condition says nothing.

References
----------
HL7 FHIR R4 (4.0.1, 2019): Condition. mCODE 4 (2024): PrimaryCancerCondition, SecondaryCancerCondition. Deutsche Basisprofile
(HL7 Germany): icd-10-gm-diagnosesicherheit.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from models.fhir.days import moment, moment_in
from models.fhir.resources import (
    ICD_10,
    ICD_O_3,
    Object,
    Resource,
    code_in,
    codings,
    list_in,
    object_in,
    repeated,
    text_in,
    words,
)
from models.fhir.tumour_codes import (
    LUNG,
    LUNG_CANCERS,
    MORPHOLOGY,
    OTHER,
    cancerous,
    icd_10_liver,
    icd_10_secondary,
    icd_10_tumour,
    named_secondary,
    named_tumours,
    names_liver,
)
from models.fhir.understood import Listing

PRIMARY = "mcode-primary-cancer-condition"
SECONDARY = "mcode-secondary-cancer-condition"
_NOT_SO = {"refuted", "entered-in-error"}
_SUSPECTED = {"unconfirmed", "provisional", "differential"}
_OVER = {"inactive", "remission", "resolved"}
# the letter beside an ICD-10-GM code, as a status: excluded, suspected, state after
_CERTAINTY, _LETTERS = "icd-10-gm-diagnosesicherheit", {"A": "refuted", "V": "unconfirmed", "Z": "resolved"}
_HISTOLOGY = ("histology-morphology-behavior", "mcode-histology-morphology-behavior")


def diagnosis_of(conditions: list[Resource], as_of: date, listing: Listing) -> tuple[dict[str, Any], dict[str, str]]:
    """Of the patient document: `tumour` where it is clear, and in `history` liver metastases where they are known.

    And the places of both, each with the Condition that tells it. How many organs hold metastases is not counted: a list of
    problems holds what somebody entered, and its length would be read as an extent.
    """
    named: dict[str, list[Resource]] = {}
    liver = ""
    for condition in conditions:
        if not _of_a_tumour(condition):
            listing.aside(condition.reference, "Condition", "no tumour")
            continue
        if not _counts(condition, as_of, listing):
            continue
        if _is_secondary(condition):
            told = _told_of_liver(condition, listing)  # of each, so that each is used or listed
            liver = condition.reference if told and not liver else liver
        elif tumour := _tumour(condition, listing):
            named.setdefault(tumour, []).append(condition)
    found: dict[str, Any] = {}
    places = {}
    if tumour := _the_one(named, listing):
        found, places = {"tumour": tumour}, {"/tumour": named[tumour][0].reference}
    if liver:
        found, places = found | {"history": {"liver_metastases": "yes"}}, places | {"/history/liver_metastases": liver}
    return found, places


def _of_a_tumour(condition: Resource) -> bool:
    """Whether it is about a neoplasm at all."""
    concept = object_in(condition.body, "code")
    code = code_in(concept, *ICD_10).upper()
    profiled = PRIMARY in condition.profiles or SECONDARY in condition.profiles
    return profiled or code.startswith("C") or code[:2] in ("D0", "D3", "D4") or any(map(cancerous, words(concept)))


def _counts(condition: Resource, as_of: date, listing: Listing) -> bool:
    """Whether it was known, and so, on the index date."""
    body, reference, what = condition.body, condition.reference, _called(condition)
    verified, clinical = (_codes(object_in(body, name)) for name in ("verificationStatus", "clinicalStatus"))
    letters = _letters(object_in(body, "code"))
    verified, clinical = verified | letters, clinical | letters
    begun, told, over = moment_in(body, "onset"), moment(text_in(body, "recordedDate")), moment_in(body, "abatement")
    why = ""
    if verified & _NOT_SO:
        why = "refuted, or entered in error"
    elif verified & _SUSPECTED:
        why = "suspected, and not confirmed"
    elif over.day <= as_of if over else clinical & _OVER:  # the status is today's, the day tells of the index date
        why = "not active: in remission, resolved or inactive"
    elif any(one is not None and one.day > as_of for one in (begun, told)):
        why = "begun or recorded after the index date"
    if why:
        listing.aside(reference, what, why)
    return not why


def _letters(concept: Object) -> set[str]:
    """How sure an ICD-10-GM code is, which Germany writes beside it and not as a status."""
    holders = [one for coding in list_in(concept, "coding") for one in list_in(coding, "extension")]
    told = (one for one in holders if text_in(one, "url").rpartition("/")[2] == _CERTAINTY)
    return {_LETTERS[letter] for one in told if (letter := text_in(object_in(one, "valueCoding"), "code")) in _LETTERS}


def _is_secondary(condition: Resource) -> bool:
    code = object_in(condition.body, "code")
    known = SECONDARY in condition.profiles or icd_10_secondary(code_in(code, *ICD_10))
    return known or any(map(named_secondary, words(code)))


def _told_of_liver(condition: Resource, listing: Listing) -> bool:
    code = object_in(condition.body, "code")
    sites = [name for one in list_in(condition.body, "bodySite") if isinstance(one, dict) for name in words(one)]
    if icd_10_liver(code_in(code, *ICD_10)) or any(names_liver(name) for name in (*words(code), *sites)):
        listing.use(condition.reference)
        return True
    listing.aside(condition.reference, _called(condition), "metastases of other organs: only those of the liver are an input")
    return False


def _tumour(condition: Resource, listing: Listing) -> str:
    """The tumour it tells, if it tells one: that on which its code, its words and its histology agree."""
    concept = object_in(condition.body, "code")
    coded = icd_10_tumour(code_in(concept, *ICD_10))
    told = [found for found in ({coded} - {""}, *map(named_tumours, words(concept))) if found]
    possible = set.intersection(*map(_meant, told)) if told else set()
    histology = _histology(condition)
    if histology and (LUNG in possible or (possible and histology == OTHER)):
        possible = {histology}
    if len(possible) == 1:
        return possible.pop()
    if LUNG in possible:
        why = "lung cancer without a histology: small-cell or not is never guessed"
    elif possible:
        why = "its words name several organs"
    else:
        why = "its code and its words name different tumours" if told else "no malignant primary tumour that can be read"
    listing.aside(condition.reference, _called(condition), why)
    return ""


def _meant(tumours: Collection[str]) -> set[str]:
    """The tumours, and where one is of the lung both that it may be."""
    return {*tumours, *(LUNG_CANCERS if LUNG in tumours else ())}


def _histology(condition: Resource) -> str:
    """What mCODE's extension, or a morphology beside the code, tells: which lung cancer, or a neuroendocrine tumour."""
    concepts: list[Object] = [object_in(condition.body, "code")]
    for one in list_in(condition.body, "extension"):
        if isinstance(one, dict) and text_in(one, "url").rpartition("/")[2] in _HISTOLOGY:
            concepts.append(object_in(one, "valueCodeableConcept"))
    codes = [coding.code for concept in concepts for coding in codings(concept) if coding.system in ICD_O_3]
    known = {MORPHOLOGY[code] for code in codes if code in MORPHOLOGY}
    return known.pop() if len(known) == 1 else ""


def _the_one(named: Mapping[str, list[Resource]], listing: Listing) -> str:
    """The tumour of all; of several that of the one primary cancer by profile, else none."""
    primary = [tumour for tumour, found in named.items() if any(PRIMARY in one.profiles for one in found)]
    chosen = next(iter(named)) if len(named) == 1 else primary[0] if len(primary) == 1 else ""
    for tumour, found in named.items():
        for one in found:
            if tumour == chosen:
                listing.use(one.reference)
            else:
                why = f"another primary is read, {chosen}" if chosen else "several primaries: which of them is meant is not told"
                listing.aside(one.reference, tumour, why)
    return chosen


def _codes(concept: Object) -> set[str]:
    return {one.code for one in codings(concept)}


def _called(condition: Resource) -> str:
    """Its code, which names no patient."""
    found = codings(object_in(condition.body, "code"))
    return next((f"code {repeated(one.code)}" for one in found if one.code), "no code")
