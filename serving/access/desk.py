"""Trying things out: everybody at this computer is one and the same, and may do everything. Never where patients are.

Programs need to show nothing. A browser needs a link that this process printed, for a page somewhere else could ask in its name.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import HTTPConnection
from starlette.responses import Response

from models.identity import Identity, Role
from serving.access.permissions import PROGRAMS
from serving.access.proofs import Sessions
from serving.access.way_back import sent_to_sign_in, wants_page

DESK = Identity("dev", frozenset(Role), "", "this computer")
_NO_PAGES = (*PROGRAMS, "/openapi.json", "/metrics")


@dataclass(frozen=True)
class Desk:
    """The access of `serve --dev`, which answers on loopback alone; pages only with `sessions`."""

    sessions: Sessions | None = None

    async def identity(self, asking: HTTPConnection) -> Identity | None:
        """The one that everybody is; of a page, whoever is signed in."""
        found = self.sessions.identity(asking) if self.sessions is not None else None
        return found or (DESK if asking.url.path.startswith(_NO_PAGES) else None)

    def turned_back(self, asking: HTTPConnection, title: str) -> Response | None:
        """A browser is told where the link is."""
        return sent_to_sign_in(asking) if self.sessions is not None and wants_page(asking) else None
