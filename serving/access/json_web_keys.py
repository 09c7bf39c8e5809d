"""The public keys of an identity provider: those that may check a signature are taken, whatever else stands beside them is not.

JSON Web Key (RFC 7517, 2015), JSON Web Algorithms (RFC 7518, 2015).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

Keys = Mapping[tuple[str, str], RSAKey | ECKey]  # by name (kid) and algorithm
RS256, ES256 = "RS256", "ES256"
ALGORITHMS = (RS256, ES256)
MOST = 100  # keys of one provider
_BITS = range(2048, 8193)  # of RSA: fewer are broken (NIST SP 800-131A rev. 2, 2019), more take too long
_LONGEST_NAME = 256


def keys_in(document: Mapping[str, Any]) -> Keys:
    """The keys of a set that may check RS256 or ES256; two of one name for one algorithm are none."""
    given = document.get("keys")
    found = list(_found(given[:MOST] if isinstance(given, list) else []))
    many = Counter(name for name, _ in found)
    return {name: key for name, key in found if many[name] == 1}


def _found(given: list[Any]) -> Iterator[tuple[tuple[str, str], RSAKey | ECKey]]:
    for one in given:
        algorithm = _algorithm(one) if isinstance(one, dict) else None
        if algorithm is None:
            continue
        try:
            key = _key(one, algorithm)
        except (JoseError, ValueError, TypeError, KeyError):  # whatever is wrong with it, it is no key
            continue
        yield (one["kid"], algorithm), key


def _algorithm(one: Mapping[str, Any]) -> str | None:
    """For which algorithm the key may be used; None for none of ours."""
    kid, use = one.get("kid"), one.get("use", "sig")
    found = RS256 if one.get("kty") == "RSA" else ES256 if (one.get("kty"), one.get("crv")) == ("EC", "P-256") else None
    named = isinstance(kid, str) and 0 < len(kid) <= _LONGEST_NAME
    operations = one.get("key_ops", ["verify"])
    checks = use == "sig" and isinstance(operations, list) and "verify" in operations
    return found if named and checks and one.get("alg", found) == found else None


def _key(one: Mapping[str, Any], algorithm: str) -> RSAKey | ECKey:
    """Its public half alone. ValueError for RSA of too few bits or too many."""
    if algorithm == ES256:
        return ECKey.import_key({name: one[name] for name in ("kty", "crv", "x", "y")})
    if len(one["n"]) * 6 < _BITS.start or len(one["n"]) * 6 > _BITS.stop + 8:  # in base64: before anything is computed
        raise ValueError("a key of another size")
    found = RSAKey.import_key({name: one[name] for name in ("kty", "n", "e")})
    if found.raw_value.key_size not in _BITS:
        raise ValueError("a key of another size")
    return found
