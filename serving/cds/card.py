"""The one card: that there is a prognosis, what stands behind it, and the way to the page.

The summary names no number, since a patient may see the screen. The card's identifier holds the number of the receipt and a part
of its digest, so that feedback finds the answer that it is about, and none can be given on an answer that was never seen.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from serving.cds import names
from serving.pages.words import say, words
from serving.receipts.record import Signed

SYSTEM = "urn:lymphorisk:override-reason"
REASONS = ("known", "acute", "values", "plan", "disagree", "other")
TOPIC = {"system": "urn:lymphorisk", "code": "early-mortality"}
_SEQUENCE_BYTES, _DIGEST_BYTES = 6, 10


def card_of(
    answer: Mapping[str, Any], receipt: Signed, page: str, home: str, remarks: Sequence[str]
) -> dict[str, Any]:
    """The card of an answer; `page` leads to it, `home` to the service, and `remarks` are what is to be said of what was sent."""
    warned = bool(answer["warnings"]) or bool(remarks)
    return {
        "uuid": card_id(receipt.sequence, receipt.digest),
        "summary": say("cds", "summary") if "example" not in answer else say("cds", "summary_example"),
        "indicator": names.WARNING if warned else names.INFO,
        "detail": _detail(answer, remarks),
        "source": {"label": words()["cds"].source, "url": home, "topic": TOPIC | {"display": words()["cds"].topic}},
        "links": [{"label": words()["cds"].link, "url": page, "type": "absolute"}],
        "overrideReasons": [
            {"code": code, "system": SYSTEM, "display": getattr(words()["cds"], f"reason_{code}")} for code in REASONS
        ],
    }


def card_id(sequence: int, digest: str) -> str:
    """A UUID of the eighth version (RFC 9562, 2024) that holds the number of a receipt and the beginning of its digest."""
    raw = sequence.to_bytes(_SEQUENCE_BYTES, "big") + bytes.fromhex(digest)[:_DIGEST_BYTES]
    found = bytearray(raw)
    found[6] = 0x80 | found[6] & 0x0F
    found[8] = 0x80 | found[8] & 0x3F
    return str(uuid.UUID(bytes=bytes(found)))


def sequence_in(card: str) -> int | None:
    """The number of the receipt that a card's identifier names; None for what is no such identifier."""
    try:
        found = uuid.UUID(card)
    except ValueError:
        return None
    return int.from_bytes(found.bytes[:_SEQUENCE_BYTES], "big") if str(found) == card and found.version == 8 else None


def _detail(answer: Mapping[str, Any], remarks: Sequence[str]) -> str:
    """Markdown, one paragraph each: the rank or the share, the reasons, what to beware of, what it is not."""
    main = min(answer["risks"], key=lambda days: abs(int(days) - 90))
    lines = [answer["example"]] if "example" in answer else []
    lines.append(_number(answer, main))
    lines.append(_reasons(answer["explanation"]["horizons"][main]["groups"]))
    lines += [f"{words()['cds'].beware}: {'; '.join([*answer['warnings'], *remarks])}"] if answer["warnings"] or remarks else []
    lines.append(answer["disclaimer"])
    return "\n\n".join(lines)


def _number(answer: Mapping[str, Any], days: str) -> str:
    """In numbers of a hundred where they are known to hold here, else as a rank."""
    risk = answer["risks"][days]
    if answer["shown_as"][days] == "share":
        died, low, high = (round(100 * risk[name]) for name in ("risk", "low", "high"))
        return say("answer", "share", died=died, days=days, low=low, high=high)
    if risk["rank"] is None:
        return say("answer", "no_rank")
    why = say("answer", "why_rank", why="; ".join(answer["why_rank"]))
    return f"{say('answer', 'rank', days=days, rank=round(100 * risk['rank']))} {why}"


def _reasons(groups: Sequence[Mapping[str, Any]]) -> str:
    """The groups that raise or lower the risk, the largest first; those not distinguishable from nothing are left to the page."""
    told = sorted((one for one in groups if one["distinguishable"] and one["estimated_share"] <= 0.5), key=_size)
    raising = [one["group"] for one in told if one["percentage_points"] > 0]
    lowering = [one["group"] for one in told if one["percentage_points"] < 0]
    said = [say("cds", "raising", groups=", ".join(raising))] if raising else []
    said += [say("cds", "lowering", groups=", ".join(lowering))] if lowering else []
    return " ".join([*said, words()["cds"].association])


def _size(group: Mapping[str, Any]) -> float:
    return -abs(float(group["percentage_points"]))
