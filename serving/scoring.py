"""One patient on the way to a score: read, scored and written down, recorded, and only then given to whoever shows it.

A form, a FHIR bundle and a hospital system's hook all become the patient document of `POST /v1/scores`, and go this way: so the
number is the same to the bit, and none is shown that has no receipt.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Any, TypeVar

from models.fault import Fault
from models.patient import Patient
from serving.changes import Earlier
from serving.company import Together
from serving.gathering import Gathering
from serving.logs import tell
from serving.metrics import Metrics
from serving.receipts.payload import Receipts, dumped
from serving.receipts.record import NoReceipt, Signed
from serving.recorded import Answered
from serving.refused import Refused
from serving.strict_json import WHOLE, InvalidRequest
from serving.wire import COMPARED, read_request
from serving.wire import Request as Asked

AT_ONCE = 8 * 1024  # bytes: a patient or a few are answered on the spot, which takes less than to hand them to a thread and back
SCORERS = 2  # threads that score the others: more would only wait for each other
Done = TypeVar("Done")


class NotScored(Exception):
    """The one patient asked for gets no risk; `refused` holds every reason.

    The rule it defends: a risk is said of nobody of whom it could mislead.
    """

    def __init__(self, refused: Refused):
        super().__init__(refused.why)  # and no value given
        self.refused = refused


class NotWanted(Exception):
    """A patient of whom whoever asks wants to hear nothing: nothing is computed, and nothing recorded."""


@dataclass(frozen=True)
class Scored:
    """An answer that is recorded: its JSON with the receipt, as it is shown, and the receipt."""

    answer: bytes
    receipt: Signed

    @cached_property
    def document(self) -> Mapping[str, Any]:
        """The answer, read."""
        found: Mapping[str, Any] = json.loads(self.answer)
        return found


@dataclass(frozen=True)
class Scoring:
    """Scores patients in the name of the model that answers now, and records what is said of them."""

    receipts: Receipts
    _together: Together
    _gathering: Gathering
    _metrics: Metrics
    _threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(SCORERS, "scoring"))

    async def one(
        self,
        body: bytes,
        caller: Mapping[str, object],
        only: Callable[[Patient], bool] | None = None,
        earlier: Earlier | None = None,
    ) -> Scored:
        """The recorded answer to the patient document `body`, which `caller` asks for; `only` of whom it is true, if it is given;
        `earlier` is the score that the document names to be compared with, looked up before.

        Raises InvalidRequest where it is no patient document, NotScored where the patient gets no risk, NotWanted for whom `only`
        is not true, and NoReceipt where what would be said could not be recorded.
        """
        small = len(body) <= AT_ONCE
        asked = self.read(body) if small else await self.apart(self.read, body)
        if asked.many:
            raise InvalidRequest(Fault(WHOLE, "several patients", "one patient"))
        if asked.compared_with is not None and earlier is None and isinstance(asked.patients[0], Patient):
            raise InvalidRequest(Fault(f"/{COMPARED}", "a number", "left out: nothing is compared here"))
        (patient,) = asked.patients
        if only is not None and isinstance(patient, Patient) and not only(patient):
            raise NotWanted
        answered = await (self.compared(body, asked, caller, earlier) if earlier else self.answered(body, asked, caller))
        if answered.refused:
            raise NotScored(answered.refused[0])
        signed = await self.recorded(answered)
        (shown,) = answered.shown(signed, self.receipts.public_key)
        return Scored(shown, signed[0])

    def read(self, body: bytes) -> Asked:
        """Who is to be scored, read on this day (UTC); InvalidRequest where the request cannot be read as a whole."""
        return read_request(body, datetime.now(UTC).date())

    async def answered(self, body: bytes, asked: Asked, caller: Mapping[str, object]) -> Answered:
        """What will be said to the patients of `body`, once it is recorded."""
        patients = list(zip(asked.patients, _given(body, asked), strict=True))
        if len(body) <= AT_ONCE:
            answered = await self._together.answered(patients, caller)
        else:
            answering = self._together.answering()
            answered = await self.apart(answering.answered, patients, caller, self._together.refusal)
        self._metrics.scored(0, (one.why for one in answered.refused))
        return answered

    async def compared(self, body: bytes, asked: Asked, caller: Mapping[str, object], earlier: Earlier) -> Answered:
        """The same of one patient, with what changed since an earlier score."""
        one = (asked.patients[0], _given(body, asked)[0])
        answered = await self.apart(self._together.answering().compared, one, caller, self._together.refusal, earlier)
        self._metrics.scored(0, (refused.why for refused in answered.refused))
        return answered

    def turned_away(self, refused: Refused) -> None:
        """Counts a patient who is refused before anything is scored."""
        self._metrics.scored(0, (refused.why,))

    async def recorded(self, answered: Answered) -> list[Signed]:
        """The receipts of what will be said; NoReceipt, and a line in the log, where it cannot be recorded."""
        try:
            signed = await self._gathering.recorded(list(answered.drafts.values()))
        except NoReceipt as error:
            tell(logging.ERROR, "no score: it could not be recorded", reason=error.reason)
            raise
        self._metrics.scored(len(answered.drafts), ())
        return signed

    async def apart(self, do: Callable[..., Done], *arguments: object) -> Done:
        """Done in a thread, where it takes so long that others would wait."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, do, *arguments)


def _given(body: bytes, asked: Asked) -> list[Callable[[], bytes]]:
    """What gives the JSON of each patient as it came: the body, or a part of it, which was read strictly before."""
    if not asked.many:
        return [lambda: body]
    return [partial(dumped, one) for one in json.loads(body)["patients"]]
