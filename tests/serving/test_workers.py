"""Processes on one socket: one that dies begins again, one that cannot live is given up, and the end is handed on to all."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from serving.http_server import listening

# what a worker of these tests does: says who it is to whoever connects, and ends as a service does
ANSWERS = """
    import os, signal, socket, sys
    from serving.workers import end_with_parent
    end_with_parent()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    at = socket.socket(fileno=int(sys.argv[sys.argv.index("--fd") + 1]))
    while True:
        one, _ = at.accept()
        one.sendall(str(os.getpid()).encode())
        one.close()
"""
PARENT = """
    import sys
    from serving import workers
    from serving.http_server import listening
    workers.FIRST_PAUSE = workers.LOOK_SECONDS = 0.02
    workers.AT_ONCE_SECONDS = float(sys.argv[3])
    with listening("127.0.0.1", int(sys.argv[1])) as at:
        sys.exit(workers.work(at, int(sys.argv[2]), [sys.executable, "-c", sys.argv[4]]))
"""


@contextmanager
def working(folder: Path, number: int = 2, at_once: float = 0.3, worker: str = ANSWERS) -> Iterator[tuple[Any, int, Path]]:
    """A parent with so many workers, its port, and what all of them said."""
    with listening("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    said, code = folder / "said", textwrap.dedent(PARENT)
    with said.open("wb") as heard:
        command = [sys.executable, "-c", code, str(port), str(number), str(at_once), textwrap.dedent(worker)]
        parent = subprocess.Popen(command, stdout=heard, stderr=heard)
    try:
        yield parent, port, said
    finally:
        parent.kill()
        parent.wait(10)


def who(port: int) -> int:
    """The process that answers; 0 where none does."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            return int(connection.recv(100) or b"0")
    except OSError:
        return 0


def until(found: Callable[[], bool], patience: float = 20.0) -> bool:
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if found():
            return True
        time.sleep(0.02)
    return False


def lives(process: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


def events(said: Path) -> list[str]:
    return [json.loads(line)["event"] for line in said.read_text().splitlines() if line.startswith("{")]


def both(port: int) -> set[int]:
    """The processes of two workers."""
    found: set[int] = set()
    assert until(lambda: len(found.add(one) or found if (one := who(port)) else found) == 2)  # type: ignore[func-returns-value]
    return found


def test_all_workers_answer_on_one_socket_and_end_when_asked(tmp_path: Path) -> None:
    with working(tmp_path) as (parent, port, said):
        found = both(port)
        parent.send_signal(signal.SIGTERM)
        assert parent.wait(20) == 0
        assert not any(map(lives, found))
        assert events(said) == ["a worker begins", "a worker begins", "asked to end", "all workers have ended"]


def test_a_worker_that_dies_begins_again_while_the_others_answer(tmp_path: Path) -> None:
    with working(tmp_path) as (parent, port, said):
        first, second = both(port)
        time.sleep(0.4)  # both have lived for more than a moment
        os.kill(first, signal.SIGKILL)
        assert until(lambda: who(port) not in (0, first, second))
        assert lives(second)
        assert parent.poll() is None
        assert events(said)[2:] == ["a worker ended", "a worker begins"]


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    with working(tmp_path) as (parent, port, _):
        found = both(port)
        parent.kill()
        parent.wait(10)
        assert until(lambda: not any(map(lives, found)))


def test_what_dies_at_once_again_and_again_is_given_up(tmp_path: Path) -> None:
    with working(tmp_path, number=1, at_once=30, worker="import sys; sys.exit(3)") as (parent, _, said):
        assert parent.wait(20) == 1
        assert events(said).count("a worker begins") == 5
        assert events(said)[-2:] == ["given up: a worker ends as soon as it has begun", "all workers have ended"]


def test_what_refuses_to_begin_is_not_asked_again(tmp_path: Path) -> None:
    with working(tmp_path, number=1, at_once=30, worker="import sys; sys.exit(1)") as (parent, _, said):
        assert parent.wait(20) == 1
        assert events(said).count("a worker begins") == 1


def test_a_worker_that_does_not_end_is_killed(tmp_path: Path) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    hasty = PARENT.replace("workers.FIRST", "workers.LEAVE_SECONDS = workers.LATE_SECONDS = 0.1; workers.FIRST")
    code = textwrap.dedent(hasty)
    command = [sys.executable, "-c", code, "0", "1", "1", deaf]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "deaf\n"
        parent.terminate()
        said = parent.communicate(timeout=20)[1]
    assert parent.returncode == 0
    assert "a worker did not end, and was killed" in said
