"""Answers on their way out: each written down once, the same bytes for its receipt and for whoever asked.

Nothing here is shown before its receipt is durable: `Answered` holds what will be said, and gives it only for the receipts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from models.artifact import Artifact
from models.patient import Patient
from serving.answer import Answer
from serving.changes import Earlier, with_change
from serving.patient_files import Asked
from serving.receipts.payload import REQUEST, Form, Receipts, code_version, draft_of, dumped, with_receipt
from serving.receipts.record import Draft, Signed
from serving.receipts.written import written
from serving.refused import Refused
from serving.score import score
from serving.score_files import Recorded
from serving.standing import example


@dataclass(frozen=True)
class Answered:
    """The answers and refusals of a group of patients in their order, as JSON; of the answers, the receipts that are due."""

    said: tuple[bytes, ...]
    drafts: Mapping[int, Draft]  # by place; whoever was refused has no score, and leaves none
    refused: tuple[Refused, ...]

    def shown(self, receipts: Sequence[Signed], public_key: str) -> list[bytes]:
        """What is said, in order, every score with its receipt, given in the order of `drafts`."""
        said = list(self.said)
        for place, signed in zip(self.drafts, receipts, strict=True):
            said[place] = with_receipt(said[place], signed, public_key)
        return said

    def sequences(self, receipts: Sequence[Signed]) -> list[int | None]:
        """The numbers of the receipts, in the order of what is said; None for who was refused."""
        of = dict(zip(self.drafts, (signed.sequence for signed in receipts), strict=True))
        return [of.get(place) for place in range(len(self.said))]


@dataclass(frozen=True)
class Answering:
    """Answers in the name of one model at one site, ready to be recorded."""

    artifact: Artifact
    site: str
    form: Form = REQUEST

    def answered(
        self, asked: Sequence[Asked], caller: Mapping[str, object], refusal: Callable[[int, Refused], object]
    ) -> Answered:
        """The answer to each patient; `refusal` gives the words for the one who is refused at a place."""
        (answered,) = self.together([(asked, caller)], refusal)
        return answered

    def compared(
        self, one: Asked, caller: Mapping[str, object], refusal: Callable[[int, Refused], object], earlier: Earlier
    ) -> Answered:
        """The answer to one patient, with what changed since an earlier score."""
        (found,), (patient, _) = score(self.artifact, [one[0]], self.site), one
        if isinstance(found, Answer) and isinstance(patient, Patient):
            found = with_change(found, patient, earlier)
        return self._answered([one], [found], caller, refusal)

    def together(
        self,
        requests: Sequence[tuple[Sequence[Asked], Mapping[str, object]]],
        refusal: Callable[[int, Refused], object],
    ) -> list[Answered]:
        """The same for several requests, patients and callers of each, whose patients are scored in one go."""
        found = iter(score(self.artifact, [patient for asked, _ in requests for patient, _ in asked], self.site))
        return [self._answered(asked, list(islice(found, len(asked))), caller, refusal) for asked, caller in requests]

    def _answered(
        self,
        asked: Sequence[Asked],
        found: Sequence[Answer | Refused],
        caller: Mapping[str, object],
        refusal: Callable[[int, Refused], object],
    ) -> Answered:
        said = [written(one) if isinstance(one, Answer) else dumped(refusal(place, one)) for place, one in enumerate(found)]
        refused = tuple(one for one in found if isinstance(one, Refused))
        return Answered(tuple(said), dict(self._drafts(asked, found, said, caller)), refused)

    def _drafts(
        self, asked: Iterable[Asked], found: Iterable[Answer | Refused], said: Iterable[bytes], caller: Mapping[str, object]
    ) -> Iterator[tuple[int, Draft]]:
        code = code_version()
        for place, ((patient, given), one, answer) in enumerate(zip(asked, found, said, strict=True)):
            if isinstance(one, Answer) and isinstance(patient, Patient):
                yield place, draft_of(given(), patient, answer, caller, self.artifact, self.site, code, self.form)


@dataclass(frozen=True)
class FileReceipts:
    """Records the patients of a file, block by block; what it gives back may be shown."""

    receipts: Receipts
    answering: Answering
    caller: Mapping[str, object]

    def recorded(self, block: Sequence[Asked]) -> Recorded:
        """The block, scored and recorded; NoReceipt where it could not be recorded."""
        opening = example(self.answering.artifact.model)
        answered = self.answering.answered(block, self.caller, lambda _, refused: opening | refused.as_json())
        receipts = self.receipts.record(list(answered.drafts.values())) if answered.drafts else []
        return Recorded(answered.shown(receipts, self.receipts.public_key), answered.sequences(receipts), list(answered.refused))
