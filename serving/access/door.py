"""The door: nobody passes whose identity was not proved, and nobody further than their role may go.

Every route has its row in `permissions`; a route without one is not served at all. What is refused here is refused before the
body of the request is read.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from models.identity import Identity
from serving.access.noting import Notes
from serving.access.permissions import ROUTES, Action, may
from serving.problems import Problems

IDENTITY = "identity"  # under which a request carries who asks


class Unproved(Exception):
    """What was shown to prove an identity does not: expired, revoked, for others, forged. The message repeats nothing of it."""


class Access(Protocol):
    """Finds out who asks."""

    async def identity(self, asking: HTTPConnection) -> Identity | None:
        """Who asks; None where nothing was shown that could prove it. Raises Unproved where what was shown does not."""
        ...

    def turned_back(self, asking: HTTPConnection, title: str) -> Response | None:
        """What whoever is not known is answered instead of the problem (a browser is sent to sign in); None for the problem."""
        ...


Admitting = Callable[[Identity], float]  # seconds that this one has to wait before asking again; 0: come in


@dataclass(frozen=True)
class Door:
    """What stands before every route."""

    access: Access
    notes: Notes
    problems: Problems
    waiting: Admitting = lambda identity: 0.0

    def before(self, routes: Iterable[Route]) -> list[Route]:
        """The same routes, each behind the door; KeyError for one of which the table does not say what it asks for."""
        found = list(routes)
        for route in found:
            (method,) = route.methods or set()
            route.app = _Guarded(self, ROUTES[method, route.path], route.app)
        return found


@dataclass(frozen=True)
class _Guarded:
    door: Door
    action: Action
    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self.app if self.action is Action.OPEN else await self._admitted(scope)
        await answer(scope, receive, send)

    async def _admitted(self, scope: Scope) -> ASGIApp:
        """What answers: the route, or why not."""
        asking, problem = HTTPConnection(scope), self.door.problems.problem
        try:
            identity = await self.door.access.identity(asking)
        except Unproved as error:
            return self._unknown(asking, str(error))
        if identity is None:
            return self._unknown(asking, "who asks is not known: an API key or a token of the identity provider is needed")
        scope.setdefault("state", {})[IDENTITY] = identity  # a page that says "not for you" tells who one is
        if wait := self.door.waiting(identity):  # before what is denied is noted: a note costs a record
            seconds = math.ceil(wait)
            headers = {"Retry-After": f"{seconds}", "RateLimit": f'"identity";r=0;t={seconds}'}
            return problem(HTTPStatus.TOO_MANY_REQUESTS, "too many requests in the name of one", headers=headers)
        if not may(identity, self.action):
            self.door.notes.soon(identity, "was denied", action=self.action.name)
            return problem(HTTPStatus.FORBIDDEN, f"{_roles(identity)} may not: {self.action}")
        return self.app

    def _unknown(self, asking: HTTPConnection, title: str) -> ASGIApp:
        challenge = {"WWW-Authenticate": 'Bearer realm="lymphorisk"'}
        return self.door.access.turned_back(asking, title) or self.door.problems.problem(
            HTTPStatus.UNAUTHORIZED, title, headers=challenge
        )


def who(asking: HTTPConnection) -> Identity:
    """Who asks, once the door has let them in."""
    found: Identity = asking.state.identity
    return found


def _roles(identity: Identity) -> str:
    return ", ".join(sorted(identity.roles)) or "somebody without a role"


Endpoint = Callable[..., Awaitable[Response]]


def route(method: str, path: str, endpoint: Endpoint) -> Route:
    """A route of one method: what Starlette would add by itself has no row in the table."""
    found = Route(path, endpoint, methods=[method])
    found.methods = {method}
    return found
