"""Several processes answer on one socket: one that dies begins again, and when all is asked to end, each ends what it has begun.

The parent only binds the socket and watches; it reads no request, no model and no receipt.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from prometheus_client.multiprocess import mark_process_dead

from serving.http_server import LEAVE_SECONDS
from serving.loading import REFUSED
from serving.logs import tell, write_lines
from serving.metrics import SHARED

AT_ONCE_SECONDS = 5.0  # a worker that ends sooner after its beginning ended at once
TIMES = 5  # that it may do so one after the other, before all is given up
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 8.0  # seconds before it begins again: twice as long each time
LOOK_SECONDS = 0.1
LATE_SECONDS = 5.0  # beyond what a worker gives itself to end, before it is killed


@dataclass
class _Worker:
    """A place among the workers, and the process in it."""

    place: int
    process: subprocess.Popen[bytes] | None = None
    began: float = 0.0
    at_once: int = 0  # how often in a row it ended at once
    due: float = 0.0  # when it begins again


@dataclass
class Workers:
    """So many processes of `command`, each with the socket `at` as its `--fd`; what they count is kept in `counted`."""

    command: Sequence[str]
    at: socket.socket
    number: int
    counted: Path
    _asked: threading.Event = field(default_factory=threading.Event)
    _lived: bool = False  # whether any of them ever did for longer than a moment

    def run(self) -> int:
        """Until the process is asked to end; the exit code: 1 where a worker does not come to live."""
        places = [_Worker(place) for place in range(self.number)]
        signal.signal(signal.SIGTERM, lambda *_: self._asked.set())
        signal.signal(signal.SIGINT, lambda *_: self._asked.set())
        try:
            while not self._asked.is_set():
                if sum(map(self._stands, places)) < len(places):
                    return REFUSED
                self._asked.wait(LOOK_SECONDS)
            tell(logging.INFO, "asked to end")
            return 0
        finally:
            self._end(places)

    def _stands(self, one: _Worker) -> bool:
        """Whether the place is filled, or will be; it is filled again where that is due."""
        now = time.monotonic()
        if one.process is None:
            if now >= one.due:
                self._begin(one)
            return True
        code = one.process.poll()
        if code is None:
            if now - one.began >= AT_ONCE_SECONDS:
                one.at_once, self._lived = 0, True
            return True
        return self._ended(one, code, now)

    def _begin(self, one: _Worker) -> None:
        command = [*self.command, "--fd", str(self.at.fileno())]
        environment = {**os.environ, SHARED: str(self.counted)}
        # a session of its own: what the terminal says to all is handed on by the parent, once. Its input tells it of our end.
        one.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, pass_fds=[self.at.fileno()], env=environment, start_new_session=True
        )
        one.began = time.monotonic()
        tell(logging.INFO, "a worker begins", worker=one.place, process=one.process.pid)

    def _ended(self, one: _Worker, code: int, now: float) -> bool:
        """Told, and begun again later; False where that makes no sense any more."""
        lived = now - one.began
        self._forget(one)
        one.at_once = one.at_once + 1 if lived < AT_ONCE_SECONDS else 0
        tell(logging.ERROR, "a worker ended", worker=one.place, code=code, seconds=round(lived, 1))
        if one.at_once >= TIMES or (code == REFUSED and one.at_once and not self._lived):  # it said why
            tell(logging.ERROR, "given up: a worker ends as soon as it has begun", worker=one.place, times=one.at_once)
            return False
        one.due = now + (min(FIRST_PAUSE * 2 ** (one.at_once - 1), LONGEST_PAUSE) if one.at_once else 0.0)
        return True

    def _forget(self, one: _Worker) -> None:
        if one.process is not None:
            if one.process.stdin is not None:
                one.process.stdin.close()
            mark_process_dead(one.process.pid, str(self.counted))  # type: ignore[no-untyped-call]  # the library has no types here
            one.process = None

    def _end(self, places: Sequence[_Worker]) -> None:
        """Ask all to end, and wait until they have; who takes too long is killed."""
        running = [one.process for one in places if one.process is not None]
        for process in running:
            process.send_signal(signal.SIGTERM)
        latest = time.monotonic() + LEAVE_SECONDS + LATE_SECONDS
        for process in running:
            try:
                process.wait(max(latest - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                tell(logging.ERROR, "a worker did not end, and was killed", process=process.pid)
                process.kill()
                process.wait()
        for one in places:
            self._forget(one)
        tell(logging.INFO, "all workers have ended")


def work(at: socket.socket, number: int, command: Sequence[str] = ()) -> int:
    """Answer on `at` by so many processes of this command, until asked to end; the exit code."""
    write_lines()
    counted = Path(tempfile.mkdtemp(prefix="lymphorisk-"))  # nobody else may look into it
    try:
        return Workers(command or [sys.executable, "-m", "lymphorisk", *sys.argv[1:]], at, number, counted).run()
    finally:
        shutil.rmtree(counted, ignore_errors=True)


def end_with_parent() -> None:
    """Ask this process to end when the one that began it is gone: its end of our standard input closes with it."""
    threading.Thread(target=_await_parent, name="parent", daemon=True).start()


def _await_parent() -> None:
    with open(0, "rb", buffering=0, closefd=False) as given:
        while given.read(1):
            pass
    os.kill(os.getpid(), signal.SIGTERM)
