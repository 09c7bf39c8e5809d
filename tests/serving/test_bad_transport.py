"""What a caller can do to the connection itself, over a real socket: every request is answered in time, and none is scored."""

from __future__ import annotations

import gzip
import json
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from serving.receipts.store import Store

GOOD: dict[str, Any] = {
    "id": "p-1",
    "as_of": "2026-03-31",
    "age_years": 61,
    "tumour": "pancreatic",
    "measurements": [
        {"analyte": "alc", "value": 0.9, "unit": "10*9/L", "date": "2026-03-30"},
        {"analyte": "albumin", "value": 36, "unit": "g/L", "date": "2026-03-30"},
    ],
}
BODY = json.dumps(GOOD).encode()
HEAD = b"POST /v1/scores HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
LONGEST = 10.0


def chunked(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (*pieces, b""))


# what is sent, and the statuses with which it may be answered
SENT = {
    "a body that never comes": (HEAD + b"Content-Length: 400\r\n\r\n", {408}),
    "a body that stops in the middle": (HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY[:50], {408}),
    "a Content-Length larger than the body": (HEAD + b"Content-Length: %d\r\n\r\n" % (len(BODY) + 5) + BODY, {408}),
    "a Content-Length smaller than the body": (HEAD + b"Content-Length: 20\r\n\r\n" + BODY, {400}),
    "a Content-Length of 2 MiB, refused before the body": (HEAD + b"Content-Length: 2097152\r\n\r\n", {413}),
    "a Content-Length without end": (HEAD + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n", {400, 413}),
    "a negative Content-Length": (HEAD + b"Content-Length: -5\r\n\r\n" + BODY, {400}),
    "a Content-Length that is no number": (HEAD + b"Content-Length: all\r\n\r\n" + BODY, {400}),
    "two Content-Lengths": (HEAD + b"Content-Length: 5\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY, {400}),
    "no length and no body": (HEAD + b"\r\n", {400}),
    "gzip, and said": (
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(gzip.compress(BODY)) + gzip.compress(BODY),
        {415},
    ),
    "gzip, and said to be JSON": (HEAD + b"Content-Length: %d\r\n\r\n" % len(gzip.compress(BODY)) + gzip.compress(BODY), {400}),
    "chunks that never end": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(BODY)[:-5], {408}),
    "chunks of more than 1 MiB": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(*[b" " * 65536] * 20), {413}),
    "a chunk without a size": (HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", {400, 408}),
    "a transfer encoding nobody knows": (HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + chunked(BODY), {400, 501}),
    "a head that never ends": (b"POST /v1/scores HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", {408}),
    "no HTTP at all": (b'{"age_years": 61}\r\n\r\n', {400}),
    "TLS": (bytes.fromhex("16030100a5010000a10303") + b"\x00" * 64, {400}),
}


@dataclass(frozen=True)
class Asked:
    """What came back for all that was sent, at once since most of it is waiting, and after how long."""

    service: Any
    scores: int  # that were recorded meanwhile
    answers: dict[str, tuple[bytes, float]]


@pytest.fixture(scope="module")
def asked(serving: Callable[..., Any]) -> Asked:
    service = serving()
    with ThreadPoolExecutor(len(SENT)) as threads:
        answers = dict(zip(SENT, threads.map(lambda name: _timed(service, SENT[name][0]), SENT), strict=True))
    return Asked(service, sum(record.kind == "score" for record in Store.open(service.receipts).records()), answers)


def _timed(service: Any, sent: bytes) -> tuple[bytes, float]:
    began = time.monotonic()
    found = service.raw(sent, patience=LONGEST + 5)
    return found, time.monotonic() - began


@pytest.mark.parametrize("name", SENT)
def test_a_broken_connection_is_answered_in_time(name: str, asked: Asked) -> None:
    found, seconds = asked.answers[name]
    assert seconds < LONGEST + 1  # one of which passes before it is clear that nothing more comes
    assert int(found.split(b" ", 2)[1]) in SENT[name][1], found[:200]
    assert b"application/problem+json" in found
    assert b"Traceback" not in found


def test_a_broken_connection_leaves_no_score(asked: Asked) -> None:
    assert asked.scores == 0


@pytest.mark.parametrize("pieces", [1, 7, len(BODY)])
def test_a_good_body_in_chunks_is_scored(pieces: int, asked: Asked) -> None:
    service, step = asked.service, -(-len(BODY) // pieces)
    cut = [BODY[place : place + step] for place in range(0, len(BODY), step)]
    found = service.raw(HEAD + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + chunked(*cut))
    assert found.startswith(b"HTTP/1.1 200"), found[:300]


def test_who_hangs_up_in_the_middle_stops_nobody_else(asked: Asked) -> None:
    service = asked.service
    for length in (0, 30, len(BODY) - 1):
        with socket.create_connection(("127.0.0.1", service.port)) as connection:
            connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY[:length])
    assert service.ask("POST", "/v1/scores", GOOD)[0] == 200
