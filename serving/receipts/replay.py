"""Scores computed again, years later, from what their receipts hold: the same numbers and terms, or a word on what differs.

The patient as he was understood is scored by the very model that answered, through the one path of `serving.score`; beside that,
what he came as is read once more. Programs, processors and numpy may differ from those of the day: then numbers may differ by
1e-12, and words may have become better ones. With the same program on the same machine nothing may differ at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import islice
from typing import Any

from models.artifact import Artifact, Promotion
from models.calibration_at_site import CalibrationAtSite
from models.patient import InvalidPatient, Patient
from models.patient_document import patient_document, patient_from
from serving.answer import Answer
from serving.changes import Earlier, with_change
from serving.receipts.difference import Difference, differences
from serving.receipts.finding import ERASED, Receipt
from serving.receipts.models_kept import KeptModels, ModelMissing
from serving.receipts.payload import REQUEST, code_version, dumped, plain
from serving.refused import Refused
from serving.score import score
from serving.wire import described, read_patient

EQUAL, CLOSE, OTHERWISE = "equal to the bit", "equal within 1e-12", "the same numbers, told otherwise"
DIFFERS, NOT_REPLAYABLE = "differs", "not replayable"
VERDICTS = (EQUAL, CLOSE, OTHERWISE, ERASED, DIFFERS, NOT_REPLAYABLE)
FAILED = (DIFFERS, NOT_REPLAYABLE)
_BLOCK = 256  # receipts replayed together
_SHOWN = 6  # places named in a sentence


@dataclass(frozen=True)
class Replayed:
    """What became of one receipt: the verdict, the places that differ as JSON pointers, and why."""

    sequence: int
    verdict: str
    places: tuple[str, ...] = ()
    why: str = ""

    def __str__(self) -> str:
        more = f" and {len(self.places) - _SHOWN} more" if len(self.places) > _SHOWN else ""
        told = [self.verdict, ", ".join(self.places[:_SHOWN]) + more, self.why]
        return f"receipt {self.sequence}: " + "; ".join(filter(None, told))

    def as_json(self) -> dict[str, object]:
        return {"sequence": self.sequence, "verdict": self.verdict, "places": list(self.places), "why": self.why}


def replayed(receipts: Iterable[Receipt], kept: KeptModels) -> Iterator[Replayed]:
    """The verdict on each receipt, in order; patients of one model are scored together."""
    waiting = iter(receipts)
    while block := list(islice(waiting, _BLOCK)):
        found: dict[int, Replayed] = {}
        for alike in _alike(block):
            found |= {one.sequence: one for one in _of_one_model(alike, kept)}
        yield from (found[one.record.sequence] for one in block)


def patient_in(document: Mapping[str, Any]) -> Patient | None:
    """The patient as understood then; None where this version cannot read him."""
    try:
        return patient_from(document["patient"])
    except InvalidPatient:
        return None


def _alike(block: Sequence[Receipt]) -> Iterable[list[Receipt]]:
    """The receipts by what scored them: the model, its release, the site."""
    groups: dict[bytes, list[Receipt]] = defaultdict(list)
    for one in block:
        known = one.document
        groups[b"" if known is None else dumped([known["answer"]["model"], known["site"]])].append(one)
    return groups.values()


def _of_one_model(receipts: Sequence[Receipt], kept: KeptModels) -> Iterator[Replayed]:
    document = receipts[0].document
    if document is None:
        yield from (Replayed(one.record.sequence, *_closed(one)) for one in receipts)
        return
    try:
        artifact = as_released(kept.model(document["model"]["digest"]), document)
    except ModelMissing as error:
        yield from (Replayed(one.record.sequence, NOT_REPLAYABLE, why=f"model missing: {error}") for one in receipts)
        return
    patients = [patient_in(one.document or {}) for one in receipts]
    answers = iter(score(artifact, [one for one in patients if one is not None], document["site"]))
    for receipt, patient in zip(receipts, patients, strict=True):
        if patient is None:
            yield Replayed(receipt.record.sequence, NOT_REPLAYABLE, why="this version cannot read the patient")
        else:
            yield _compared_and_held(receipt, patient, next(answers), kept)


def _compared_and_held(receipt: Receipt, patient: Patient, answer: Answer | Refused, kept: KeptModels) -> Replayed:
    """The verdict, once what changed since an earlier score is computed again, where that was told."""
    change = (receipt.document or {})["answer"].get("change")
    if change is None or isinstance(answer, Refused):
        return _held_against(receipt, patient, answer)
    try:
        earlier = Earlier(change["earlier"], kept.model(change["earlier"]["model"]["digest"]))
    except ModelMissing as error:
        return Replayed(receipt.record.sequence, NOT_REPLAYABLE, why=f"model of the earlier score missing: {error}")
    return _held_against(receipt, patient, with_change(answer, patient, earlier))


def _closed(receipt: Receipt) -> tuple[str, tuple[str, ...], str]:
    return (ERASED, (), receipt.told) if receipt.why == ERASED else (NOT_REPLAYABLE, (), receipt.told)


def as_released(artifact: Artifact, document: Mapping[str, Any]) -> Artifact:
    """The artifact with what the answer said of its promotion and of its site, which are no part of it."""
    said = document["answer"]["model"]
    promoted, known = said.get("release"), said.get("calibration")
    at_site = CalibrationAtSite.from_json(known) if known else None
    return replace(artifact, promotion=Promotion(**promoted) if promoted else None, at_site=at_site)


def _held_against(receipt: Receipt, patient: Patient, answer: Any) -> Replayed:
    document = receipt.document or {}
    if isinstance(answer, Refused):
        return Replayed(receipt.record.sequence, DIFFERS, ("/answer",), f"today there is no answer: {answer.why}")
    then, now = document["answer"], answer.as_json()
    found = [] if dumped(then) == dumped(now) else list(differences(then, plain(now)))
    read = _read_again(receipt, patient)
    return _verdict(receipt.record.sequence, found + read, document["code"])


def _read_again(receipt: Receipt, patient: Patient) -> list[Difference]:
    """Where today's reader understands another patient: told, though the numbers rest on what was understood then.

    Rows of a table are read by their cohort file, which is not part of a receipt.
    """
    document = receipt.document or {}
    if document["form"] != REQUEST:
        return []
    given = described(document["given"])
    if any(read_patient(given, today=day) == patient for day in _days(receipt)):
        return []
    now = read_patient(given, today=next(_days(receipt)))
    if isinstance(now, Refused):
        return [Difference("/given", False, 0.0)]
    found = differences(plain(patient_document(patient)), plain(patient_document(now)))
    return [Difference(f"/patient{one.place}", False, 0.0) for one in found]


def _days(receipt: Receipt) -> Iterator[date | None]:
    """The days on which it may have been read: index dates of long ago are doubted. A file is read before it is recorded."""
    recorded = date.fromisoformat(receipt.record.time[:10])
    yield from (recorded, recorded - timedelta(days=1), None)


def _verdict(sequence: int, found: Sequence[Difference], code: Mapping[str, object]) -> Replayed:
    others = _other_code(code)
    places = tuple(one.place for one in found)
    if not found:
        return Replayed(sequence, EQUAL)
    if not others or not all(one.slight for one in found):
        return Replayed(sequence, DIFFERS, places, others or "computed by the same program on the same machine")
    return Replayed(sequence, CLOSE if all(one.numbers for one in found) else OTHERWISE, places, others)


def _other_code(code: Mapping[str, object]) -> str:
    """What of the program and its surroundings is another than on the day, in words."""
    now = code_version()
    return "; ".join(f"{name} {code.get(name)} then, {now[name]} now" for name in now if code.get(name) != now[name])
