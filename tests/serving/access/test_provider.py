"""An identity provider is asked seldom, at one address, and not believed for more than it should say."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from joserfc.jwk import ECKey

from models.identity import Role
from serving.access import provider as module
from serving.access.door import Unproved
from serving.access.json_web_keys import keys_in
from serving.access.provider import FRESH_SECONDS, REFRESH_SECONDS, RETRY_SECONDS, STALE_SECONDS, Provider, Unanswered
from serving.access.tokens import Tokens

DISCOVERY, JWKS = "/.well-known/openid-configuration", "/jwks"


class Clock:
    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def provider(issuer: Any, clock: Clock) -> Provider:
    return Provider(issuer.url, clock)


def key(provider: Provider, kid: str = "rsa-1", algorithm: str = "RS256") -> Any:
    return asyncio.run(provider.key(kid, algorithm))


def answering(status: int = 200, body: bytes = b"{}", **headers: str) -> Callable[[str], tuple[int, dict[str, str], bytes]]:
    return lambda sent: (status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def test_what_the_provider_publishes_is_fetched_once_an_hour(provider: Provider, issuer: Any, clock: Clock) -> None:
    for _ in range(5):
        assert key(provider) is not None
    assert key(provider, "ec-1", "ES256") is not None
    assert issuer.asked == [DISCOVERY, JWKS]
    clock.seconds += FRESH_SECONDS + 1
    key(provider)
    assert issuer.asked == [DISCOVERY, JWKS] * 2


def test_a_new_key_is_found_and_an_unknown_one_looked_for_once_a_minute(provider: Provider, issuer: Any, clock: Clock) -> None:
    key(provider)
    new = ECKey.generate_key("P-256")
    issuer.published.append({**new.as_dict(private=False), "kid": "new"})
    for _ in range(3):
        assert key(provider, "new", "ES256") is None
    clock.seconds += REFRESH_SECONDS
    assert key(provider, "new", "ES256") is not None
    for _ in range(50):
        assert key(provider, "nobody's", "ES256") is None
    assert issuer.asked == [DISCOVERY, JWKS] * 2


def test_a_hundred_tokens_at_once_ask_the_provider_once(provider: Provider, issuer: Any) -> None:
    async def many() -> list[Any]:
        return await asyncio.gather(*(provider.key("rsa-1", "RS256") for _ in range(100)))

    assert all(asyncio.run(many()))
    assert issuer.asked == [DISCOVERY, JWKS]


def test_a_key_that_was_taken_back_is_not_believed_after_an_hour(provider: Provider, issuer: Any, clock: Clock) -> None:
    assert key(provider) is not None
    issuer.published.pop(0)
    clock.seconds += FRESH_SECONDS + 1
    assert key(provider) is None


def test_while_the_provider_does_not_answer_its_keys_are_believed_for_a_day(
    provider: Provider, issuer: Any, clock: Clock
) -> None:
    key(provider)
    issuer.lies[DISCOVERY] = answering(500)
    clock.seconds += STALE_SECONDS - 1
    assert key(provider) is not None
    clock.seconds += 2
    with pytest.raises(Unanswered, match="has not answered for too long"):
        key(provider)


def test_a_provider_that_answers_again_is_believed_again_within_seconds(provider: Provider, issuer: Any, clock: Clock) -> None:
    issuer.lies[JWKS] = answering(500)
    for _ in range(3):
        with pytest.raises(Unanswered, match="cannot be asked now"):
            key(provider)
    assert issuer.asked == [DISCOVERY, JWKS]
    del issuer.lies[JWKS]
    clock.seconds += RETRY_SECONDS
    assert key(provider) is not None


@pytest.mark.parametrize("path", [DISCOVERY, JWKS])
@pytest.mark.parametrize(
    ("lie", "why"),
    [
        (answering(404), "otherwise than it should"),
        (answering(302, Location="http://127.0.0.1:1/elsewhere"), "otherwise than it should"),
        (answering(204), "otherwise than it should"),
        (answering(403), "refuses"),
        (answering(body=b""), "no JSON"),
        (answering(body=b"<html>"), "no JSON"),
        (answering(body=b"[" * 100_000), "no JSON"),
        (answering(body=b"[]"), "no JSON object"),
        (answering(body=b'"x"'), "no JSON object"),
        (answering(body=b"{}" + b" " * module.LARGEST), "too large"),
        (answering(Content_Encoding="gzip", body=b"x"), "compressed"),
        (answering(Content_Length="5", body=b"{}"), "does not answer"),
    ],
    ids=range(12),
)
def test_an_answer_that_is_none_lets_nobody_in(provider: Provider, issuer: Any, path: str, lie: Any, why: str) -> None:
    issuer.lies[path] = lie
    with pytest.raises(Unanswered, match=why) as unanswered:
        key(provider)
    assert unanswered.value.status_code == 503


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://id.elsewhere.example"},
        {"issuer": None},
        {"jwks_uri": None},
        {"jwks_uri": "http://id.elsewhere.example/jwks"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "http://169.254.169.254/latest"},
        {"jwks_uri": "https://user:word@id.example/jwks"},
        {"jwks_uri": "https://"},
        {"jwks_uri": ["https://id.example/jwks"]},
    ],
    ids=str,
)
def test_a_provider_that_names_itself_otherwise_or_unsafe_addresses_is_not_followed(
    provider: Provider, issuer: Any, metadata: dict[str, Any]
) -> None:
    issuer.metadata = metadata
    with pytest.raises(Unanswered, match="cannot be asked now"):
        key(provider)
    assert issuer.asked == [DISCOVERY]


def test_a_provider_that_is_slow_is_not_waited_for(provider: Provider, issuer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 0.2)
    issuer.lies[DISCOVERY] = lambda sent: (time.sleep(0.6), (200, {}, b"{}"))[1]
    began = time.monotonic()
    with pytest.raises(Unanswered, match="does not answer"):
        key(provider)
    assert time.monotonic() - began < 0.55


def test_a_provider_that_is_not_there_is_said_to_be_so() -> None:
    with pytest.raises(Unanswered, match="does not answer"):
        key(Provider("http://127.0.0.1:9"))


def test_no_address_in_a_token_is_ever_asked(issuer: Any, tokens: Tokens, token_of: Callable[..., str]) -> None:
    honest = issuer.honest(["group of auditors"])
    for head in ({"jku": f"{issuer.url}/planted"}, {"x5u": f"{issuer.url}/planted"}, {"kid": f"{issuer.url}/planted"}):
        with pytest.raises(Unproved, match="not signed by the identity provider"):
            asyncio.run(tokens.identity(issuer.token(honest | {"iss": issuer.url}, head)))
    with pytest.raises(Unproved, match="not of its identity provider"):
        asyncio.run(tokens.identity(token_of(Role.AUDITOR, iss=f"{issuer.url}/planted")))
    assert "/planted" not in issuer.asked
    assert not any(path.startswith("/planted") for path in issuer.asked)


def _rsa(issuer: Any, **changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {**issuer.published[0], **changes}.items() if value is not None}


@pytest.mark.parametrize(
    "changes",
    [
        {"kty": "oct", "k": "AAAA"},
        {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"},
        {"use": "enc"},
        {"key_ops": ["encrypt"]},
        {"key_ops": "verify"},
        {"alg": "RS384"},
        {"alg": "HS256"},
        {"kid": None},
        {"kid": ""},
        {"kid": 7},
        {"kid": "x" * 300},
        {"n": "AQAB"},
        {"n": "A" * 100_000},
        {"n": 7},
        {"n": None},
        {"e": None},
        {"e": "AQ"},
        {"e": "!!"},
    ],
    ids=str,
)
def test_a_key_that_cannot_check_our_signatures_is_none(issuer: Any, changes: dict[str, Any]) -> None:
    assert keys_in({"keys": [_rsa(issuer)]})
    assert keys_in({"keys": [_rsa(issuer, **changes)]}) == {}


def test_of_two_keys_of_one_name_neither_is_believed_and_the_others_are(issuer: Any) -> None:
    twice = [issuer.published[0], issuer.published[0], issuer.published[1], "junk", None, {}]
    assert list(keys_in({"keys": twice})) == [("ec-1", "ES256")]


@pytest.mark.parametrize("given", [None, {}, "x", 7], ids=json.dumps)
def test_a_set_of_keys_that_is_none_has_none(given: object) -> None:
    assert keys_in({"keys": given}) == {}


def test_a_private_half_that_is_published_by_mistake_is_left_alone(issuer: Any) -> None:
    (found,) = keys_in({"keys": [{**issuer.rsa.as_dict(private=True), "kid": "rsa-1"}]}).values()
    assert not found.is_private
