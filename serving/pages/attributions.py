"""What drove the risks of a period, in chosen groups of patients, and what has shifted: of many patients, and of nobody alone.

The question stands in the address, so that it can be kept and asked again; nothing in it is a patient's. What is found is what
`lymphorisk audit attributions` finds, read as far as a page may make somebody wait.
"""

from __future__ import annotations

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serving.access.door import route
from serving.pages.layout import HEADERS, Layout, rendered
from serving.pages.reader import Reader
from serving.pages.words import say

if TYPE_CHECKING:  # the statistics are loaded when somebody asks for them: a worker that scores does without
    from serving.pages.attributions_form import Form
    from serving.receipts.attributions.look import Look
    from serving.receipts.attributions.question import Question

PATH = "/audit/attributions"
CSV = f"{PATH}.csv"
RECEIPTS = 5_000  # of each period: three to four seconds of reading, and a second or two of reckoning
SECONDS = 7.0  # of reading, where the computer is busy with other things
RETRY_SECONDS = 10


def routes(reader: Reader) -> list[Route]:
    """The page and its numbers."""
    pages = AttributionsPages(reader)
    return [route("GET", PATH, pages.show), route("GET", CSV, pages.numbers)]


@dataclass(frozen=True)
class AttributionsPages:
    """What is told of many receipts; one computation is under way at a time, and who comes meanwhile is told so at once."""

    reader: Reader
    _one: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "attributions"), repr=False)

    async def show(self, request: Request) -> Response:
        """The form; with a question, what was found, in words, figures and tables."""
        form = await self._form(request)
        if form.question is None or not request.query_params:
            return self._page(request, form)
        found = await self._found(form.question)
        await self.reader.note(request, "looked at attributions", **form.asked)
        return self._page(request, form, found)

    async def numbers(self, request: Request) -> Response:
        """Every number of the same, as CSV."""
        form = await self._form(request)
        if form.question is None:
            return self._page(request, form)
        found = await self._found(form.question)
        table = _table(found)
        await self.reader.note(request, "took attributions away", **form.asked, format="csv")
        named = {"Content-Disposition": f'attachment; filename="attributions-{datetime.now(UTC).date()}.csv"'}
        return Response(table, headers=HEADERS | named, media_type="text/csv")

    async def _form(self, request: Request) -> Form:
        from serving.pages.attributions_form import Form

        layout: Layout = request.app.state.layout
        models = await self.reader.read(self.reader.archive.models.digests)
        return Form.of(request.query_params, layout.current.artifact.model.days, models)

    async def _found(self, question: Question) -> Look:
        """503 while another one is under way."""
        if not self._one.acquire(blocking=False):
            retry = {"Retry-After": str(RETRY_SECONDS)}
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, say("attributions", "busy", seconds=RETRY_SECONDS), retry)
        return await self.reader.read(partial(self._look, question), self._threads)

    def _look(self, question: Question) -> Look:
        from serving.receipts.attributions.look import look
        from serving.receipts.attributions.reading import Limit

        try:
            return look(self.reader.archive, question, Limit(RECEIPTS, SECONDS))
        finally:
            self._one.release()

    def _page(self, request: Request, form: Form, found: Look | None = None) -> Response:
        status = 200 if form.question else 400
        if found is None:
            return rendered(request, "attributions.html", status, form=form, found=None)
        from serving.pages.attributions_view import View

        return rendered(request, "attributions.html", status, form=form, found=View.of(found), csv=f"{CSV}?{form.query}")


def _table(found: Look) -> str:
    from serving.receipts.attributions.numbers import numbers, write

    write(numbers(found), file := io.StringIO())
    return file.getvalue()
