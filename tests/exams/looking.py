"""Both verifiers: the operator's, which has the secret, and the outsider's of one file, which has the public key."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from scenes import KEYS

from serving.receipts import verifier
from serving.receipts.heads import HEADS
from serving.receipts.record import BrokenReceipt
from serving.receipts.sealed import export_sealed
from serving.receipts.store import Store
from serving.receipts.verify import verify


def operator_says(folder: Path, witnesses: Sequence[Path] = (), answers: Sequence[Path] = ()) -> tuple[str, ...]:
    """What `audit verify` finds wrong."""
    try:
        return verify(Store.open(folder), KEYS, witnesses=witnesses, answers=answers).faults
    except BrokenReceipt as error:
        return (str(error),)


def outsider_says(folder: Path, witnesses: Sequence[Path] = (), answers: Sequence[Path] = ()) -> str:
    """What the verifier of one file finds wrong with a store, or an export of one."""
    try:
        verifier.verify(folder, folder / HEADS, KEYS.public_key, witnesses, answers, verifier.EVERY)
    except (ValueError, OSError, sqlite3.Error) as error:
        return str(error) or type(error).__name__
    return ""


def export_says(folder: Path, out: Path, witnesses: Sequence[Path] = (), answers: Sequence[Path] = ()) -> str:
    """What is wrong with an export of the store, or why there is none."""
    try:
        export_sealed(Store.open(folder), out)
    except BrokenReceipt as error:
        return str(error)
    return outsider_says(out, witnesses, answers)
