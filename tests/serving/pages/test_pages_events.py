"""Events are told in sentences; one that is not as this version writes it is told as such, and stops nobody."""

from __future__ import annotations

import pytest

from serving.pages.events import sentence
from serving.receipts.record import ACCESS, CLOCK_SET_BACK, ERASED, OPENED, SIGNED_AGAIN

FREY = {"name": "A. Frey", "roles": ["auditor"], "unit": "", "by": "key"}
UNKNOWN = "An event of a kind that this version has no words for."


@pytest.mark.parametrize(
    ("kind", "facts", "told"),
    [
        (ACCESS, {"who": FREY, "did": "viewed", "what": {"receipt": 7}}, "A. Frey (auditor) viewed receipt 7."),
        (ACCESS, {"who": None, "did": "was denied", "what": {}}, "Somebody who was not known was denied."),
        (
            ACCESS,
            {"who": FREY, "did": "was denied", "what": {"action": "VERIFY"}},
            "A. Frey (auditor) was denied (action have the receipts verified).",
        ),
        (
            ACCESS,
            {"who": FREY, "did": "exported", "what": {"format": "csv", "records": 3}},
            "A. Frey (auditor) exported (format csv, records 3).",
        ),
        (
            SIGNED_AGAIN,
            {"after": 4, "to": 6, "why": "a stop"},
            "Records 5 to 6 had been written and not signed when all stopped; they were verified and signed afterwards (a stop).",
        ),
        (CLOCK_SET_BACK, {"from": "b", "to": "a"}, "The clock was set back from b to a."),
        (OPENED, {"model": {}}, UNKNOWN),
        (ERASED, {}, UNKNOWN),
        (ACCESS, {"who": "A. Frey", "did": "x", "what": {}}, UNKNOWN),
        ("of another time", {}, UNKNOWN),
    ],
)
def test_an_event_is_a_sentence(kind: str, facts: dict[str, object], told: str) -> None:
    assert sentence(kind, facts) == told
