"""The measure of what receipts cost, taken small: every score that it counts has its receipt."""

from __future__ import annotations

import math
from pathlib import Path

import throughput

from serving.receipts.record import SCORE
from serving.receipts.store import Store


def test_every_score_of_the_measure_has_its_receipt(tmp_path: Path) -> None:
    marks = throughput.sit(tmp_path, lambda *_: None, requests=24, rounds=2)
    assert [mark.least for mark in marks] == [throughput.KEPT, -math.inf, -math.inf]
    assert all(math.isfinite(mark.value) and mark.value > 0 for mark in marks)
    assert sum(record.kind == SCORE for record in Store.open(tmp_path / "receipts").records()) == 3 * 24
