"""A token is believed for what the identity provider signed, for us and for now; every other one is refused in our own words."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc.jwk import OctKey, RSAKey

from models.identity import Identity, Role
from serving.access.door import Unproved
from serving.access.tokens import LONGEST_LIFE_SECONDS, SKEW_SECONDS, Tokens

AUDITORS, CLINICIANS = "group of auditors", "group of clinicians"
CANARY = "canary-4711"
Told = Mapping[str, Any]


def identity(tokens: Tokens, token: str) -> Identity:
    return asyncio.run(tokens.identity(token))


def encoded(document: object) -> str:
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def by_hand(head: object, claims: object, secret: bytes) -> str:
    """A token with an HMAC of that secret, as no honest library makes one."""
    signed = f"{encoded(head)}.{encoded(claims)}"
    return f"{signed}.{encoded(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


@pytest.mark.parametrize("head", [{"alg": "RS256", "kid": "rsa-1"}, {"alg": "ES256", "kid": "ec-1"}, {"typ": "at+jwt"}], ids=str)
def test_a_token_the_provider_signed_for_us_names_somebody_with_roles_and_unit(tokens: Tokens, issuer: Any, head: Told) -> None:
    found = identity(tokens, issuer.token(issuer.honest([AUDITORS, CLINICIANS, "cooks"]), head))
    assert found == Identity("a.frey", frozenset({Role.AUDITOR, Role.CLINICIAN}), "Ward 3", issuer.url)


@pytest.mark.parametrize("role", Role)
def test_each_role_has_its_group(tokens: Tokens, token_of: Callable[..., str], role: Role) -> None:
    assert identity(tokens, token_of(role)).roles == {role}


@pytest.mark.parametrize("groups", [None, [], "cooks", ["cooks"], [[AUDITORS]], {AUDITORS: 1}, 7, "auditor"], ids=str)
def test_whoever_is_in_no_group_that_was_named_has_no_role(tokens: Tokens, token_of: Callable[..., str], groups: object) -> None:
    assert identity(tokens, token_of(None, groups=groups)).roles == frozenset()


def test_a_claim_may_lie_within_another_and_a_name_with_dots_is_a_name_first(tokens: Tokens, issuer: Any) -> None:
    within = Tokens(replace(tokens.oidc, roles_claim="realm_access.roles"), tokens.provider)
    honest = issuer.honest([])
    assert identity(within, issuer.token(honest | {"realm_access": {"roles": [AUDITORS]}})).roles == {Role.AUDITOR}
    both = honest | {"realm_access.roles": [CLINICIANS], "realm_access": {"roles": [AUDITORS]}}
    assert identity(within, issuer.token(both)).roles == {Role.CLINICIAN}
    assert identity(within, issuer.token(honest | {"realm_access": AUDITORS})).roles == frozenset()


@pytest.mark.parametrize("unit", [None, 3, "", "a\nb", "a\u202eb", "x" * 129, ["Ward 3"]])
def test_a_unit_that_is_no_short_plain_text_is_none(tokens: Tokens, token_of: Callable[..., str], unit: object) -> None:
    assert identity(tokens, token_of(Role.CLINICIAN, department=unit)).unit == ""


@pytest.mark.parametrize(
    "head",
    [
        {"alg": "RS384"},
        {"alg": "PS256"},
        {"alg": "RS256", "kid": CANARY},
        {"alg": "RS256", "kid": None},
        {"alg": "RS256", "kid": "ec-1"},
        {"jku": f"https://{CANARY}.example/jwks"},
        {"x5u": f"https://{CANARY}.example/x5u"},
        {"jwk": {"kty": "RSA", "n": CANARY, "e": "AQAB"}},
        {"x5c": [CANARY]},
        {"crit": ["exp"], "exp": 1},
        {"typ": CANARY},
        {"typ": "logout+jwt"},
        {"zip": "DEF"},
    ],
    ids=str,
)
def test_a_token_whose_head_asks_for_another_key_or_algorithm_is_refused(tokens: Tokens, issuer: Any, head: Told) -> None:
    told = {"alg": "RS256", "kid": "rsa-1", "typ": "JWT", **head}
    kept = {name: value for name, value in told.items() if value is not None}
    forged = _signed(issuer.rsa, kept, issuer.honest([AUDITORS]))
    with pytest.raises(Unproved, match=r"the token is not signed|neither an API key nor a token") as refused:
        identity(tokens, forged)
    assert CANARY not in str(refused.value)


def _signed(key: RSAKey, head: Told, claims: Told) -> str:
    """Signed by RS256 (or what the head says, as far as RSA goes) whatever else stands in the head."""
    from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256, SHA384

    hashing = SHA384() if head["alg"] == "RS384" else SHA256()
    padding = PSS(MGF1(SHA256()), 32) if head["alg"] == "PS256" else PKCS1v15()
    signed = f"{encoded(head)}.{encoded(claims)}"
    assert key.private_key is not None
    return f"{signed}.{encoded(key.private_key.sign(signed.encode(), padding, hashing))}"


def test_the_forger_of_these_tests_signs_as_a_library_does(tokens: Tokens, issuer: Any) -> None:
    good = _signed(issuer.rsa, {"alg": "RS256", "kid": "rsa-1"}, issuer.honest([AUDITORS]))
    assert identity(tokens, good).roles == {Role.AUDITOR}


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", ""])
def test_a_token_that_nobody_signed_is_refused(tokens: Tokens, issuer: Any, name: str) -> None:
    unsigned = f"{encoded({'alg': name, 'kid': 'rsa-1'})}.{encoded(issuer.honest([AUDITORS]))}."
    for token in (unsigned, f"{unsigned}AAAA"):
        with pytest.raises(Unproved, match="token"):
            identity(tokens, token)


@pytest.mark.parametrize("form", ["PEM", "DER", "modulus", "jwk"])
def test_a_public_key_used_as_a_password_signs_nothing(tokens: Tokens, issuer: Any, form: str) -> None:
    key = issuer.rsa
    secrets = {
        "PEM": key.as_pem(private=False),
        "DER": key.as_der(private=False),
        "modulus": key.as_dict(private=False)["n"].encode(),
        "jwk": json.dumps(issuer.published[0]).encode(),
    }
    for algorithm in ("HS256", "RS256"):
        with pytest.raises(Unproved, match="not signed by the identity provider"):
            identity(tokens, by_hand({"alg": algorithm, "kid": "rsa-1"}, issuer.honest([AUDITORS]), secrets[form]))


def test_a_password_that_the_provider_publishes_by_mistake_is_no_key(tokens: Tokens, issuer: Any) -> None:
    password = OctKey.generate_key(256)
    issuer.published.append({**password.as_dict(), "kid": "oct-1", "alg": "HS256"})
    forged = by_hand({"alg": "HS256", "kid": "oct-1"}, issuer.honest([AUDITORS]), password.raw_value)
    with pytest.raises(Unproved, match="not signed by the identity provider"):
        identity(tokens, forged)


def test_a_token_signed_with_a_strangers_key_is_refused(tokens: Tokens, issuer: Any) -> None:
    with pytest.raises(Unproved, match="not signed by the identity provider"):
        identity(tokens, issuer.token(issuer.honest([AUDITORS]), key=issuer.stranger))


@pytest.mark.parametrize("of", ["rsa", "ec"])
def test_a_token_whose_claims_were_changed_is_refused(tokens: Tokens, issuer: Any, of: str) -> None:
    head, kept = {"rsa": {}, "ec": {"alg": "ES256", "kid": "ec-1"}}[of], issuer.honest([CLINICIANS])
    first, _, last = issuer.token(kept, head).split(".")
    with pytest.raises(Unproved, match="not signed by the identity provider"):
        identity(tokens, f"{first}.{encoded(kept | {'groups': [AUDITORS]})}.{last}")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"aud": "another"}, "not for this service"),
        ({"aud": []}, "not for this service"),
        ({"aud": ["another", "lymphorisk-pages"]}, "not for this service"),
        ({"aud": {"lymphorisk": 1}}, "not for this service"),
        ({"aud": None}, "not for this service"),
        ({"iss": "https://id.elsewhere.example"}, "not of its identity provider"),
        ({"iss": None}, "not of its identity provider"),
        ({"iss": ["a"]}, "not of its identity provider"),
        ({"exp": timedelta(seconds=-SKEW_SECONDS - 5)}, "expired"),
        ({"exp": 0}, "expired"),
        ({"exp": None}, "not for this service"),
        ({"exp": "2999999999"}, "not for this service"),
        ({"exp": True}, "expired|not for this service"),
        ({"exp": float("inf")}, "not for this service"),
        ({"exp": float("nan")}, "not for this service"),
        ({"exp": timedelta(seconds=LONGEST_LIFE_SECONDS + 3600)}, "longer than a day"),
        ({"nbf": timedelta(seconds=SKEW_SECONDS + 60)}, "not good yet"),
        ({"nbf": "soon"}, "not good yet"),
        ({"iat": timedelta(seconds=SKEW_SECONDS + 60)}, "not good yet"),
        ({"iat": None}, "not good yet"),
        ({"sub": None}, "not for this service"),
        ({"sub": 7}, "not for this service"),
        ({"sub": ""}, "not for this service|does not name anybody"),
        ({"sub": "a\x1b[2Jb"}, "does not name anybody"),
        ({"sub": "x" * 129}, "does not name anybody"),
    ],
    ids=str,
)
def test_a_token_for_others_of_others_or_for_another_time_is_refused(
    tokens: Tokens, token_of: Callable[..., str], changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Unproved, match=reason):
        identity(tokens, token_of(Role.AUDITOR, **changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": timedelta(seconds=-30)},
        {"nbf": timedelta(seconds=30)},
        {"iat": timedelta(seconds=30)},
        {"aud": ["x", "lymphorisk"]},
    ],
    ids=str,
)
def test_clocks_may_differ_by_less_than_a_minute_and_a_token_may_be_for_several(
    tokens: Tokens, token_of: Callable[..., str], changes: dict[str, Any]
) -> None:
    assert identity(tokens, token_of(Role.AUDITOR, **changes)).name == "a.frey"


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "a.b",
        "a.b.c.d.e",
        "a.b.c",
        "..",
        f"{CANARY}.b.c",
        "e30.e30.AAAA",
        f"{encoded(b'[' * 300)}.e30.AAAA",
        f"{encoded([1])}.e30.AAAA",
        f"{encoded({'alg': ['RS256'], 'kid': 'rsa-1'})}.e30.AAAA",
        f"{encoded({'alg': 'RS256', 'kid': 'rsa-1', 'pad': 'x' * 600})}.e30.AAAA",
        f"{encoded({'alg': 'RS256', 'kid': 'rsa-1'})}.{'a' * 20_000}.AAAA",
        f"{encoded({'alg': 'RS256', 'kid': 'rsa-1'})}.e30.!!!!",
        f"{encoded({'alg': 'RS256', 'kid': 'rsa-1'})}.{encoded(b'[' * 8000)}.AAAA",
    ],
    ids=range(15),
)
def test_what_is_no_token_or_too_large_is_refused_and_not_repeated(tokens: Tokens, token: str) -> None:
    with pytest.raises(Unproved, match="the identity provider") as refused:
        identity(tokens, token)
    assert CANARY not in str(refused.value)


def test_a_signed_text_that_is_no_object_proves_nothing(tokens: Tokens, issuer: Any) -> None:
    for claims in (["a"], 7, None):
        with pytest.raises(Unproved, match="not signed by the identity provider"):
            identity(tokens, _signed(issuer.rsa, {"alg": "RS256", "kid": "rsa-1"}, claims))  # type: ignore[arg-type]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(data=st.data())
def test_a_token_with_any_sign_changed_is_refused_or_says_the_same(tokens: Tokens, issuer: Any, data: st.DataObject) -> None:
    token = issuer.token(issuer.honest([AUDITORS]))
    place = data.draw(st.integers(0, len(token) - 1))
    changed = token[:place] + data.draw(st.sampled_from("aZ0-_.=+/ ")) + token[place + 1 :]
    try:
        found = identity(tokens, changed)
    except Unproved:
        return
    assert found == identity(tokens, token)  # the last sign of a part may hold bits that nobody reads
