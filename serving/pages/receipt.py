"""One receipt in a browser: what came in, how it was understood, every term; its seals, and the same computed again.

An auditor sees any receipt. A clinician sees those of the own unit, without the auditor's tools; another unit's is not found.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from serving.access.door import route, who
from serving.access.permissions import Action, may
from serving.pages.layout import HEADERS, rendered
from serving.pages.noted import Noted, about
from serving.pages.owned import owned
from serving.pages.printed import printed
from serving.pages.reader import Reader, number_in
from serving.pages.receipt_view import seen
from serving.receipts.audited import Audited
from serving.receipts.payload import dumped
from serving.receipts.replay import FAILED, Replayed, replayed

PATH = "/audit/receipts/{sequence}"


def routes(reader: Reader) -> list[Route]:
    """Everything about one receipt."""
    pages = ReceiptPages(reader)
    return [
        route("GET", "/audit/receipts", pages.by_number),
        route("GET", PATH, pages.page),
        route("GET", f"{PATH}/print", pages.print),
        route("GET", f"{PATH}/json", pages.json),
        route("POST", f"{PATH}/replay", pages.replay),
        route("GET", "/v1/receipts/{sequence}", pages.document),
    ]


@dataclass(frozen=True)
class ReceiptPages:
    """The pages of one receipt; each is noted before it is shown."""

    reader: Reader

    async def by_number(self, request: Request) -> Response:
        """To the receipt whose number was typed in."""
        number = number_in(request.query_params.get("number", ""))
        return RedirectResponse(f"/audit/receipts/{number}", HTTPStatus.SEE_OTHER, HEADERS)

    async def page(self, request: Request) -> Response:
        """The receipt whole."""
        one = await owned(self.reader, request)
        notes = await self._notes(request, one)
        await self.reader.note(request, "viewed", receipt=one.receipt.record.sequence)
        return self._rendered(request, one, notes)

    async def print(self, request: Request) -> Response:
        """The printable page, as `lymphorisk audit show --html` writes it."""
        one = await owned(self.reader, request)
        await self.reader.note(request, "viewed", receipt=one.receipt.record.sequence, form="printable page")
        return printed(one)

    async def json(self, request: Request) -> Response:
        """The receipt as a file, every digit."""
        one = await owned(self.reader, request)
        number = one.receipt.record.sequence
        await self.reader.note(request, "exported", receipt=number, form="json", records=1)
        named = {"Content-Disposition": f'attachment; filename="receipt-{number}.json"'}
        content = json.dumps(one.as_json(), ensure_ascii=False, allow_nan=False, indent=2).encode()
        return Response(content, headers=HEADERS | named, media_type="application/json")

    async def document(self, request: Request) -> Response:
        """The receipt for a program, every digit; whoever may see the page may have it."""
        one = await owned(self.reader, request)
        await self.reader.note(request, "viewed", receipt=one.receipt.record.sequence, form="json")
        return Response(dumped(one.as_json()), headers=HEADERS, media_type="application/json")

    async def replay(self, request: Request) -> Response:
        """The receipt, with what became of it when it was computed again just now."""
        await self.reader.posted(request)
        one = await owned(self.reader, request)
        archive = self.reader.archive
        receipt = archive.receipt(one.receipt.record)
        (found,) = await self.reader.read(lambda: list(replayed([receipt], archive.models)))
        notes = await self._notes(request, one)
        await self.reader.note(request, "replayed", receipt=found.sequence, verdict=found.verdict)
        return self._rendered(request, one, notes, found)

    async def _notes(self, request: Request, one: Audited) -> Sequence[Noted]:
        """Who looked at it before; for auditors."""
        if not may(who(request), Action.SEE_ALL):
            return ()
        return await self.reader.read(lambda: about(self.reader.archive.store, one.receipt.record.sequence))

    def _rendered(self, request: Request, one: Audited, notes: Sequence[Noted], replay: Replayed | None = None) -> Response:
        more = {"notes": notes, "replay": replay, "replay_look": _look(replay)}
        return rendered(request, "receipt.html", **seen(one, may(who(request), Action.SEE_ALL)) | more)


def _look(replay: Replayed | None) -> str:
    """How the verdict is shown: as good, as bad, or as one that wants an explanation."""
    if replay is None:
        return ""
    return "bad" if replay.verdict in FAILED else "doubt" if replay.places or replay.why else "good"
