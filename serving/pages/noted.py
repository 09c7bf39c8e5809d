"""Who did what among the receipts, from the notes themselves: about one receipt, and what somebody did themselves."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from models.identity import Identity
from serving.access.door import route, who
from serving.pages.events import sentence
from serving.pages.layout import rendered
from serving.pages.reader import Reader
from serving.receipts.record import ACCESS, Record
from serving.receipts.store import Store

PATH = "/audit/mine"
SHOWN = 100  # notes on a page
LOOKED_AT = 5000  # notes that are looked through for them: a tenth of a second


@dataclass(frozen=True)
class Noted:
    """One note in words."""

    number: int
    written: str
    told: str


def about(store: Store, receipt: int) -> list[Noted]:
    """What was done with that receipt, the latest first, as far as the latest notes tell."""
    return list(_notes(store, receipt, lambda note: _is_of(note["what"], receipt)))


def _is_of(what: Mapping[str, Any], receipt: int) -> bool:
    """Whether it was done with that receipt, or it was shown beside another of the same patient."""
    beside = what.get("beside")
    return what.get("receipt") == receipt or (isinstance(beside, list) and receipt in beside)


def by(store: Store, identity: Identity) -> list[Noted]:
    """What somebody did, the latest first, as far as the latest notes tell."""
    named = {"name": identity.name, "by": identity.by}
    return list(_notes(store, 0, lambda note: note["who"] is not None and named.items() <= note["who"].items()))


def routes(reader: Reader) -> list[Route]:
    """The one page of it."""
    return [route("GET", PATH, partial(_mine, reader))]


async def _mine(reader: Reader, request: Request) -> Response:
    """What whoever asks did, for themselves to see."""
    identity = who(request)
    found = await reader.read(lambda: by(reader.archive.store, identity))
    await reader.note(request, "viewed own notes")
    return rendered(request, "mine.html", notes=found, most=LOOKED_AT)


def _notes(store: Store, after: int, meant: Callable[[Mapping[str, Any]], bool]) -> Iterator[Noted]:
    looked_at = islice(store.backwards(after=after, kinds=(ACCESS,)), LOOKED_AT)
    found = ((record, note) for record in looked_at if (note := _read(record)) is not None and meant(note))
    for record, note in islice(found, SHOWN):
        yield Noted(record.sequence, record.time, sentence(ACCESS, note))


def _read(record: Record) -> Mapping[str, Any] | None:
    """The note; None where it was altered so that it is none any more, which a verification tells."""
    try:
        note = json.loads(record.payload)
    except ValueError:
        return None
    whole = isinstance(note, dict) and isinstance(note.get("what"), dict) and isinstance(note.get("who"), dict | None)
    return note if whole else None
