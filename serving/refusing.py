"""Refusals ready to be written to a connection as they are: whoever is refused early costs next to nothing."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from http import HTTPStatus

from serving.limits import RETRY_SECONDS
from serving.problems import Problems
from serving.protection import HEADERS

NO_PLACE = "too many connections"
NO_ROOM = "too much is being asked for at once: nothing was read, try again"
_problems = Problems()


def refusal(status: HTTPStatus, title: str, headers: Mapping[str, str]) -> bytes:
    """A whole HTTP/1.1 response that is a problem document."""
    problem = _problems.problem(status, title, headers=headers)
    lines = [f"HTTP/1.1 {status.value} {status.phrase}".encode()]
    lines += [name + b": " + value for name, value in problem.raw_headers]
    lines += [f"{name}: {value}".encode() for name, value in HEADERS]
    return b"\r\n".join([*lines, b"", bytes(problem.body)])


@cache
def closing(status: HTTPStatus, title: str) -> bytes:
    """The refusal after which the connection ends; `title` is one of a few words of ours."""
    retry = {"Retry-After": str(RETRY_SECONDS)} if status is HTTPStatus.SERVICE_UNAVAILABLE else {}
    return refusal(status, title, {**retry, "Connection": "close"})


@cache
def no_room(keep: bool) -> bytes:
    """The refusal of who finds no room; with `keep` the connection may be used again, at once."""
    retry = {"Retry-After": str(RETRY_SECONDS)}
    return refusal(HTTPStatus.SERVICE_UNAVAILABLE, NO_ROOM, retry if keep else {**retry, "Connection": "close"})
