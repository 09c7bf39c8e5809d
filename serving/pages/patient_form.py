"""The page on which a clinician enters a patient: every value with its unit and its day, and what is wrong said beside it.

What was filled in is scored by the one way that all patients go (`serving.scoring`). An answer is shown on a page of its own,
which can be read again, printed and passed on within the unit; a refusal shows the form as it was filled in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from models.fault import Fault
from models.lymphopenia import Lymphopenia, lymphopenia
from models.patient import Measurement, Patient
from serving.access.door import route, who
from serving.caller import over_http
from serving.changes import Earlier
from serving.comparing import Comparing
from serving.pages import patient_fields as known
from serving.pages.layout import HEADERS, rendered
from serving.pages.patient_draws import DRAWS
from serving.pages.patient_given import DRAWN, Given, given_of
from serving.pages.reader import Reader
from serving.pages.words import say
from serving.receipts.record import NoReceipt
from serving.refused import Refused
from serving.scoring import NotScored, Scoring
from serving.strict_json import InvalidRequest
from serving.wire import COMPARED

PATH = "/patient"
MORE, ACT = "more", "act"  # the button that asks for another row of treatments, and the name of all buttons
BY = "page"
ROWS = "rows"
LAST_DRAWS = 3  # of lymphocytes, shown where there is no risk
MOST_TOLD = 10  # faults of one field: more are mended when these are


@dataclass(frozen=True)
class Form:
    """What stands in the fields, what is wrong by field, how many rows of treatments there are, and why there is no risk."""

    values: Mapping[str, str]
    faults: Mapping[str, Sequence[str]] = field(default_factory=dict)  # by field; "" for what belongs to none
    rows: int = known.LEAST_ROWS
    why: str = ""  # the word of `serving.refused.Why`, or nothing
    lymphopenia: Lymphopenia | None = None
    draws: Sequence[Measurement] = ()  # of lymphocytes, the newest first

    def value(self, name: str) -> str:
        """What was filled in there."""
        return self.values.get(name, "")


def routes(reader: Reader, scoring: Scoring) -> list[Route]:
    """The form, and what becomes of it."""
    page = PatientForm(reader, scoring, Comparing(reader.notes, reader.archive))
    return [route("GET", PATH, page.empty), route("POST", PATH, page.filled)]


@dataclass(frozen=True)
class PatientForm:
    """Asks for a patient, and answers with the page of the receipt or with the form and what is wrong in it."""

    reader: Reader
    scoring: Scoring
    comparing: Comparing

    async def empty(self, request: Request) -> Response:
        """The form with nothing in it but the day, and the receipt with which the address says to compare."""
        named = request.query_params.get(COMPARED, "")
        earlier = {COMPARED: named} if re.fullmatch("[1-9][0-9]{0,14}", named) else {}
        return _page(request, Form({"as_of": datetime.now(UTC).date().isoformat()} | earlier))

    async def filled(self, request: Request) -> Response:
        """To the page of the answer, once it is recorded; else the form again."""
        values = await self.reader.posted(request)
        _require_known(values)
        rows = _rows(values)
        if values.get(ACT) == MORE:
            return _page(request, Form(values, rows=min(rows + 2, known.MOST_ROWS)))
        given = given_of(values)
        if given.faults:
            return _refused(request, _faulty(values, rows, given, [*given.faults, *self._read(given)]))
        try:
            earlier = await self._earlier(request, given)
            scored = await self.scoring.one(given.body, over_http(request, who(request)) | {"by": BY}, earlier=earlier)
        except InvalidRequest as error:
            return _refused(request, _faulty(values, rows, given, error.faults))
        except NotScored as error:
            return _refused(request, self._unscored(values, rows, given, error.refused))
        except NoReceipt as error:
            detail = f"no score: it could not be recorded ({error.reason})"
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, detail, {"Retry-After": "2"}) from error
        return RedirectResponse(f"{PATH}/{scored.receipt.sequence}", HTTPStatus.SEE_OTHER, HEADERS)

    async def _earlier(self, request: Request, given: Given) -> Earlier | None:
        """The earlier score that is named, if any is; InvalidRequest and NotScored as `Scoring.one` raises them."""
        asked = self.scoring.read(given.body)
        (patient,) = asked.patients
        if asked.compared_with is None or isinstance(patient, Refused):
            return None
        found = await self.comparing.earlier(patient, asked.compared_with, asked.day, who(request))
        if isinstance(found, Refused):
            self.scoring.turned_away(found)
            raise NotScored(found)
        return found

    def _read(self, given: Given) -> Sequence[Fault]:
        """What is wrong besides: everything that is to be put right is said at once."""
        try:
            (one,) = self.scoring.read(given.body).patients
        except InvalidRequest as error:
            return error.faults
        spoken_of = {given.field_of(fault.field) for fault in given.faults} - {DRAWS}
        faults = one.faults if isinstance(one, Refused) else ()
        return [fault for fault in faults if given.field_of(fault.field) not in spoken_of]

    def _unscored(self, values: Mapping[str, str], rows: int, given: Given, refused: Refused) -> Form:
        """Why there is no risk, and what the lymphocytes tell all the same."""
        form = _faulty(values, rows, given, refused.faults, refused.why)
        (patient,) = self.scoring.read(given.body).patients
        if not isinstance(patient, Patient):
            return form
        draws = tuple(patient.series.get("alc", ()))[:LAST_DRAWS]
        return replace(form, lymphopenia=lymphopenia(patient), draws=draws)


def _page(request: Request, form: Form, status: int = HTTPStatus.OK) -> Response:
    return rendered(
        request,
        "patient_form.html",
        status,
        form=form,
        blood=known.labs(known.BLOOD),
        chemistry=known.labs(known.CHEMISTRY),
        condition=known.labs(known.STATUS),
        tumours=known.tumours(),
        known=known,
        sexes=known.choices(known.SEXES),
        answers=known.choices(known.ANSWERS),
        modalities=known.choices(known.MODALITY_CHOICES),
        outcomes=known.choices(known.OUTCOME_CHOICES),
    )


def _refused(request: Request, form: Form) -> Response:
    return _page(request, form, HTTPStatus.UNPROCESSABLE_ENTITY)


def _faulty(values: Mapping[str, str], rows: int, given: Given, faults: Sequence[Fault], why: str = "invalid") -> Form:
    """The form with its faults beside the fields; a fault of no field that is there stands above all."""
    by_field: dict[str, list[str]] = {}
    for fault in faults:
        name = given.field_of(fault.field)
        name = name if _is_field(name) else ""
        lines, told = by_field.setdefault(name, []), _told(fault, given, name, why)
        if told not in lines:
            lines.append(told)
    for lines in by_field.values():
        if len(lines) > MOST_TOLD:
            lines[MOST_TOLD:] = [say("patient", "more_faults", many=len(lines) - MOST_TOLD)]
    return Form(values, by_field, rows, why)


def _told(fault: Fault, given: Given, name: str, why: str) -> str:
    """What is wrong, in words without the value: it stands in the field."""
    if why == "insufficient data":
        return say("patient", "missing", needed=fault.allowed)
    likely = say("patient", "likely", likely=fault.likely) if fault.likely else ""
    told = say("patient", "allowed", allowed=fault.allowed) + likely
    line = given.line_of(fault.field)
    if line is not None:
        return say("patient", "draw_line", line=line) + f"{fault.field.rpartition('/')[2]}: {told}"
    return told if name else f"{fault.field.rpartition('/')[2]}: {told}"


def _is_field(name: str) -> bool:
    return name in FIELDS


FIELDS = frozenset(
    (
        *(*known.PERSON, DRAWN, DRAWS, *known.FLAG_NAMES, *known.NUMBERS, "last_line_outcome"),
        *(f"{name}{part}" for name in known.MEASURED for part in ("", "_unit", "_date", "_uln")),
        *(f"t{place}_{name}" for place in range(known.MOST_ROWS) for name in known.TREATED),
    )
)


def _require_known(values: Mapping[str, str]) -> None:
    """400 for a field that the form has not: it would be left aside in silence."""
    if set(values) - FIELDS - {ACT, ROWS}:
        raise HTTPException(HTTPStatus.BAD_REQUEST, "the form has a field that it never had")


def _rows(values: Mapping[str, str]) -> int:
    """How many rows of treatments there were."""
    given = values.get(ROWS, "")
    asked = int(given) if given.isdecimal() and len(given) < 3 else known.LEAST_ROWS
    places = (int(place) for name, value in values.items() if value and (place := name[1:].partition("_")[0]).isdecimal())
    filled = max((place + 1 for place in places), default=0)
    return min(max(asked, filled, known.LEAST_ROWS), known.MOST_ROWS)
