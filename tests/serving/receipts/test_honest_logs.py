"""Of logs with which nothing is wrong nobody says anything, whatever befell the service that wrote them."""

from pathlib import Path

import pytest
from honest_logs import alarms_of, false_alarms
from looking import operator_says, outsider_says

from serving.receipts.record import CLOCK_SET_BACK, ERASED, SCORE, SIGNED_AGAIN
from serving.receipts.store import Store


@pytest.mark.parametrize("seed", range(100, 112))
def test_an_honest_log_raises_no_alarm(seed: int, tmp_path: Path) -> None:
    assert alarms_of(tmp_path, seed) == []


def test_honest_logs_hold_all_that_befalls_a_service(tmp_path: Path) -> None:
    assert false_alarms(tmp_path, 12, lambda doing, done, total: None) == []
    kinds = {record.kind for seed in range(12) for record in Store.open(tmp_path / str(seed) / "receipts").records()}
    assert kinds >= {SCORE, SIGNED_AGAIN, CLOCK_SET_BACK, ERASED}


def test_an_alarm_would_be_heard(tmp_path: Path) -> None:
    """The same look at the same log, with one head less than the chain says."""
    assert alarms_of(tmp_path, 3) == []
    heads = tmp_path / "receipts" / "heads.jsonl"
    heads.write_bytes(b"".join(heads.read_bytes().splitlines(keepends=True)[1:]))
    assert operator_says(tmp_path / "receipts")
    assert outsider_says(tmp_path / "receipts")
