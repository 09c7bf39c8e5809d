"""What is no HTTP, too large or never arrives is refused with a problem document; what is logged is no caller's word."""

from __future__ import annotations

import json
import resource
import signal
import socket
import time
from collections.abc import Callable
from typing import Any, Protocol

import pytest

from serving import http_server
from serving.problems import PROBLEM


class Service(Protocol):
    """What the fixture `serving` starts."""

    port: int
    process: Any
    said: bytes

    def ask(self, method: str, path: str, body: object = None, headers: Any = ...) -> tuple[int, dict[str, str], bytes]: ...

    def raw(self, sent: bytes, patience: float = 30.0) -> bytes: ...


Starting = Callable[..., Service]
PLANTED = b"MRN73190"
HASTY = "from serving import body, connection\nbody.BODY_SECONDS = connection.HEAD_SECONDS = 0.5"


@pytest.fixture(scope="module")
def service(serving: Starting) -> Service:
    return serving(before=HASTY)


def problem(answer: bytes) -> tuple[int, dict[str, Any]]:
    """The status and the problem document of a raw answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert PROBLEM.encode() in head, answer[:300]
    status = int(head.split()[1])
    found = json.loads(body)
    assert found["status"] == status
    return status, found


POST = b"POST /v1/scores HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
NOBODY = b"GET /livez HTTP/1.1\r\nHost: %s\r\n\r\n"
GET = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (POST + b"Content-Length: MRN73190\r\n\r\n{}", 400),
        (POST + b"Content-Length: -4\r\n\r\n{}", 400),
        (POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400),
        (POST + b"Content-Length: 200\r\n\r\n{MRN73190", 408),
        (POST + b"\r\n", 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nMRN73190\r\n", 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\nMRN73190\r\n", 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", 408),
        (POST + b"Transfer-Encoding: MRN73190\r\n\r\n2", 400),
        (POST.replace(b"application/json", b"text/plain") + b"Transfer-Encoding: chunked\r\n\r\nMRN73190\r\n", 400),
        (b"\x16\x03\x01\x00MRN73190\r\n\r\n", 400),
        (b"GET /livez HTTP/1.1\r\n\r\n", 400),
        (b"GET /\xffMRN73190 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"GET http://MRN73190/livez HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (b"GET /%zz%00MRN73190 HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (b"GET /v1/../MRN73190 HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (NOBODY % b"evil.example", 400),
        (NOBODY % b"", 400),
        (NOBODY % b"localhost.evil.example:8000", 400),
        (NOBODY % b"[::2]:80", 400),
        (NOBODY % b"localhost\r\nHost: evil.example", 400),
        (b"POST /v1/scores HTTP/1.1\r\nHost: MRN73190\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", 400),
        (b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (b"CONNECT MRN73190:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (b"MRN73190 /livez HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (GET + b"MRN73190\r\n\r\n", 400),
        (GET + b"A: \x00MRN73190\r\n\r\n", 400),
        (GET + b"A: MRN73190" + b"a" * 20_000 + b"\r\n\r\n", 431),
        (GET + b"A: b\r\n" * 4000 + b"\r\n", 431),
        (b"GET /livez?MRN73190" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 431),
        (GET + b"A: MRN73190" + b"a" * 900_000 + b"\r\n\r\n", 431),
        (GET, 408),
        (b"", 408),
    ],
)
def test_what_is_no_request_is_refused_with_a_problem_and_no_trace_of_it(service: Service, sent: bytes, status: int) -> None:
    found, _ = problem(service.raw(sent))
    assert found == status
    assert service.ask("GET", "/livez")[0] == 200
    assert not any(word in service.said for word in (PLANTED, b"Traceback", b"LocalProtocolError"))


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "DELETE", "PUT", "PATCH", "PROPFIND"])
@pytest.mark.parametrize(
    ("path", "allowed"), [("/livez", "GET"), ("/readyz", "GET"), ("/v1/model", "GET"), ("/v1/scores", "POST")]
)
def test_a_method_that_a_route_has_not_is_answered_with_those_it_has(
    service: Service, method: str, path: str, allowed: str
) -> None:
    status, headers, body = service.ask(method, path)
    assert (status, headers["allow"], headers["content-type"]) == (405, allowed, PROBLEM)
    assert method == "HEAD" or json.loads(body)["status"] == 405


def test_a_request_that_comes_in_pieces_but_in_time_is_answered(service: Service) -> None:
    with socket.create_connection(("127.0.0.1", service.port)) as connection:
        for piece in (GET[:10], GET[10:], b"\r\n"):
            connection.sendall(piece)
            time.sleep(0.05)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        time.sleep(1.0)  # longer than a head may take: the connection is kept, and the next one on it is read
        connection.sendall(GET + b"\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_a_request_is_logged_by_method_route_and_status_alone(serving: Starting) -> None:
    service = serving()
    service.ask("GET", "/livez?MRN73190")
    service.ask("GET", "/patients/MRN73190")
    service.ask("MRN73190", "/v1/scores")
    service.process.terminate()
    service.process.wait(30)  # a line is written when its answer has left: the last one may come later than that
    lines = [json.loads(line) for line in service.said.splitlines() if line.startswith(b"{")]
    told = [(one["method"], one["route"], one["status"]) for one in lines if one["event"] == "request"]
    assert told[-3:] == [("GET", "/livez", 200), ("GET", "unknown", 404), ("unknown", "unknown", 400)]
    assert PLANTED not in service.said


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_a_service_that_is_asked_to_end_ends_in_order(serving: Starting, asked: signal.Signals) -> None:
    service = serving()
    service.process.send_signal(asked)
    assert service.process.wait(30) == 0
    assert b"Traceback" not in service.said


def test_a_port_that_is_taken_is_refused_in_words() -> None:
    with http_server.listening("127.0.0.1", 0) as first, pytest.raises(OSError, match="in use"):
        http_server.listening("127.0.0.1", first.getsockname()[1])


@pytest.mark.parametrize(
    ("now", "most", "set_to", "found"),
    [
        (1024, 20_000, 3200, 1024),  # what most systems begin with
        (1024, resource.RLIM_INFINITY, 3200, 1024),
        (1024, 1100, 1100, 972),
        (20_000, 20_000, None, 1024),
        (256, 512, 512, 384),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, None, 1024),
        (64, 64, None, 1),
    ],
)
def test_there_are_places_for_as_many_as_files_may_be_open(
    monkeypatch: pytest.MonkeyPatch, now: int, most: int, set_to: int | None, found: int
) -> None:
    told: list[int] = []
    monkeypatch.setattr(resource, "getrlimit", lambda of: (now, most))
    monkeypatch.setattr(resource, "setrlimit", lambda of, to: told.append(to[0]))
    assert http_server.places() == found
    assert told == ([] if set_to is None else [set_to])
