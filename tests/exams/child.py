"""A service in a process of its own, which may be killed, and clients that remember every receipt they were given."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from socket import socket
from types import TracebackType
from typing import Any, Self

import models
from lymphorisk import EXAMPLE_PATIENT
from serving.receipts.keys import ReceiptKeys, read_keys
from serving.receipts.store import Store

EXAMPLE = Path(str(models.__file__)).parent / "released" / "example"
CLIENTS = 4
BACK_SECONDS = 10.0  # in which a service that was killed, or whose fault went, answers again
_BEGINS = 60.0  # seconds after which a process that does not answer is given up
_PROBLEM = "application/problem+json"


@dataclass
class Child:
    """`lymphorisk serve` with a key and receipts of its own; `before` is Python that runs in the process first."""

    folder: Path
    before: str = ""
    options: Sequence[object] = ()
    within: Sequence[str] = ()  # the program that runs it: strace, or none
    model: Path = EXAMPLE
    port: int = 0
    dev: bool = True
    authorization: str = ""  # of whoever asks, where it is not
    took: float = field(default=0.0, init=False)  # seconds from the start to the first score
    process: subprocess.Popen[bytes] = field(init=False)

    @property
    def receipts(self) -> Path:
        return self.folder / "receipts"

    @property
    def keys(self) -> ReceiptKeys:
        return read_keys(self.folder / "receipts.key")

    @property
    def said(self) -> str:
        return (self.folder / "said").read_text(encoding="utf-8", errors="replace")

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def store(self) -> Store:
        return Store.open(self.receipts)

    def begin(self) -> None:
        """Start the process; it may take a second until it answers."""
        self.port = self.port or free_port()
        code = f"{self.before}\nimport lymphorisk\nlymphorisk.main()"
        kept = ("--receipts", self.receipts, "--receipts-key", self.folder / "receipts.key")
        command = [*self.within, sys.executable, "-c", code, "serve", "--model", self.model, "--port", self.port, *kept]
        dev = ["--dev"] if self.dev else []
        with (self.folder / "said").open("ab") as said:
            words = [str(word) for word in (*command, *dev, *self.options)]
            self.process = subprocess.Popen(words, stdout=said, stderr=said)

    def kill(self) -> None:
        """SIGKILL: nothing in the process has a say in it."""
        self.process.kill()
        self.process.wait(30)

    def end(self) -> None:
        """Ask it to end, and wait until it has."""
        if self.alive:
            self.process.terminate()
            self.process.wait(60)

    def back(self, patience: float = _BEGINS) -> float:
        """Seconds until it gives a score; RuntimeError where it does not."""
        began = time.monotonic()
        while time.monotonic() - began < patience and self.alive:
            if asked(self.port, "back", self.authorization).status == 200:
                return time.monotonic() - began
            time.sleep(0.02)
        raise RuntimeError(f"no score for {time.monotonic() - began:.0f} s; the service said: {self.said[-2000:]}")

    def __enter__(self) -> Self:
        began = time.monotonic()
        self.begin()
        try:
            self.back()
            self.took = time.monotonic() - began
        except RuntimeError:
            self.kill()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.end()


@dataclass(frozen=True)
class Told:
    """What a client was told: the status (0: the connection broke off), the document, and how it was named."""

    status: int
    document: Mapping[str, Any] = field(default_factory=dict)
    kind: str = ""

    @property
    def receipt(self) -> Mapping[str, Any]:
        return dict(self.document["receipt"])

    @property
    def answer(self) -> dict[str, Any]:
        """The answer without its receipt, as the receipt should hold it."""
        return {name: value for name, value in self.document.items() if name != "receipt"}

    @property
    def as_agreed(self) -> bool:
        """A score with its receipt, the problem document that there is none now, or nothing at all."""
        if self.status == 200:
            return "receipt" in self.document
        return self.status == 0 or (self.status == 503 and self.kind == _PROBLEM and "horizons" not in self.document)


class Clients:
    """So many clients that ask one after the other, each for a patient of its own, until this is left."""

    def __init__(self, port: int, clients: int = CLIENTS, named: str = "p"):
        self.told: list[Told] = []
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(port, f"{named}-{one}")) for one in range(clients)]

    @property
    def acknowledged(self) -> list[Told]:
        return [one for one in self.told if one.status == 200]

    def _ask(self, port: int, named: str) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        count = 0
        while not self._end.is_set():
            count += 1
            found = _asked(connection, f"{named}-{count % 50}", count)
            self.told.append(found)
            if found.status != 200:
                self._end.wait(0.02)
        connection.close()

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()


def asked(port: int, named: str, authorization: str = "") -> Told:
    """What one patient's request on a connection of its own is told."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        return _asked(connection, named, 1, authorization)
    finally:
        connection.close()


def _asked(connection: http.client.HTTPConnection, named: str, count: int, authorization: str = "") -> Told:
    patient = EXAMPLE_PATIENT | {"id": named, "age_years": 40 + count % 45}
    try:
        headers = {"Content-Type": "application/json"} | ({"Authorization": authorization} if authorization else {})
        connection.request("POST", "/v1/scores", json.dumps(patient), headers)
        found = connection.getresponse()
        return Told(found.status, json.loads(found.read()), found.getheader("Content-Type", ""))
    except (OSError, http.client.HTTPException, ValueError):  # ValueError: an answer that broke off in its middle
        connection.close()
        return Told(0)


def free_port() -> int:
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def until(condition: Callable[[], bool], patience: float) -> float:
    """Seconds until the condition holds; infinite where it does not in time."""
    began = time.monotonic()
    while time.monotonic() - began < patience:
        if condition():
            return time.monotonic() - began
        time.sleep(0.02)
    return float("inf")
