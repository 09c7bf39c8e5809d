"""Tokens of the identity provider: believed for what it signed, for us and for now, and for nothing that stands in their head.

JSON Web Token (RFC 7519, 2015) with the practices of RFC 8725 (2020): RS256 or ES256 and nothing else, so that neither "none" nor
a public key used as a password signs anything; keys by their name from the provider itself. Refusals are in our own words.
"""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jws import JWSRegistry

from models.identity import Identity
from serving.access.door import Unproved
from serving.access.json_web_keys import ALGORITHMS
from serving.access.provider import Provider
from serving.access.settings import Oidc

LONGEST = 16 * 1024  # characters; those in a header of a request are shorter still
SKEW_SECONDS = 60
LONGEST_LIFE_SECONDS = 24 * 3600  # a token that is good for longer could not be taken back
_LONGEST_HEAD = 512
_LONGEST_NAME = 128
_KINDS = (None, "JWT", "jwt", "at+jwt", "application/at+jwt")  # RFC 9068 (2021); others are made for something else
_CARRIED = ("jwk", "jku", "x5u", "x5c", "crit", "b64", "zip")  # keys, or what changes the meaning of the rest
_MALFORMED = "what was shown is neither an API key nor a token of the identity provider"
_FORGED = "the token is not signed by the identity provider"
_EXPIRED = "the token has expired"
_NOT_FOR_US = "the token is not for this service, not of its identity provider, or not good yet"


@dataclass(frozen=True)
class Tokens:
    """Checks tokens of the identity provider; `now` gives seconds since 1970."""

    oidc: Oidc
    provider: Provider
    now: Callable[[], float] = time.time

    async def identity(self, token: str) -> Identity:
        """Whom a program's token was made out to. Unproved where it does not prove that; Unanswered without the provider."""
        return self.identity_of(await self.claims(token, self.oidc.audience))

    async def claims(self, token: str, audience: str) -> Mapping[str, Any]:
        """What the provider signed for that audience, and is good now. Raises Unproved, Unanswered."""
        kid, algorithm = _head(token)
        key = await self.provider.key(kid, algorithm)
        if key is None:
            raise Unproved(_FORGED)
        try:
            registry = JWSRegistry(algorithms=[algorithm], strict_check_header=False)
            found = jwt.decode(token, key, algorithms=[algorithm], registry=registry).claims
        except (JoseError, ValueError, RecursionError):
            raise Unproved(_FORGED) from None
        self._check(found, audience)
        return found

    def identity_of(self, claims: Mapping[str, Any]) -> Identity:
        """Who that is: roles by the groups that access.toml names, and none by any other. Unproved without a name."""
        name, unit = (_word(_at(claims, claim)) for claim in (self.oidc.name_claim, self.oidc.unit_claim))
        if not name:
            raise Unproved("the token does not name anybody")
        given = _at(claims, self.oidc.roles_claim)
        groups = [given] if isinstance(given, str) else given if isinstance(given, list) else []
        roles = frozenset(self.oidc.roles[one] for one in groups if isinstance(one, str) and one in self.oidc.roles)
        return Identity(name, roles, unit, self.oidc.issuer)

    def _check(self, claims: Mapping[str, Any], audience: str) -> None:
        now = int(self.now())
        checks = jwt.JWTClaimsRegistry(
            now=now,
            leeway=SKEW_SECONDS,
            iss={"essential": True, "value": self.oidc.issuer},
            aud={"essential": True, "value": audience},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )
        try:
            checks.validate(dict(claims))
        except ExpiredTokenError:
            raise Unproved(_EXPIRED) from None
        except JoseError:
            raise Unproved(_NOT_FOR_US) from None
        if not claims["exp"] - now <= LONGEST_LIFE_SECONDS:
            raise Unproved("the token is good for longer than a day: such a one is not believed")


def _head(token: str) -> tuple[str, str]:
    """Name of the key and algorithm, as the head of the token tells; Unproved for a head that asks for anything else."""
    parts = token.split(".")
    if len(parts) != 3 or not all(parts) or len(token) > LONGEST or len(parts[0]) > _LONGEST_HEAD:
        raise Unproved(_MALFORMED)
    try:
        head = json.loads(base64.b64decode(parts[0] + "=" * (-len(parts[0]) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise Unproved(_MALFORMED) from None
    if not isinstance(head, dict) or head.get("typ") not in _KINDS:
        raise Unproved(_MALFORMED)
    kid, algorithm = head.get("kid"), head.get("alg")
    if algorithm not in ALGORITHMS or not isinstance(kid, str) or any(name in head for name in _CARRIED):
        raise Unproved(f"{_FORGED} as it has to be: by {' or '.join(ALGORITHMS)}, with a key it publishes")
    return kid, algorithm


def _at(claims: Mapping[str, Any], path: str) -> Any:
    """What stands at a.b; a claim whose own name has dots (a URL) is found first. None where there is nothing."""
    if path in claims:
        return claims[path]
    found: Any = claims
    names: Sequence[str] = path.split(".")
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _word(value: object) -> str:
    """A short text that can be printed; "" for anything else."""
    return value if isinstance(value, str) and 0 < len(value) <= _LONGEST_NAME and value.isprintable() else ""
