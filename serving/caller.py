"""Who asked: kept with the receipt, encrypted, and nowhere else.

Kept are the way by which the patient came, who asked in which roles and for which unit, whether the request came from this
computer, and the caller's own name for it (X-Request-ID) where that is a short plain word. Addresses and user agents are not.
"""

from __future__ import annotations

import getpass
import ipaddress
import re
from typing import TYPE_CHECKING

from models.identity import Identity

if TYPE_CHECKING:
    from starlette.requests import Request

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")


def over_http(request: Request, identity: Identity) -> dict[str, object]:
    """The caller of the service."""
    name = request.headers.get("x-request-id", "")
    came = _from(request.client.host if request.client else "")
    plain = name if _PLAIN.fullmatch(name) else None
    return {"by": "HTTP", "from": came, "request": plain, "who": dict(identity.as_json())}


def from_a_file() -> dict[str, object]:
    """Whoever has a file of patients scored: the user of this computer, where it knows them by name."""
    try:
        return {"by": "file", "user": getpass.getuser()}
    except (KeyError, OSError):  # a container may run under a number that has no name
        return {"by": "file", "user": None}


def _from(address: str) -> str:
    try:
        return "loopback" if ipaddress.ip_address(address).is_loopback else "elsewhere"
    except ValueError:
        return "unknown"
