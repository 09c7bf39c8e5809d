"""Honest logs of every kind: stopped and started, killed between a commit and its head, patients erased, clocks set back."""

from __future__ import annotations

import datetime
import json
import random
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from unittest.mock import patch

from looking import operator_says, outsider_says
from scenes import KEYS

from models.seal import canonical
from serving.receipts import group
from serving.receipts.erasure import Nobody
from serving.receipts.heads import HEADS
from serving.receipts.mark import Mark
from serving.receipts.record import OPENED, SCORE, Draft, Signed
from serving.receipts.sealed import export_sealed
from serving.receipts.store import Store
from serving.receipts.verify import verify
from serving.receipts.writer import Writer, open_writer

LOGS = 100


def false_alarms(folder: Path, logs: int, advance: Callable[..., object]) -> list[str]:
    """What either verifier finds wrong with logs with which nothing is."""
    alarms: list[str] = []
    for seed in range(logs):
        alarms += [f"log {seed}: {said}" for said in alarms_of(folder / str(seed), seed)]
        advance("honest logs", seed + 1, logs)
    return alarms


def alarms_of(folder: Path, seed: int) -> list[str]:
    """The same of one log: verified after each run from where the last verification ended, then whole, here and exported."""
    chance, given, found, mark = random.Random(seed), list[Signed](), list[str](), None
    receipts, witness, answer = folder / "receipts", folder / "witness.jsonl", folder / "answers.json"
    for _ in range(chance.randint(1, 5)):
        given += _run(receipts, chance)
        killed = chance.random() < 0.4 and _killed(receipts, chance)
        given = given[:-1] if killed else given  # whoever asked last got no answer
        mark = _since(receipts, mark, found)
        shutil.copyfile(receipts / HEADS, witness)
    answer.write_text(json.dumps([one.as_json() for one in given]))
    export_sealed(Store.open(receipts), folder / "export")
    kept = {"witnesses": [witness], "answers": [answer]}
    whole = [*operator_says(receipts, **kept), outsider_says(receipts, **kept), outsider_says(folder / "export", **kept)]
    return found + [one for one in whole if one]


def _since(receipts: Path, mark: Mark | None, found: list[str]) -> Mark | None:
    verified = verify(Store.open(receipts), KEYS, since=mark)
    found += verified.faults
    return verified.mark if verified.mark.sequence else None


def _run(receipts: Path, chance: random.Random) -> list[Signed]:
    """One run of a service; the last receipt of it is the one of a score."""
    with patch.object(group.datetime, "datetime", _clock(chance)), open_writer(receipts, KEYS) as writer:
        given = writer.record([Draft(OPENED, "", canonical({"model": {"digest": "0" * 64}}))])
        for _ in range(chance.randint(0, 8)):
            given += _asked(writer, chance)
        return given + writer.record([Draft(SCORE, "", b"the last")])


def _asked(writer: Writer, chance: random.Random) -> Sequence[Signed]:
    if chance.random() < 0.15:
        try:
            return writer.erase(by="an officer", reason="asked for", subject=KEYS.subject(_name(chance)))
        except Nobody:
            return ()
    contents = (chance.randbytes(chance.randint(0, 300)) for _ in range(chance.randint(1, 9)))
    return writer.record([Draft(SCORE, _name(chance), content) for content in contents])


def _name(chance: random.Random) -> str:
    return chance.choice(("", "a", "b", "\u00e9\u4e2d", "d" * 60))


def _killed(receipts: Path, chance: random.Random) -> bool:
    """The last record is there, and of its head nothing or a half."""
    *before, last = (receipts / HEADS).read_bytes().splitlines(keepends=True)
    (receipts / HEADS).write_bytes(b"".join(before) + last[: chance.choice((0, 1, len(last) // 2, len(last) - 1))])
    return True


def _clock(chance: random.Random) -> type[datetime.datetime]:
    """A clock that runs, is put right by a little now and then, and set back by an hour; set by days before it began."""
    at = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=chance.choice((0, 0, -3, 2)))

    class Set(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:  # type: ignore[override]
            nonlocal at
            at += datetime.timedelta(seconds=chance.choice((0, 1e-6, 0.01, 5, -1.9, -3600)))
            return at

    return Set
