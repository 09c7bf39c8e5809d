"""Trying things out: everybody at this computer is one and the same, and may do everything. Never where patients are."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import HTTPConnection
from starlette.responses import Response

from models.identity import Identity, Role

DESK = Identity("dev", frozenset(Role), "", "this computer")


@dataclass(frozen=True)
class Desk:
    """The access of `serve --dev`, which answers on loopback alone."""

    async def identity(self, asking: HTTPConnection) -> Identity | None:
        """The one that everybody is."""
        return DESK

    def turned_back(self, asking: HTTPConnection, title: str) -> Response | None:
        """Nobody is."""
        return None
