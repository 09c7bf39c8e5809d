"""Files of FHIR resources are sorted by patient: on the disk, so that an export of any size can be read.

A Bundle or a list is read whole, a file of NDJSON line by line. Medications that are pointed to from elsewhere belong to no
patient, and are the one thing that is held in memory.

References
----------
HL7 FHIR R4 (4.0.1, 2019): Bundle, references. FHIR Bulk Data Access 2.0 (2021): NDJSON, one kind of resource a file.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from models.fault import Fault
from models.fhir.reading import READ
from models.fhir.resources import Resource, object_in, resources_of, text_in
from models.mapping import InvalidCohort
from training.sources.database import Columns, Work

SORTED: Columns = {"person": "TEXT", "place": "BIGINT", "url": "TEXT", "body": "TEXT"}
_KEPT = {*READ, "Patient", "Specimen", "Encounter"}
Body = Mapping[str, Any]


@dataclass
class Sorted:
    """What was counted on the way; `medications` by the names under which others point to them."""

    kinds: Counter[str] = field(default_factory=Counter)
    medications: dict[str, Body] = field(default_factory=dict)
    unread: Counter[str] = field(default_factory=Counter)


def sort_files(work: Work, source: Path) -> Sorted:
    """Make `sorted` of every .json and .ndjson file of `source`. Raises InvalidCohort where there is none, or one is no JSON."""
    there = source.rglob("*") if source.is_dir() else [source]
    paths = sorted(path for path in there if path.suffix.lower() in (".json", ".ndjson") or path == source)
    if not paths or not all(path.is_file() for path in paths):
        allowed = "a file or folder of FHIR resources: .json (Bundles, lists) or .ndjson (bulk export)"
        raise InvalidCohort([Fault(str(source), "nothing", allowed)])
    found = Sorted()
    work.fill("sorted", SORTED, _rows(paths, found))
    return found


def _rows(paths: list[Path], found: Sorted) -> Iterator[tuple[object, ...]]:
    place = 0
    for path in paths:
        for person, one in _resources(path):
            found.kinds[one.kind] += 1
            if one.kind == "Medication":
                found.medications |= {name: one.body for name in (one.url, one.reference) if name}
            elif one.kind not in _KEPT:
                found.unread[f"{one.kind}: a kind of resource that is not read"] += 1
            elif not person:
                found.unread[f"{one.kind}: it does not say of whom it is"] += 1
            else:
                place += 1
                yield person, place, one.url, json.dumps(one.body)


def _resources(path: Path) -> Iterator[tuple[str, Resource]]:
    """Each resource with the id of its patient; in a document of one patient everything is that patient's."""
    if path.suffix.lower() == ".ndjson":
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield from ((_person(one), one) for one in resources_of(_json(path, line, f", line {number}")).all)
        return
    document = resources_of(_json(path, path.read_bytes(), ""))
    patients = {_person(one) for one in document.of("Patient")}
    alone = next(iter(patients)) if len(patients) == 1 else ""
    yield from ((alone or _person(one), one) for one in document.all)


def _json(path: Path, text: bytes, where: str) -> object:
    try:
        return json.loads(text.decode("utf-8-sig"))  # some programs begin a file with a mark of its encoding
    except (ValueError, RecursionError) as error:
        raise InvalidCohort([Fault(f"{path.name}{where}", "what is no JSON", "FHIR resources in JSON")]) from error


def _person(one: Resource) -> str:
    """The id of the patient it is of, "" where it does not say."""
    if one.kind == "Patient":
        return one.id or _last(one.url)
    subject = object_in(one.body, "subject") or object_in(one.body, "patient")
    return _last(text_in(subject, "reference"))


def _last(reference: str) -> str:
    return reference.split("/_history/")[0].rpartition("/")[2].removeprefix("urn:uuid:")


def bundles(work: Work, found: Sorted) -> Iterator[tuple[str, Body]]:
    """A Bundle for each patient, with the medications that its resources point to."""
    rows = work.rows("SELECT person, url, body FROM sorted ORDER BY person, place")
    for person, own in groupby(rows, key=itemgetter(0)):
        entries: list[dict[str, object]] = []
        pointed: dict[str, None] = {}
        for _, url, text in own:
            body = json.loads(text)
            entries.append({"resource": body} | ({"fullUrl": url} if url else {}))
            pointed[text_in(object_in(body, "medicationReference"), "reference")] = None
        # each under the very words by which it is pointed to
        entries += [{"fullUrl": name, "resource": found.medications[name]} for name in pointed if name in found.medications]
        yield str(person), {"resourceType": "Bundle", "entry": entries}
