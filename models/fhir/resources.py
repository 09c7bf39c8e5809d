"""The resources of a bundle, a list or one alone: tolerant of everything that is no business of ours, and never surprised.

References are resolved within what was sent and never fetched: by fullUrl, by Type/id, and contained ones by #id.

References
----------
HL7 FHIR R4 (4.0.1, 2019): Bundle, References (2.3.0.1 resolving references in bundles), CodeableConcept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from models.fhir.code_names import LOINC, NAMES, RXNORM, SNOMED

__all__ = [
    "ANOTHER_PAGE", "ICD_10", "ICD_O_3", "LOINC", "NO_RESOURCE", "RXNORM", "SNOMED", "UCUM", "Coding", "Object", "Resource",
    "Resources", "code_in", "codings", "entries_of", "first_code", "list_in", "named", "number_in", "object_in", "resources_of",
    "text_in", "words",
]

UCUM = "http://unitsofmeasure.org"
ICD_10 = (
    "http://hl7.org/fhir/sid/icd-10",
    "http://hl7.org/fhir/sid/icd-10-cm",
    "urn:oid:2.16.840.1.113883.6.90",  # ICD-10-CM as its object identifier
    "http://fhir.de/CodeSystem/bfarm/icd-10-gm",
)
ICD_O_3 = ("http://terminology.hl7.org/CodeSystem/icd-o-3", "urn:oid:2.16.840.1.113883.6.43.1")
DEEPEST = 8  # bundles within bundles, lists within lists
# What is repeated of the sender's own words: a type, an id by the rule of FHIR, an address without blanks.
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:/_-]{0,39}", re.ASCII)
_TYPE, _ID = re.compile(r"[A-Za-z]{1,64}"), re.compile(r"[A-Za-z0-9.-]{1,64}")
_URL = re.compile(r"[!-~]{1,128}")
LONGEST_NAME = 500  # characters: what is longer names nothing, and is an essay
LARGEST = 1e15
NO_RESOURCE, ANOTHER_PAGE = "no resource", "another page"  # kinds of what is none

Object = Mapping[str, Any]
_NOTHING: Object = {}


class Coding(NamedTuple):
    """A code of a system, with the words beside it."""

    system: str
    code: str
    display: str = ""


def object_in(holder: object, name: str) -> Object:
    """The object of that name, or an empty one."""
    found = holder.get(name) if isinstance(holder, dict) else None
    return found if isinstance(found, dict) else _NOTHING


def list_in(holder: object, name: str) -> list[Any]:
    """The list of that name, or an empty one."""
    found = holder.get(name) if isinstance(holder, dict) else None
    return found if isinstance(found, list) else []


def text_in(holder: object, name: str) -> str:
    """The text of that name, or none."""
    found = holder.get(name) if isinstance(holder, dict) else None
    return found.strip() if isinstance(found, str) else ""


def number_in(holder: object, name: str) -> float | int | None:
    """The number of that name, or None: for what is none, and for one of a length that JSON knows and no measurement has."""
    found = holder.get(name) if isinstance(holder, dict) else None
    fits = isinstance(found, int | float) and not isinstance(found, bool) and -LARGEST <= found <= LARGEST
    return found if fits else None


def codings(concept: Object) -> list[Coding]:
    """The codings of a CodeableConcept."""
    found = [one for one in list_in(concept, "coding") if isinstance(one, dict)]
    return [Coding(text_in(one, "system"), text_in(one, "code"), text_in(one, "display")) for one in found]


def words(concept: Object) -> list[str]:
    """What a concept is called: its text, the words beside its codes, and the name of a code that is known here."""
    found = codings(concept)
    known = (NAMES.get((one.system, one.code), "") for one in found)
    every = (text_in(concept, "text"), *(one.display for one in found), *known)
    return [name for name in every if 0 < len(name) <= LONGEST_NAME]


def code_in(concept: Object, *systems: str) -> str:
    """The first code of one of the systems, or none."""
    return next((one.code for one in codings(concept) if one.system in systems and one.code), "")


def repeated(code: str) -> str:
    """The code, where it is made as codes are; what is not is not repeated: whoever shows it may read it as markup.

    >>> repeated("731-0"), repeated("<img src=x>")
    ('731-0', 'that is none')
    """
    return code if _CODE.fullmatch(code) else "that is none"


def first_code(concept: Object) -> str:
    """The first code of any system."""
    return next((one.code for one in codings(concept) if one.code), "")


@dataclass(frozen=True)
class Resource:
    """One resource with the reference under which it is told of."""

    reference: str
    kind: str
    body: Object
    url: str = ""  # fullUrl of its entry

    @property
    def id(self) -> str:
        """Its own id, or none."""
        return text_in(self.body, "id")

    @property
    def profiles(self) -> tuple[str, ...]:
        """The last parts of the profiles it claims: mcode-cancer-patient."""
        found = (one for one in list_in(object_in(self.body, "meta"), "profile") if isinstance(one, str))
        return tuple(one.rpartition("/")[2].partition("|")[0] for one in found)


@dataclass(frozen=True)
class Resources:
    """All that was sent, in order, and by every name under which another resource may point to it."""

    all: tuple[Resource, ...]
    named: Mapping[str, Resource]
    pointed_to: set[str] = field(default_factory=set)  # references that were resolved so far

    def of(self, *kinds: str) -> list[Resource]:
        """Those of the kinds."""
        return [one for one in self.all if one.kind in kinds]

    def found(self, reference: Object, within: Resource) -> Resource | None:
        """What a Reference points to, if it was sent; `within` is the resource that holds it."""
        target = text_in(reference, "reference")
        if not target:
            return None
        if target.startswith("#"):
            return _contained(target[1:], within)
        last = "/".join(target.split("/_history/")[0].split("/")[-2:])
        found = self.named.get(target) or self.named.get(last)
        if found is not None:
            self.pointed_to.add(found.reference)
        return found


def resources_of(document: object) -> Resources:
    """The resources of a Bundle, of a list, or the one that `document` is; what is none is passed over."""
    return named(one for one in entries_of(document) if one.kind not in (NO_RESOURCE, ANOTHER_PAGE))


def entries_of(document: object) -> Iterator[Resource]:
    """The same with what is no resource in its place, and with the pages that were not sent, so that both can be told of."""
    return _each(document, "", 0)


def named(resources: Iterable[Resource]) -> Resources:
    """The resources by every name under which another may point to them."""
    every, names = tuple(resources), dict[str, Resource]()
    for one in every:
        # an entry of a list has no URL: what points to it by its UUID means its id
        for name in (one.url, one.reference, *((f"{one.kind}/{one.id}", f"urn:uuid:{one.id}") if one.id else ())):
            names.setdefault(name, one)
    return Resources(every, names)


def _each(document: object, url: str, depth: int) -> Iterator[Resource]:
    if depth > DEEPEST or not isinstance(document, list | dict):
        yield Resource(NO_RESOURCE, NO_RESOURCE, _NOTHING)
    elif isinstance(document, list):
        for one in document:
            yield from _each(one, "", depth + 1)
    elif document.get("resourceType") == "Bundle":
        for entry in list_in(document, "entry"):
            yield from _each(object_in(entry, "resource") or None, text_in(entry, "fullUrl"), depth + 1)
        if any(text_in(one, "relation") == "next" for one in list_in(document, "link")):
            yield Resource("Bundle", ANOTHER_PAGE, _NOTHING)
    else:
        yield _resource(document, url)


def _resource(body: Object, url: str) -> Resource:
    kind, id = text_in(body, "resourceType"), text_in(body, "id")
    kind = kind if _TYPE.fullmatch(kind) else NO_RESOURCE
    reference = f"{kind}/{id}" if _ID.fullmatch(id) else url if _URL.fullmatch(url) else kind
    return Resource(reference, kind, body, url)


def _contained(id: str, within: Resource) -> Resource | None:
    found = (one for one in list_in(within.body, "contained") if isinstance(one, dict) and text_in(one, "id") == id)
    body = next(found, None)
    return None if body is None else Resource(f"{within.reference}#", text_in(body, "resourceType"), body)
