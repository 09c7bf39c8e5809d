"""Whether a request that acts comes from a page of this service, and not from one that somebody else made a browser open.

A browser says where a request comes from, and no page can make it say otherwise: in Sec-Fetch-Site (W3C Fetch Metadata, 2021), or
in Origin (RFC 6454, 2011). Our pages tell nobody where a link was followed (Referrer-Policy: no-referrer), and then a browser
says "null" for Origin of their forms, too.
"""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from serving.hosts import asked_here

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FORM = "application/x-www-form-urlencoded"
_ELSEWHERE = "the request comes from a page of another origin: what acts is taken from pages of this service alone"
_UNTOLD = "the request does not tell by Sec-Fetch-Site or Origin that it comes from a page of this service"


def refuse_others(asking: HTTPConnection) -> None:
    """403 unless the browser says that a page of this service asks."""
    sites, origins = (asking.headers.getlist(name) for name in ("sec-fetch-site", "origin"))
    if len(sites) > 1 or len(origins) > 1 or (sites and sites != ["same-origin"]):
        raise HTTPException(HTTPStatus.FORBIDDEN, _ELSEWHERE)
    told = [origin for origin in origins if not (sites and origin == "null")]
    if told and not _ours(told[0], asking.headers.get("host", "")):
        raise HTTPException(HTTPStatus.FORBIDDEN, _ELSEWHERE)
    if not sites and not told:
        raise HTTPException(HTTPStatus.FORBIDDEN, _UNTOLD)


def is_form(asking: HTTPConnection) -> bool:
    """Whether the body is told to be a form."""
    return media_type(asking)[0] == FORM


def media_type(asking: HTTPConnection) -> tuple[str, str]:
    """The one media type told and its parameters, in small letters; of two none, for a proxy may have read the other."""
    told = asking.headers.getlist("content-type")
    found, _, parameters = (told[0] if len(told) == 1 else "").lower().partition(";")
    return found.strip(), "".join(parameters.split())


def _ours(origin: str, host: str) -> bool:
    """Whether an origin is the host that was asked: over HTTPS, or over HTTP on this computer."""
    try:
        found = urlsplit(origin)
    except ValueError:
        return False
    scheme = found.scheme == "https" or (found.scheme == "http" and asked_here(host))
    return scheme and origin == f"{found.scheme}://{found.netloc}" and found.netloc.lower() == host.lower() != ""
