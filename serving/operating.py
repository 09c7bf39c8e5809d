"""What the operator's programs ask: whether the process lives, whether it would answer, and how much it does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from serving.access.door import Admitting, route
from serving.current import Current
from serving.metrics import TYPE, Metrics
from serving.problems import Problems
from serving.readiness import Check, Readiness, following
from serving.receipts.payload import Receipts
from serving.receipts.record import Signed

RETRY_SECONDS = 2
_NO_STORE = {"Cache-Control": "no-store"}


@dataclass(frozen=True)
class Operation:
    """How a service is run: what it counts into, what must be so for it to be ready, how often one may ask."""

    metrics: Metrics = field(default_factory=Metrics)
    checks: Sequence[Check] = ()  # besides that receipts can be written and the model is the one that should answer
    head: Callable[[], Signed | None] = lambda: None  # the last one that is durable
    waiting: Admitting = lambda identity: 0.0


class Operating:
    """Answers whoever watches over the service."""

    def __init__(self, operation: Operation, current: Current, receipts: Receipts, problems: Problems):
        self.metrics, self.head, self.current, self.problems = operation.metrics, operation.head, current, problems
        self.readiness = Readiness([receipts.ready, following(current), *operation.checks])

    def routes(self) -> list[Route]:
        """What they may ask."""
        return [
            route("GET", "/livez", self._livez),
            route("GET", "/readyz", self._readyz),
            route("GET", "/metrics", self._metrics),
        ]

    async def _livez(self, request: Request) -> Response:
        return JSONResponse({"status": "alive"}, headers=_NO_STORE)

    async def _readyz(self, request: Request) -> Response:
        if reasons := await self.readiness.reasons():
            title, later = f"not ready: {'; '.join(reasons)}", {"Retry-After": str(RETRY_SECONDS)}
            return self.problems.problem(HTTPStatus.SERVICE_UNAVAILABLE, title, headers=later)
        return JSONResponse({"status": "ready"}, headers=_NO_STORE)

    async def _metrics(self, request: Request) -> Response:
        # of several workers, the files of all are read: not on the loop that answers
        shown = await asyncio.to_thread(self.metrics.text, self.current.artifact, self.head())
        return Response(shown, headers=_NO_STORE, media_type=TYPE)
