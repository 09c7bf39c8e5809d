"""What every answer tells a browser: run nothing and frame nothing that is not ours, keep nothing, tell nobody whence one came.

Pages have no script, style or picture of somebody else's, and nobody else's page may show or read them (there is no CORS).
"""

from __future__ import annotations

from collections.abc import Iterable

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
_UNUSED = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), publickey-credentials-get=(), usb=()"
HEADERS: tuple[tuple[str, str], ...] = (
    ("content-security-policy", _POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("permissions-policy", _UNUSED),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
)
CACHE = b"cache-control"
NO_STORE = (CACHE, b"no-store")
TLS_ONLY = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")  # RFC 6797, 2012: a year


def protected(headers: Iterable[tuple[bytes, bytes]], scheme: str) -> list[tuple[bytes, bytes]]:
    """The headers of an answer, not to be stored unless they say otherwise, and over TLS with the word to come back by it.

    `HEADERS` are added by the server itself, to whatever leaves it.
    """
    found = list(headers)
    if not any(name == CACHE for name, _ in found):
        found.append(NO_STORE)
    if scheme == "https":
        found.append(TLS_ONLY)
    return found
