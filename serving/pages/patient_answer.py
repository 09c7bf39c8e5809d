"""The page of one answer, as a clinician reads it: made of its receipt alone, noted before it is shown, fit for one sheet."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serving.access.door import route, who
from serving.access.permissions import Action, may
from serving.pages.layout import rendered
from serving.pages.owned import owned
from serving.pages.patient_course import course_of
from serving.pages.patient_view import shown
from serving.pages.reader import Reader
from serving.pages.trends import trends_of
from serving.receipts.record import SCORE

PATH = "/patient/{sequence}"


def routes(reader: Reader) -> list[Route]:
    """The answer."""
    return [route("GET", PATH, PatientAnswer(reader).page)]


@dataclass(frozen=True)
class PatientAnswer:
    """Shows answers that were given, whoever asked for them: a form, a hospital system, a program."""

    reader: Reader

    async def page(self, request: Request) -> Response:
        """The answer of a receipt; 404 for a receipt of something else, or of what was erased."""
        one = await owned(self.reader, request)
        document = one.receipt.document
        if one.receipt.record.kind != SCORE or document is None or not document["answer"]["risks"]:
            raise HTTPException(HTTPStatus.NOT_FOUND, "there is no such answer")
        told, record = shown(one), one.receipt.record
        course = await self.reader.read(partial(course_of, self.reader.archive, record, who(request), told["main"]))
        beside = {} if course is None else {"beside": course.others}
        await self.reader.note(request, "viewed", receipt=record.sequence, form="answer", **beside)
        told |= {"course": course, "trends": trends_of(document["patient"]), "may_score": may(who(request), Action.SCORE)}
        return rendered(request, "patient_answer.html", **told)
