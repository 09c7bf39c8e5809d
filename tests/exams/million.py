"""A million receipts, as a busy hospital writes them in years, and how long it takes to verify every one of them.

The contents are those of real answers of the example model, so that a record is as large as a record is. Groups are as large as
16 connections make them, and one in five patients has no pseudonym. The outsider's verifier, of one file, walks them too.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from marks import Mark
from simulated_requests import simulated_requests
from throughput import EXAMPLE

from models.artifact import load
from models.patient import Patient
from models.seal import canonical
from serving.receipts import verifier
from serving.receipts.keys import ReceiptKeys, read_or_make_keys
from serving.receipts.models_kept import keep_model
from serving.receipts.payload import code_version, draft_of, dumped
from serving.receipts.record import OPENED, Draft
from serving.receipts.writer import open_writer
from serving.score import score
from serving.wire import read_patient

RECEIPTS, GROUP = 1_000_000, 16
MOST_SECONDS = 120.0
_ANSWERS, _NAMELESS, _STEP = 200, 5, 100  # contents that take turns; one of so many has no pseudonym; groups told at a time


def sit(folder: Path, advance: Callable[..., object], receipts: int = RECEIPTS, group: int = GROUP) -> list[Mark]:
    """Write so many through the one writer, then run `lymphorisk audit verify`, its start included."""
    store = folder / "receipts"
    keys = read_or_make_keys(folder / "receipts.key", lambda said: None)
    begun = time.perf_counter()
    _write(store, keys, receipts, group, advance)
    written = time.perf_counter() - begun
    command = [sys.executable, "-m", "lymphorisk", "audit", "verify", "--json", "--receipts", store]
    command += ["--receipts-key", folder / "receipts.key"]
    ran, verified = _timed(lambda: subprocess.run([*map(str, command)], check=False, capture_output=True))
    found = json.loads(ran.stdout)
    walked, outside = _timed(lambda: verifier.verify(store, store / "heads.jsonl", None, (), (), verifier.EVERY))
    size = (store / "receipts.db").stat().st_size
    expected = receipts + 1  # with the opening
    return [
        Mark("receipts verified, faults none", found["records"] * found["holds"], least=expected, most=expected),
        Mark("receipts that the outsider's verifier walked", walked["records"], least=expected, most=expected),
        Mark("seconds for audit verify", verified, most=MOST_SECONDS, note=f"{found['heads']:,} heads; {size / 2**20:,.0f} MiB"),
        Mark("seconds for verifier.py", outside, note=f"{walked['signatures']:,} signatures checked"),
        Mark("seconds to write them", written, note=f"{receipts / written:,.0f} a second, {group} a group, each synced twice"),
    ]


def _timed(task: Callable[[], Any]) -> tuple[Any, float]:
    begun = time.perf_counter()
    return task(), time.perf_counter() - begun


def _write(store: Path, keys: ReceiptKeys, receipts: int, group: int, advance: Callable[..., object]) -> None:
    artifact, contents = load(EXAMPLE), list(_contents())
    with open_writer(store, keys) as writer:
        keep_model(store, EXAMPLE, artifact.digest)
        writer.record([Draft(OPENED, "", canonical({"model": {"digest": artifact.digest, "name": artifact.model.name}}))])
        for first in range(0, receipts, group):
            some = range(first, min(first + group, receipts))
            writer.record([Draft("score", _pseudonym(one), contents[one % len(contents)]) for one in some], patience=60.0)
            if first // group % _STEP == 0:
                advance("receipts written", first, receipts)


def _pseudonym(number: int) -> str:
    """Patients come back: each name three times on average."""
    return "" if number % _NAMELESS == 0 else f"patient-{number * 7919 % (RECEIPTS // 3)}"


def _contents() -> Iterator[bytes]:
    """What receipts of simulated patients hold."""
    artifact, code = load(EXAMPLE), code_version()
    for asked in simulated_requests(_ANSWERS, 9):
        patient = read_patient(asked)
        if isinstance(patient, Patient):
            (answer,) = score(artifact, [patient], "")
            shown = getattr(answer, "as_json", None)
            if shown is not None:
                yield draft_of(dumped(asked), patient, dumped(shown()), {"by": "exam"}, artifact, "", code).content
