"""Whether every receipt is as it was written: what the last verification found, one begun anew, signed heads, the public key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from models.identity import Identity
from models.seal import BrokenSeal
from serving.access.door import route, who
from serving.access.noting import note
from serving.pages.layout import HEADERS, rendered
from serving.pages.reader import Reader
from serving.pages.verifying import Verifying
from serving.receipts.heads import last_head
from serving.receipts.record import BrokenReceipt
from serving.receipts.verify import Verified

PATH = "/audit/verification"


def routes(reader: Reader) -> list[Route]:
    """The status, the beginning of a new one, and how far it has come."""
    pages = VerificationPages(reader, Verifying(reader.archive))
    return [
        route("GET", PATH, pages.status),
        route("POST", PATH, pages.begin),
        route("GET", f"{PATH}/progress", pages.progress),
    ]


@dataclass(frozen=True)
class VerificationPages:
    """What is shown of verifications: no patient, and no receipt."""

    reader: Reader
    verifying: Verifying

    async def status(self, request: Request) -> Response:
        """The last one in words; while one is under way, how far it has come, which is no reason for a note."""
        progress = await self.reader.read(self.verifying.progress)
        if progress is None or not progress["goes_on"]:
            await self.reader.note(request, "viewed the verification")
        shown = await self.reader.read(self._shown)
        return rendered(request, "verification.html", progress=progress, **shown)

    async def begin(self, request: Request) -> Response:
        """Begin one, and go to see how far it comes; where one is under way already, only that."""
        whole = (await self.reader.posted(request)).get("extent") == "whole"
        identity = who(request)
        await self.reader.note(request, "had the receipts verified", extent="whole" if whole else "since the last")
        by = f"{identity.name} ({identity.by})"
        await self.reader.read(lambda: self.verifying.start(by, whole, lambda found: self._noted(identity, found)))
        return RedirectResponse(PATH, HTTPStatus.SEE_OTHER, HEADERS)

    async def progress(self, request: Request) -> Response:
        """For the page that waits: how far it has come; nothing once it has ended."""
        found = await self.reader.read(self.verifying.progress)
        return JSONResponse(found if found and found["goes_on"] else None, headers=HEADERS)

    def _noted(self, identity: Identity, found: Verified) -> None:
        """What was found is recorded first; NoReceipt where it cannot be."""
        what = {"records": found.records, "since": found.since, "heads": found.heads, "faults": len(found.faults)}
        self.reader.notes.receipts.record([note(identity, "found the receipts verified", what)])

    def _shown(self) -> Mapping[str, Any]:
        store = self.reader.archive.store
        last, head, forged = None, None, ""
        try:
            last = self.verifying.last()
            head, _ = last_head(store.heads)
        except (BrokenSeal, OSError) as error:
            forged = str(error) if isinstance(error, BrokenReceipt | BrokenSeal) else f"{error.strerror}"
        newest = store.last()
        return {"last": last, "head": head, "forged": forged, "store": store, "newest": newest.sequence if newest else 0}
