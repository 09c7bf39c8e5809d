"""What happened to the receipts, in sentences: openings, signatures after a stop, erasures, and who looked at what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from serving.access.permissions import Action
from serving.pages.words import say
from serving.receipts.record import ACCESS, CLOCK_SET_BACK, ERASED, OPENED, SIGNED_AGAIN
from serving.receipts.telling import cell, flat, told


def sentence(kind: str, facts: Mapping[str, Any]) -> str:
    """One event in words; what an older version wrote otherwise is told as far as it goes."""
    known = {OPENED: _opened, SIGNED_AGAIN: _signed_again, CLOCK_SET_BACK: _set_back, ERASED: _erased, ACCESS: _access}
    try:
        return known[kind](facts)
    except (KeyError, TypeError, AttributeError):
        return say("events", "unknown")


def _opened(facts: Mapping[str, Any]) -> str:
    model, site = facts["model"], facts["site"] or say("events", "unnamed")
    return say(
        "events", "opened", name=model["name"], digest=model["digest"][:16], site=site, version=facts["code"]["version"]
    )


def _signed_again(facts: Mapping[str, Any]) -> str:
    return say("events", "signed_again", after=facts["after"] + 1, to=facts["to"], why=facts["why"])


def _set_back(facts: Mapping[str, Any]) -> str:
    return say("events", "clock_set_back", before=facts["from"], to=facts["to"])


def _erased(facts: Mapping[str, Any]) -> str:
    return say("events", "erased", by=facts["by"], reason=facts["reason"])


def _access(facts: Mapping[str, Any]) -> str:
    who = facts["who"]
    name = say("events", "nobody") if who is None else f"{who['name']} ({', '.join(who['roles'])})"
    what = dict(flat(facts["what"]))
    receipt = say("events", "access_receipt", number=what.pop("receipt")) if "receipt" in what else ""
    if what.get("action") in Action.__members__:
        what["action"] = Action[what["action"]].value
    details = ", ".join(f"{name.replace('_', ' ')} {cell(value)}" for name, value in what.items() if told(value))
    return say("events", "access", who=name, did=facts["did"], receipt=receipt, what=f" ({details})" if details else "")
