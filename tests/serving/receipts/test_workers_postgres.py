"""Two workers, one database: both answer, what they count is told together, and none of what was asked is lost when one dies."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from child import Child
from pressing import press

COUNTED = re.compile(r'^lymphorisk_requests_total\{method="POST",route="/v1/scores",status="200"\} ([\d.e+]+)$', re.MULTILINE)


@pytest.fixture
def two(tmp_path: Path, urls: tuple[str, str]) -> Iterator[Child]:
    with Child(tmp_path, options=("--workers", 2, "--database", urls[0])) as child:
        until_both(child)
        yield child


def events(child: Child, event: str) -> list[dict[str, int]]:
    lines = (json.loads(line) for line in child.said.splitlines() if line.startswith("{"))
    return [line for line in lines if line["event"] == event]


def until_both(child: Child, times: int = 2) -> None:
    """Both have said that they are ready."""
    end = time.monotonic() + 30
    while child.said.count("receipts in ") < times and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(0.3)


def scraped(port: int) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def test_what_both_count_is_told_together_and_the_end_loses_nothing(two: Child, urls: tuple[str, str]) -> None:
    found = press(two.port, 16, 1.5)
    assert set(found.statuses) == {200}
    time.sleep(0.6)
    told = {COUNTED.search(scraped(two.port))[1] for _ in range(6)}  # type: ignore[index]  # whichever of them is asked
    assert len(told) == 1
    assert float(told.pop()) >= found.statuses[200]
    threading.Timer(0.5, two.process.terminate).start()
    last = press(two.port, 16, 1.5)
    assert two.process.wait(30) == 0
    assert set(last.statuses) == {200}
    assert len(events(two, "all workers have ended")) == 1


def test_when_one_is_killed_the_other_answers_and_another_begins(two: Child) -> None:
    killed = events(two, "a worker begins")[0]["process"]
    threading.Timer(0.5, os.kill, [killed, signal.SIGKILL]).start()
    found = press(two.port, 16, 2.0)
    assert set(found.statuses) <= {0, 200}
    assert found.statuses[0] <= 16  # those connections broke off that were its own
    until_both(two, times=3)
    assert set(press(two.port, 16, 1.0).statuses) == {200}
    assert [one["code"] for one in events(two, "a worker ended")] == [-signal.SIGKILL]
