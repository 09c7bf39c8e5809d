"""Receipts that are kept in memory, signed with a key of their own and refused when told to fail; a service as a process."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import pytest

from models.seal import Key
from serving.receipts.keys import ReceiptKeys
from serving.receipts.record import Draft, NoReceipt, Signed


@dataclass
class Remembered:
    """What was recorded, in order; with `fault` nothing is, and when `slow` not before `release`."""

    drafts: list[Draft] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)
    fault: str = ""
    slow: bool = False
    waiting: list[tuple[Sequence[Draft], Future[list[Signed]]]] = field(default_factory=list)
    keys: ReceiptKeys = field(default_factory=lambda: ReceiptKeys(Key(b"k" * 32)))

    @property
    def public_key(self) -> str:
        return self.keys.public_key

    def submit(self, drafts: Sequence[Draft]) -> Future[list[Signed]]:
        found: Future[list[Signed]] = Future()
        if self.fault:
            found.set_exception(NoReceipt(self.fault))
        elif self.slow:
            self.waiting.append((drafts, found))
        else:
            found.set_result(self.record(drafts))
        return found

    def release(self) -> None:
        """Records what waits, but for what was withdrawn."""
        while self.waiting:
            drafts, found = self.waiting.pop(0)
            if found.set_running_or_notify_cancel():
                found.set_result(self.record(drafts))

    def record(self, drafts: Sequence[Draft]) -> list[Signed]:
        if self.fault:
            raise NoReceipt(self.fault)
        first = len(self.drafts) + 1
        self.drafts += drafts
        self.groups.append(len(drafts))
        digests = [f"{place:064x}" for place in range(first, first + len(drafts))]
        return [self.keys.sign("s", first + at, digest, "2026-11-23T00:00:00.000000Z") for at, digest in enumerate(digests)]

    def ready(self) -> str:
        return self.fault


@pytest.fixture
def receipts() -> Remembered:
    return Remembered()


@pytest.fixture(scope="session")
def remembering() -> type[Remembered]:
    """Makes receipts that are kept in memory, for whoever needs them longer than a test."""
    return Remembered


@dataclass(frozen=True)
class Service:
    """A service in a process of its own, with receipts of its own beside it."""

    port: int
    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def receipts(self) -> Path:
        return self.folder / "receipts"

    @property
    def said(self) -> bytes:
        """Everything the process has written, to either stream."""
        return (self.folder / "said").read_bytes()

    def ask(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] = MappingProxyType({})
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers (in small letters) and body of one request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
            connection.request(method, path, content, {"Content-Type": "application/json", **headers})
            found = connection.getresponse()
            return found.status, {name.lower(): value for name, value in found.getheaders()}, found.read()
        finally:
            connection.close()

    def raw(self, sent: bytes, patience: float = 30.0) -> bytes:
        """What comes back for these bytes, until the service closes the connection or says nothing more for a second."""
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.settimeout(patience)
            connection.sendall(sent)
            found = b""
            with contextlib.suppress(TimeoutError, ConnectionResetError):
                while piece := connection.recv(65536):
                    found += piece
                    connection.settimeout(1.0)
            return found


@pytest.fixture(scope="session")
def serving(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Service]]:
    """Starts services, with the options given; `before`: Python that runs before the command, `dev`: for trying out."""
    with contextlib.ExitStack() as until_the_end:

        def start(*options: object, before: str = "", folder: Path | None = None, dev: bool = True) -> Service:
            return until_the_end.enter_context(
                _started(model_folder, folder or tmp_path_factory.mktemp("service"), before, (*["--dev"] * dev, *options))
            )

        yield start


@contextlib.contextmanager
def _started(model: Path, folder: Path, before: str, options: Sequence[object]) -> Iterator[Service]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = f"{before}\nimport lymphorisk\nlymphorisk.main()"
    kept = ("--receipts", folder / "receipts", "--receipts-key", folder / "receipts.key")
    command = [sys.executable, "-c", code, "serve", "--model", model, "--port", port, *kept, *options]
    with (folder / "said").open("ab") as said:
        process = subprocess.Popen([str(word) for word in command], stdout=said, stderr=said)
    service = Service(port, folder, process)
    try:
        _await(service)
        yield service
    finally:
        process.terminate()
        process.wait(30)


def _await(service: Service) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end and service.process.poll() is None:
        try:
            service.ask("GET", "/livez")
            return
        except OSError:
            if b"answers at https" in service.said:
                return  # what is asked in the clear there is not answered
            time.sleep(0.05)
    pytest.fail(f"the service did not begin: {service.said.decode()[-2000:]}")
