"""What somebody filled in on a page: each field once, small, and from a page of ours that is signed in."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from serving.access.same_origin import FORM, media_type, refuse_others
from serving.access.sessions import CSRF, Sessions
from serving.body import BODY_SECONDS

LONGEST = 64 * 1024  # bytes
MOST = 300  # fields: the page of a patient has a value, a unit and a day for each of a score of laboratory values
_MALFORMED = f"the form cannot be read: allowed are at most {MOST} fields in UTF-8, name=value, joined by &"


async def posted(request: Request, sessions: Sessions) -> Mapping[str, str]:
    """The fields of a form of a page of ours that is signed in, without the CSRF token.

    Answers 400, 403, 408, 413 or 415 instead, and says what was wrong; never a value.
    """
    found = dict(await fields(request))
    sessions.check(request, found.pop(CSRF, ""))
    return found


async def fields(request: Request) -> Mapping[str, str]:
    """The fields of a form of a page of ours that anybody may fill in, signed in or not."""
    refuse_others(request)
    media, parameters = media_type(request)
    if media != FORM or parameters not in ("", "charset=utf-8"):
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"the body must be a form: {FORM} in UTF-8")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "the form must not be compressed")
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body = await _received(request)
    except (TimeoutError, ClientDisconnect):
        raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, "the form did not arrive") from None
    return _read(body)


async def _received(request: Request) -> bytes:
    length, body = request.headers.get("content-length", ""), bytearray()
    too_large = HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the form must have at most {LONGEST // 1024} KiB")
    if length.isdecimal() and int(length[:20]) > LONGEST:
        raise too_large
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST:
            raise too_large
    return bytes(body)


def _read(body: bytes) -> Mapping[str, str]:
    try:
        found = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(body), errors="strict", max_num_fields=MOST
        )
    except ValueError:  # also what is no ASCII, or no UTF-8 within
        raise HTTPException(HTTPStatus.BAD_REQUEST, _MALFORMED) from None
    if len(found) != len(dict(found)):
        raise HTTPException(HTTPStatus.BAD_REQUEST, "the form has a field twice: each may be there once")
    return dict(found)
