"""Whose receipt it is: auditors see any, clinicians those that their unit asked for, and whoever has no unit their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.identity import Identity
from serving.access.permissions import Action, may
from serving.receipts.finding import Receipt
from serving.receipts.record import SCORE


def may_see(identity: Identity, receipt: Receipt) -> bool:
    """Whether somebody may see what a receipt holds; events and what was erased are nobody's but an auditor's."""
    return may(identity, Action.SEE_ALL) or theirs(identity, receipt)


def theirs(identity: Identity, receipt: Receipt) -> bool:
    """Whether their unit asked for the score, or they themselves if they have none; events and what was erased are nobody's."""
    document: Mapping[str, Any] = receipt.document or {}
    asked: Mapping[str, Any] | None = document.get("caller", {}).get("who") if receipt.record.kind == SCORE else None
    if asked is None:
        return False
    if not identity.unit:  # two who have none are not therefore of one
        return (asked["name"], asked["by"]) == (identity.name, identity.by)
    return bool(asked["unit"] == identity.unit)
