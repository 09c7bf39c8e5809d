"""Scores given over HTTP are computed again from their receipts: every number of every answer, to the bit."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from marks import Mark
from simulated_requests import simulated_requests
from throughput import EXAMPLE, recorded

from training.fit import Advance

RECEIPTS, TOGETHER = 1_000, 50  # patients; those of every other request that come several at once
MOST_SECONDS = 60.0


def sit(folder: Path, advance: Advance, receipts: int = RECEIPTS, model: Path = EXAMPLE) -> list[Mark]:
    """Half of the patients come alone, half of them in requests of several."""
    with recorded(folder, model) as port:
        given = _answers(port, simulated_requests(receipts, 9))
    begun = time.perf_counter()
    replayed = json.loads(_audit(folder, "replay", "--json"))
    seconds = time.perf_counter() - begun
    _audit(folder, "export", "--out", folder / "receipts.jsonl")
    lines = map(json.loads, (folder / "receipts.jsonl").read_text().splitlines())
    kept = {line["sequence"]: line["content"]["answer"] for line in lines}
    return [
        Mark(f"receipts of {receipts:,} patients", replayed["receipts"], least=receipts, most=receipts),
        Mark("answers that were given as they are kept, to the byte", _alike(given, kept), least=receipts),
        Mark("scores equal to the bit", replayed["verdicts"].get("equal to the bit", 0), least=receipts),
        Mark("seconds to replay, start included", seconds, most=MOST_SECONDS, note=f"{receipts / seconds:,.0f} a second"),
    ]


def _answers(port: int, asked: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the service says of each patient, with its receipt."""
    alone, several = asked[: len(asked) // 2], asked[len(asked) // 2 :]
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    found = [_post(connection, one) for one in alone]
    for start in range(0, len(several), TOGETHER):
        found += _post(connection, {"patients": several[start : start + TOGETHER]})["scores"]
    connection.close()
    return found


def _post(connection: HTTPConnection, body: object) -> Any:
    connection.request("POST", "/v1/scores", json.dumps(body).encode(), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"the service answered {answer.status}")
    return json.loads(content)


def _alike(given: Sequence[dict[str, Any]], kept: Mapping[int, dict[str, Any]]) -> int:
    """How many answers stand in their receipts as they were given; the receipt itself is no part of what it holds."""
    bare = ({name: value for name, value in one.items() if name != "receipt"} for one in given)
    return sum(json.dumps(one) == json.dumps(kept[whole["receipt"]["sequence"]]) for one, whole in zip(bare, given, strict=True))


def _audit(folder: Path, *words: object) -> str:
    store = ("--receipts", folder / "receipts", "--receipts-key", folder / "receipts.key")
    command = [sys.executable, "-m", "lymphorisk", "audit", *map(str, (*words, *store))]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
