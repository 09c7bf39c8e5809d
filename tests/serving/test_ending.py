"""A service that is asked to end under load answers whatever it was asked, and leaves nothing unanswered that it recorded."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import pytest
from child import Child
from pressing import press


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_nobody_who_asked_before_the_end_is_left_without_an_answer(tmp_path: Path, asked: signal.Signals) -> None:
    with Child(tmp_path) as child:
        before = sum(record.kind == "score" for record in child.store().records())
        threading.Timer(0.8, child.process.send_signal, [asked]).start()
        found = press(child.port, 24, 3.0)
        assert child.process.wait(30) == 0
        assert set(found.statuses) == {200}  # none of them broke off
        assert found.statuses[200] > 24
        recorded = sum(record.kind == "score" for record in child.store().records()) - before
        assert recorded == found.statuses[200]
        assert "Traceback" not in child.said
