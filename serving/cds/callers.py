"""Whether the hospital system that asks is the one it says it is: by a token that it signed for this very address, and only once.

Asymmetric signatures alone (ES384, RS384), keys from a file of ours and never from an address in the token, an audience that is
the exact address asked, a short life, and every token once.

References
----------
HL7 CDS Hooks 2.0 (2022): trusting CDS clients. JSON Web Token (RFC 7519, 2015), best current practices (RFC 8725, 2020).
"""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry

from models.identity import Identity, Role
from serving.access.door import Unproved
from serving.cds.settings import CdsSettings
from serving.cds.shown import Shown

ALGORITHMS = ["ES384", "RS384"]
SKEW_SECONDS = 60
LONGEST_LIFE_SECONDS = 300.0 + SKEW_SECONDS  # of a token: the specification advises minutes
_LONGEST_NAME = 256
_CARRIED = ("jwk", "x5u", "x5c", "crit", "b64", "zip", "jku")  # keys, or what changes the meaning of the rest
_UNKNOWN = "the token is of no hospital system that is known here"
_FORGED = "the token is not signed by the hospital system it names, by ES384 or RS384"


@dataclass(frozen=True)
class CdsCallers:
    """Checks the tokens of hospital systems; one that was shown in any process is good in none."""

    settings: CdsSettings
    shown: Shown
    now: Callable[[], float] = time.time

    def identity(self, token: str, path: str) -> Identity:
        """Whom the token stands for at that path. Unproved where it does not."""
        issuer = _unverified(token)
        caller = self.settings.callers.get(issuer)
        if caller is None:
            raise Unproved(_UNKNOWN)
        try:
            claims = jwt.decode(token, caller.keys, algorithms=ALGORITHMS, registry=JWSRegistry(algorithms=ALGORITHMS)).claims
        except (JoseError, ValueError, RecursionError, KeyError, TypeError):
            raise Unproved(_FORGED) from None
        self._check(claims, caller.issuer, self.settings.service + path)
        self._once(claims, issuer)
        return Identity(caller.name, frozenset({Role.CLINICIAN}), caller.unit, caller.issuer)

    def _check(self, claims: Mapping[str, Any], issuer: str, audience: str) -> None:
        now = int(self.now())
        essential = {name: {"essential": True} for name in ("exp", "iat", "jti")}
        given = {"iss": {"essential": True, "value": issuer}, "aud": {"essential": True, "value": audience}, **essential}
        checks = jwt.JWTClaimsRegistry(now=now, leeway=SKEW_SECONDS, **given)  # type: ignore[arg-type]  # claims by their names
        try:
            checks.validate(dict(claims))
        except JoseError:
            raise Unproved("the token has expired, or is not made out for this address") from None
        if not 0 <= claims["exp"] - claims["iat"] <= LONGEST_LIFE_SECONDS:
            raise Unproved("the token is good for longer than five minutes: such a one is not believed")

    def _once(self, claims: Mapping[str, Any], issuer: str) -> None:
        """Unproved for a token that was shown before."""
        jti = claims["jti"]
        if not isinstance(jti, str) or not 0 < len(jti) <= _LONGEST_NAME:
            raise Unproved(f"the token has no id of its own: allowed is a jti of 1 to {_LONGEST_NAME} characters")
        if not self.shown.first(issuer, jti, float(claims["exp"]) + SKEW_SECONDS, self.now()):
            raise Unproved("the token was shown before: each is good once")


def _unverified(token: str) -> str:
    """Who the token says that it is of; Unproved for one whose head asks for anything but an ordinary check."""
    parts = token.split(".")
    if len(parts) != 3:
        raise Unproved(_UNKNOWN)
    head, claims = (_part(one) for one in parts[:2])
    if head.get("alg") not in ALGORITHMS or not isinstance(head.get("kid"), str) or any(name in head for name in _CARRIED):
        raise Unproved(_FORGED)
    issuer = claims.get("iss")
    return issuer if isinstance(issuer, str) else ""


def _part(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, RecursionError):
        raise Unproved(_UNKNOWN) from None
    return found if isinstance(found, dict) else {}
