"""A form is read from a page of ours, once and small, or not at all; no refusal repeats what was filled in."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import closing
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response

from models.identity import Identity
from serving.access.door import route
from serving.access.forms import LONGEST, MOST, posted
from serving.access.session_store import SessionStore
from serving.access.sessions import Sessions
from serving.problems import Problems

OWN = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin", "host": "risk.example"}


class Page:
    """A page with a form, and a browser that is signed in."""

    def __init__(self, sessions: Sessions):
        self.sessions = sessions
        self.cookie = sessions.begin(Identity("A. Frey", frozenset(), "", "https://id.example")).partition(";")[0]
        self._app = Starlette(routes=[route("POST", "/form", self._form)])
        Problems().install(self._app)

    async def _form(self, request: Request) -> Response:
        return JSONResponse(dict(await posted(request, self.sessions)))

    @property
    def token(self) -> str:
        scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"cookie", self.cookie.encode())]}
        return self.sessions.csrf(HTTPConnection(scope))

    def post(self, body: bytes | str, headers: Mapping[str, str] = OWN) -> tuple[int, dict[str, object]]:
        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.post("/form", content=body, headers={**headers, "cookie": self.cookie})

        found = asyncio.run(once())
        return found.status_code, found.json()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with closing(SessionStore(tmp_path_factory.mktemp("access"))) as store:
        yield Page(Sessions(store))


def test_a_form_gives_its_fields_without_the_token(page: Page) -> None:
    assert page.post(f"id=P%2D1&reason=&note=a+b%C3%A9&csrf={page.token}") == (200, {"id": "P-1", "reason": "", "note": "a bé"})


@pytest.mark.parametrize("body", ["", "csrf=", "csrf=" + "0" * 64, "csrf=%C3%A9", "id=1"])
def test_without_the_token_of_the_session_a_form_is_refused(page: Page, body: str) -> None:
    status, problem = page.post(body)
    assert status == 403
    assert str(problem["title"]).endswith("its CSRF token is missing or another's")


@pytest.mark.parametrize(
    ("changed", "status", "title"),
    [
        ({"sec-fetch-site": "cross-site"}, 403, "another origin"),
        ({"sec-fetch-site": "same-site"}, 403, "another origin"),
        ({"origin": "https://elsewhere.example"}, 403, "another origin"),
        ({"content-type": "application/json"}, 415, "must be a form"),
        ({"content-type": "text/plain"}, 415, "must be a form"),
        ({"content-type": "multipart/form-data; boundary=x"}, 415, "must be a form"),
        ({"content-type": "application/x-www-form-urlencoded; charset=utf-16"}, 415, "in UTF-8"),
        ({"content-encoding": "gzip"}, 415, "compressed"),
    ],
    ids=str,
)
def test_a_form_from_elsewhere_or_of_another_kind_is_refused(
    page: Page, changed: dict[str, str], status: int, title: str
) -> None:
    found = page.post(f"csrf={page.token}", OWN | changed)
    assert found[0] == status
    assert title in str(found[1]["title"])


@pytest.mark.parametrize(
    "body",
    [
        b"id=secret-7&id=secret-8",
        b"id=%FFsecret-7",
        b"secret-7",
        b"id=\xffsecret-7",
        b"&".join(b"a%d=secret-7" % place for place in range(MOST + 1)),
    ],
    ids=["twice", "no UTF-8 within", "no field", "no ASCII", "too many"],
)
def test_a_form_that_can_be_read_in_two_ways_or_in_none_is_refused_without_repeating_it(page: Page, body: bytes) -> None:
    status, problem = page.post(body + b"&csrf=" + page.token.encode())
    assert status == 400
    assert "secret" not in str(problem)


def test_a_form_of_64_kib_is_read_and_a_byte_more_is_not(page: Page) -> None:
    rest = len(f"a=&csrf={page.token}")
    assert page.post(f"a={'x' * (LONGEST - rest)}&csrf={page.token}")[0] == 200
    status, problem = page.post(f"a={'x' * (LONGEST - rest + 1)}&csrf={page.token}")
    assert (status, problem["title"]) == (413, "the form must have at most 64 KiB")


_TEXT = st.text(st.characters(codec="utf-8"))


@given(filled=st.dictionaries(_TEXT.filter(lambda name: name != "csrf"), _TEXT, max_size=5))
def test_what_a_browser_encodes_is_what_is_read(page: Page, filled: dict[str, str]) -> None:
    assert page.post(urlencode({**filled, "csrf": page.token})) == (200, filled)
