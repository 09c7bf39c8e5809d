"""Receipts read for a page: in threads of their own, so that nobody waits for a score meanwhile, and never without a note."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import Request

from serving.access.door import who
from serving.access.noting import Notes
from serving.receipts.archive import Archive
from serving.receipts.record import BrokenReceipt

Found = TypeVar("Found")
Posted = Callable[[Request], Awaitable[Mapping[str, str]]]  # the fields of a form, once it is known to come from a page of ours
READERS = 2  # threads: an auditor who searches holds up another auditor, and nobody else


@dataclass(frozen=True)
class Reader:
    """What every page that shows receipts is given."""

    archive: Archive
    notes: Notes
    posted: Posted
    _threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(READERS, "pages"), repr=False)

    async def read(self, look: Callable[[], Found], threads: ThreadPoolExecutor | None = None) -> Found:
        """What `look` finds in the archive, looked for in a thread; 503 with the reason where the archive cannot be read."""
        try:
            return await asyncio.get_running_loop().run_in_executor(threads or self._threads, look)
        except BrokenReceipt as error:
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, f"the receipts cannot be read: {error}") from error

    async def note(self, request: Request, did: str, **what: object) -> None:
        """Records what is about to be shown to whoever asks; NoReceipt where it cannot be, and then it is not shown."""
        await self.notes.made(who(request), did, **what)


async def no_forms(request: Request) -> Mapping[str, str]:
    """Where nobody can sign in, no form is taken: nothing would show that it comes from a page of ours."""
    raise HTTPException(HTTPStatus.FORBIDDEN, "forms are taken from whoever signed in, and from nobody else")


def number_in(given: str) -> int:
    """The number of a receipt in a path or a form; 404 for what is none."""
    if not re.fullmatch(r"[0-9]{1,18}", given):
        raise HTTPException(HTTPStatus.NOT_FOUND, "there is no such receipt")
    return int(given)
