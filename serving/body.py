"""The body of a request: strict JSON's media type, not compressed, at most a mebibyte, and all of it in time."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request

from serving.strict_json import LONGEST

JSON = "application/json"
BODY_SECONDS = 8.0  # a body that has not arrived by then never will


class Unacceptable(Exception):
    """A request refused before its body is read; carries the problem to answer with."""

    def __init__(self, status: HTTPStatus, title: str):
        super().__init__(title)
        self.status, self.title = status, title


async def received(request: Request, media: Sequence[str] = (JSON,), longest: int = LONGEST) -> bytes:
    """The whole body of one of the media types, or Unacceptable as soon as it is clear that it will not be read."""
    if not _is_json(request.headers.getlist("content-type"), media):
        raise Unacceptable(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"the body must be {' or '.join(media)} in UTF-8")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Unacceptable(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "the body must not be compressed")
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > longest:
        raise _too_large(longest)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _streamed(request, longest)
    except (TimeoutError, ClientDisconnect):
        raise Unacceptable(HTTPStatus.REQUEST_TIMEOUT, "the body did not arrive") from None


def _too_large(longest: int) -> Unacceptable:
    return Unacceptable(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body must have at most {longest // 2**20} MiB")


def _is_json(types: list[str], media: Sequence[str]) -> bool:
    """Whether the one media type told is JSON in UTF-8: of two, a proxy may have read the other."""
    media_type, _, parameters = (types[0] if len(types) == 1 else "").lower().partition(";")
    return media_type.strip() in media and re.sub(r"\s", "", parameters) in ("", "charset=utf-8", 'charset="utf-8"')


async def _streamed(request: Request, longest: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > longest:
            raise _too_large(longest)
    return bytes(body)
