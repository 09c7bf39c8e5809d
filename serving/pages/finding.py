"""Receipts found by number, digest, day, model or patient; a page of them at a time, the newest first.

A pseudonym comes in the body of a request, so that it stands in no address, no history and no log.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from http import HTTPStatus
from itertools import islice

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from serving.access.door import route
from serving.pages.events import sentence
from serving.pages.layout import HEADERS, rendered
from serving.pages.reader import Reader
from serving.pages.words import say
from serving.receipts.archive import Archive
from serving.receipts.finding import NotFound, Receipt, named
from serving.receipts.record import ACCESS, KINDS, SCORE
from serving.receipts.telling import in_a_row

SHOWN = 50  # receipts on a page
LOOKED_AT = 2000  # records that one search opens: two seconds, then it is asked whether to go on
MOST_OF_ONE = 500  # receipts of one patient on a page
SHOW: Mapping[str, tuple[str, ...]] = {
    "score": (SCORE,),
    "event": tuple(kind for kind in KINDS if kind not in (SCORE, ACCESS)),
    "access": (ACCESS,),
    "all": KINDS,
}
_MODEL = re.compile(r"[0-9a-f]{4,64}")


class Unclear(ValueError):
    """A search that cannot be understood; the message, a word of ours, says which part."""


@dataclass(frozen=True)
class Search:
    """What is looked for in the log: days (UTC), the beginning of a model's digest, which records, before which number."""

    since: date | None = None
    until: date | None = None
    model: str = ""
    show: str = "score"
    before: int | None = None

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Search:
        """The search that an address names; Unclear where it names none."""
        since, until, before = _day(given.get("since", "")), _day(given.get("until", "")), given.get("before", "")
        model, show = given.get("model", "").strip().lower(), given.get("show", "score")
        if since and until and since > until:
            raise Unclear("bad_day")
        if model and not _MODEL.fullmatch(model):
            raise Unclear("bad_model")
        known = show if show in SHOW else "score"
        return cls(since, until, model, known, int(before) if re.fullmatch("[0-9]{1,18}", before) else None)

    def as_note(self) -> dict[str, object]:
        """For the note of the search."""
        days = {"since": self.since and self.since.isoformat(), "until": self.until and self.until.isoformat()}
        return {name: value for name, value in (days | {"model": self.model, "show": self.show}).items() if value}


@dataclass(frozen=True)
class Row:
    """One receipt in a list."""

    number: int
    written: str
    told: str  # of what is no score, or can not be read
    cells: tuple[str, ...] = ()
    look: str = ""


@dataclass(frozen=True)
class Found:
    """A page of a search: what was found, which records were looked through, where older ones go on (None: there are none)."""

    rows: tuple[Row, ...]
    first: int
    last: int
    older: int | None


def routes(reader: Reader) -> list[Route]:
    """The search, by address and by form."""
    pages = FindingPages(reader)
    return [route("GET", "/audit", pages.search), route("POST", "/audit/patient", pages.of_patient)]


@dataclass(frozen=True)
class FindingPages:
    """Lists of receipts; each is noted before it is shown."""

    reader: Reader

    async def search(self, request: Request) -> Response:
        """A page of the log, or the way to the one receipt that was named."""
        given = request.query_params
        if id := given.get("id", "").strip().lower():
            return await self._named(request, id)
        try:
            search = Search.of(given)
        except Unclear as error:
            return self._page(request, Search(), None, 400, str(error))
        found = await self.reader.read(partial(found_in, self.reader.archive, search))
        await self.reader.note(request, "searched", **search.as_note(), found=len(found.rows))
        return self._page(request, search, found)

    async def _named(self, request: Request, id: str) -> Response:
        store = self.reader.archive.store
        try:
            record = await self.reader.read(lambda: named(store, id))
        except NotFound:
            await self.reader.note(request, "searched", found=0)
            return self._page(request, Search(), None, 404, "not_there")
        await self.reader.note(request, "searched", found=1)
        return RedirectResponse(f"/audit/receipts/{record.sequence}", HTTPStatus.SEE_OTHER, HEADERS)

    async def of_patient(self, request: Request) -> Response:
        """All receipts of one pseudonym."""
        pseudonym = (await self.reader.posted(request)).get("pseudonym", "").strip()
        archive = self.reader.archive
        rows = await self.reader.read(lambda: [_row(one) for one in islice(archive.of_patient(pseudonym), MOST_OF_ONE + 1)])
        await self.reader.note(request, "searched by pseudonym", found=len(rows))
        return rendered(request, "patient.html", rows=rows[:MOST_OF_ONE], most=MOST_OF_ONE if len(rows) > MOST_OF_ONE else 0)

    def _page(self, request: Request, search: Search, found: Found | None, status: int = 200, fault: str = "") -> Response:
        told = say("find", fault) if fault else ""
        return rendered(request, "find.html", status, search=search, found=found, fault=told, kinds=list(SHOW))


def found_in(archive: Archive, search: Search) -> Found:
    """The newest receipts that match, among at most LOOKED_AT records."""
    end = archive.first_after(search.until) if search.until else None
    before = min((one for one in (end, search.before) if one is not None), default=None)
    after = archive.first_of(search.since) - 1 if search.since else 0
    last = archive.store.last()
    newest = min(before - 1 if before is not None else last.sequence, last.sequence) if last else 0
    rows: list[Row] = []
    seen = 0
    for record in archive.store.backwards(before, after, SHOW[search.show]):
        if len(rows) == SHOWN or seen == LOOKED_AT:
            return Found(tuple(rows), record.sequence + 1, newest, record.sequence + 1)
        seen, receipt = seen + 1, archive.receipt(record)
        if _by(receipt, search.model):
            rows.append(_row(receipt))
    return Found(tuple(rows), min(after + 1, newest), newest, None)


def _by(receipt: Receipt, model: str) -> bool:
    """Whether that model answered; without one, every record is meant."""
    if not model:
        return True
    document = receipt.document or {}
    return str(document.get("model", {}).get("digest", "")).startswith(model)


def _row(receipt: Receipt) -> Row:
    number, written = receipt.record.sequence, receipt.record.time
    if receipt.document is None:
        return Row(number, written, say("find", receipt.why), look="bad" if receipt.why == "broken" else "doubt")
    if receipt.record.kind != SCORE:
        return Row(number, written, sentence(receipt.record.kind, receipt.document))
    return Row(number, written, "", in_a_row(receipt.document))


def _day(given: str) -> date | None:
    try:
        return date.fromisoformat(given) if given else None
    except ValueError:
        raise Unclear("bad_day") from None
