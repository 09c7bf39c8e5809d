"""Requests that became readable in the same turn of the loop are scored together: alone, each would pay what they can share.

Most of what a score costs does not grow with the patients who are scored with it. Nobody waits for company: who comes alone is
scored in the same turn. A patient's numbers are the same in any company, to the bit (`serving.score`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from serving.current import Current
from serving.patient_files import Asked
from serving.recorded import Answered, Answering
from serving.refused import Refused

LARGEST = 32  # patients scored together: more share hardly anything more, and whoever comes after them would wait
Refusal = Callable[[int, Refused], object]


@dataclass(frozen=True)
class _Waiting:
    asked: Sequence[Asked]
    caller: Mapping[str, object]
    answered: asyncio.Future[Answered]


@dataclass
class Together:
    """Scores what several requests ask for, on the loop of the service; each company by one model."""

    current: Current
    site: str
    refusal: Refusal  # the words for a patient who is refused at a place of its request
    _waiting: list[_Waiting] = field(default_factory=list)

    async def answered(self, asked: Sequence[Asked], caller: Mapping[str, object]) -> Answered:
        """What will be said to one request, once it is recorded."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._score)  # after everything that can be read now
        one = _Waiting(asked, caller, loop.create_future())
        self._waiting.append(one)
        return await one.answered

    def answering(self) -> Answering:
        """Answers in the name of the model that answers now."""
        return Answering(self.current.artifact, self.site)

    def _score(self) -> None:
        company, self._waiting = self._waiting[:LARGEST], self._waiting[LARGEST:]
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._score)
        present = [one for one in company if not one.answered.done()]
        answering = self.answering()
        try:
            self._tell(present, answering)
        except (ArithmeticError, ValueError, LookupError):
            # what nobody foresaw in one patient is the problem of that one: the others are scored without it
            for one in present:
                self._tell_alone(one, answering)

    def _tell(self, present: Sequence[_Waiting], answering: Answering) -> None:
        found = answering.together([(one.asked, one.caller) for one in present], self.refusal)
        for one, answered in zip(present, found, strict=True):
            one.answered.set_result(answered)

    def _tell_alone(self, one: _Waiting, answering: Answering) -> None:
        try:
            one.answered.set_result(answering.answered(one.asked, one.caller, self.refusal))
        except (ArithmeticError, ValueError, LookupError) as error:
            one.answered.set_exception(error)
