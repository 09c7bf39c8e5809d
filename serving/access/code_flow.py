"""Signing in at the identity provider: the browser is sent there and comes back with a code, which this service exchanges itself.

Authorization code flow of OpenID Connect Core 1.0 (2014) with PKCE (RFC 7636, 2015, S256) and the issuer told in the answer (RFC
9207, 2022). One random value in a cookie of ten minutes is all that is remembered: state, nonce and verifier are derived from it,
so an answer to another browser, or to another attempt, fits none of them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from starlette.requests import Request

from models.identity import Identity
from serving.access.attempts import NotBegun
from serving.access.door import Unproved
from serving.access.provider import Declined, Provider, Published
from serving.access.settings import Oidc
from serving.access.tokens import Tokens
from serving.access.way_back import CALLBACK, is_ours

COOKIE = "__Host-lymphorisk-sign-in"
_FLAGS = "; Path=/; Secure; HttpOnly; SameSite=Lax"  # not Strict: it has to be sent when the provider sends the browser back
_SECONDS = 600
_LONGEST_CODE = 2048
_VALUE = re.compile(r"([A-Za-z0-9_-]{43})(/.*)")
_NOT_BEGUN = "this browser did not begin to sign in here, or began more than ten minutes ago, or anew since"


@dataclass(frozen=True)
class Attempt:
    """One attempt of one browser to sign in: 256 random bits and the page it wants to go to."""

    random: str
    to: str

    @property
    def state(self) -> str:
        """What comes back with the browser."""
        return self._derived(f"state {self.to}")

    @property
    def nonce(self) -> str:
        """What comes back within the signed token."""
        return self._derived("nonce")

    @property
    def verifier(self) -> str:
        """What only this service can show when it exchanges the code."""
        return self._derived("verifier")

    @property
    def challenge(self) -> str:
        """What the provider holds the verifier against."""
        return base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).decode().rstrip("=")

    def _derived(self, purpose: str) -> str:
        return hmac.new(self.random.encode(), purpose.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class CodeFlow:
    """Signs browsers in at the identity provider."""

    oidc: Oidc
    provider: Provider
    tokens: Tokens

    @property
    def issuer(self) -> str:
        """Whom a browser is sent to."""
        return self.oidc.issuer

    async def begun(self, to: str) -> tuple[str, str]:
        """The URL to send the browser to, and the Set-Cookie by which it is known when it comes back. Raises Unanswered."""
        published = await self.provider.published()
        attempt = Attempt(secrets.token_urlsafe(32), to)
        asked = {
            "response_type": "code",
            "client_id": self.oidc.client_id,
            "redirect_uri": self._redirect,
            "scope": "openid",
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
        url = published.endpoint("authorization_endpoint")
        cookie = f"{COOKIE}={attempt.random}{to}{_FLAGS}; Max-Age={_SECONDS}"
        return f"{url}{'&' if '?' in url else '?'}{urlencode(asked)}", cookie

    async def finished(self, request: Request) -> tuple[Identity, str, str]:
        """Who came back, where they wanted to go, and the Set-Cookie that takes the cookie away. Raises Unproved, Unanswered."""
        attempt = _attempt(request)
        published = await self.provider.published()
        code = self._code(request, attempt, published)
        claims = await self.tokens.claims(await self._id_token(code, attempt, published), self.oidc.client_id)
        self._check(claims, attempt)
        return self.tokens.identity_of(claims), attempt.to, f"{COOKIE}={_FLAGS}; Max-Age=0"

    @property
    def _redirect(self) -> str:
        return self.oidc.service + CALLBACK

    def _code(self, request: Request, attempt: Attempt, published: Published) -> str:
        """The code of the answer, once it is known to be the answer to this attempt."""
        told = request.query_params.multi_items()
        answer = dict(told)
        if len(told) != len(answer) or not hmac.compare_digest(answer.get("state", "").encode(), attempt.state.encode()):
            raise NotBegun(_NOT_BEGUN)
        named = published.document.get("authorization_response_iss_parameter_supported") is True
        if answer.get("iss", "" if named else self.issuer) != self.issuer:
            raise Unproved("the answer is of another identity provider")
        if "error" in answer:
            raise Unproved("the identity provider did not sign anybody in")
        if not 0 < len(answer.get("code", "")) <= _LONGEST_CODE:
            raise Unproved("the identity provider gave no code")
        return answer["code"]

    async def _id_token(self, code: str, attempt: Attempt, published: Published) -> str:
        """The token that the code is exchanged for."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect,
            "client_id": self.oidc.client_id,
            "code_verifier": attempt.verifier,
        }
        password = None
        methods = published.document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if self.oidc.client_secret and methods == ["client_secret_post"]:
            form["client_secret"] = self.oidc.client_secret
        elif self.oidc.client_secret:  # each encoded as in a form: RFC 6749 (2012), section 2.3.1
            password = quote(self.oidc.client_id, safe=""), quote(self.oidc.client_secret, safe="")
        try:
            answer = await self.provider.exchanged(published.endpoint("token_endpoint"), form, password)
        except Declined:
            raise Unproved("the identity provider did not take its code back") from None
        found = answer.get("id_token")
        if not isinstance(found, str):
            raise Unproved("the identity provider gave no ID token")
        return found

    def _check(self, claims: Mapping[str, Any], attempt: Attempt) -> None:
        nonce = claims.get("nonce")
        if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), attempt.nonce.encode()):
            raise Unproved("the token was made for another attempt to sign in")
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", "" if several else self.oidc.client_id) != self.oidc.client_id:
            raise Unproved("the token was made for another client")


def _attempt(request: Request) -> Attempt:
    found = _VALUE.fullmatch(request.cookies.get(COOKIE, ""))
    if found is None or not is_ours(found[2]):
        raise NotBegun(_NOT_BEGUN)
    return Attempt(found[1], found[2])
