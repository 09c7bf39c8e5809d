"""Where a browser goes on after signing in: to the page of ours it had asked for, and never to another host."""

from __future__ import annotations

import re
from urllib.parse import quote

from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response

SIGN_IN = "/sign-in"
CALLBACK = f"{SIGN_IN}/callback"  # to which the identity provider sends a browser back
START = "/"
_PATH = re.compile(r"/(?:[A-Za-z0-9_-]+(?:[/.][A-Za-z0-9_-]+)*)?")  # no //, no \, : or %, which a browser may read otherwise
_LONGEST = 200


def is_ours(path: str) -> bool:
    """Whether that is a path of this service, and can be read as nothing else.

    >>> is_ours("/audit/receipts/7"), is_ours("//elsewhere.example"), is_ours("/\\\\elsewhere.example"), is_ours("https:/x")
    (True, False, False, False)
    """
    return len(path) <= _LONGEST and _PATH.fullmatch(path) is not None


def wants_page(asking: HTTPConnection) -> bool:
    """Whether a browser asks for a page, which it can be sent away from."""
    return asking.scope["method"] == "GET" and "text/html" in asking.headers.get("accept", "")


def sign_in_from(asking: HTTPConnection) -> str:
    """The page to sign in at, from which one goes on to the page that is asked for."""
    path = asking.scope["path"]
    return f"{SIGN_IN}?to={quote(path, safe='/')}" if is_ours(path) and path not in (START, SIGN_IN) else SIGN_IN


def sent_to_sign_in(asking: HTTPConnection) -> Response:
    """The answer that sends a browser to sign in, and says where it wanted to go."""
    return RedirectResponse(sign_in_from(asking), 303, {"Cache-Control": "no-store"})
