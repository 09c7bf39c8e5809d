"""What a clinician did with a card, kept beside the receipt of the answer: accepted, or overridden and why.

It becomes a note in the receipts' own chain. Free text is not kept, since nobody could keep a patient's name out of it; that
there was some is noted. Feedback is taken only from the system that the card was given to.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from models.fault import Fault
from models.fhir.days import moment
from models.fhir.resources import object_in, text_in
from serving.cds import names
from serving.cds.card import REASONS, SYSTEM, card_id, sequence_in
from serving.receipts.archive import Archive
from serving.receipts.record import SCORE
from serving.strict_json import InvalidRequest

MOST = 50  # in one request
ELSEWHERE = "of another list"  # a reason that is none of ours


@dataclass(frozen=True)
class Feedback:
    """One card's: the number of its receipt, the outcome, the code of the reason, when, and whether there was a comment."""

    card: str
    receipt: int
    outcome: str
    reason: str
    when: str
    commented: bool

    def as_note(self) -> dict[str, object]:
        """For the note: our own words and numbers."""
        told = {"receipt": self.receipt, "outcome": self.outcome, "reason": self.reason, "at": self.when}
        return {name: value for name, value in told.items() if value != ""} | ({"comment": "not kept"} if self.commented else {})


def feedback_of(document: object) -> list[Feedback]:
    """Everything that was given; InvalidRequest naming every place at fault."""
    given = document.get(names.FEEDBACK) if isinstance(document, dict) else None
    if not isinstance(given, list) or not 0 < len(given) <= MOST:
        raise InvalidRequest(Fault(f"/{names.FEEDBACK}", "something else", f"a list of 1 to {MOST}"))
    faults: list[Fault] = []
    found = [one for place, told in enumerate(given) for one in _one(told, f"/{names.FEEDBACK}/{place}", faults)]
    if faults:
        raise InvalidRequest(*faults)
    return found


def _one(told: object, at: str, faults: list[Fault]) -> Iterator[Feedback]:
    card, outcome, when = (text_in(told, name) for name in (names.CARD, names.OUTCOME, names.WHEN))
    sequence = sequence_in(card)
    if sequence is None:
        faults.append(Fault(f"{at}/{names.CARD}", "another", "the uuid of a card of this service"))
    if outcome not in (names.ACCEPTED, names.OVERRIDDEN):
        faults.append(Fault(f"{at}/{names.OUTCOME}", "another", f"{names.ACCEPTED} or {names.OVERRIDDEN}"))
    if when and moment(when) is None:
        faults.append(Fault(f"{at}/{names.WHEN}", "another", "an instant"))
    override = object_in(told, names.OVERRIDE)
    if sequence is not None:
        yield Feedback(card, sequence, outcome, _reason(override), when[:19], bool(text_in(override, "userComment")))


def _reason(override: Mapping[str, Any]) -> str:
    """The code of the reason where it is one of ours; whatever else was given as one is not repeated."""
    reason = object_in(override, names.REASON)
    if not reason:
        return ""
    code = text_in(reason, "code")
    return code if code in REASONS and text_in(reason, "system") in (SYSTEM, "") else ELSEWHERE


def is_of(feedback: Feedback, archive: Archive, issuer: str, name: str) -> bool:
    """Whether the card is that of a receipt here, given to the one who says so."""
    record = archive.store.record(feedback.receipt)
    if record is None or record.kind != SCORE:
        return False
    if not hmac.compare_digest(card_id(record.sequence, record.digest), feedback.card):
        return False
    document = archive.receipt(record).document
    who = object_in(object_in(document, "caller"), "who")
    return (who.get("by"), who.get("name")) == (issuer, name)
