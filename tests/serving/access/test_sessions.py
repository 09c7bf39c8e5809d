"""A browser stays signed in while somebody acts, and no longer; what acts comes from a page of its own."""

from __future__ import annotations

import re
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection

from models.identity import Identity, Role
from serving.access.door import Unproved
from serving.access.session_store import NAME, SessionStore
from serving.access.sessions import COOKIE, Sessions

FREY = Identity("A. Frey", frozenset({Role.AUDITOR, Role.CLINICIAN}), "Ward 3", "https://id.example")
OWN = {"host": "risk.example", "sec-fetch-site": "same-origin"}
FORM = {**OWN, "content-type": "application/x-www-form-urlencoded"}


@dataclass
class Clock:
    seconds: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(tmp_path: Path, clock: Clock) -> Iterator[Sessions]:
    with closing(SessionStore(tmp_path)) as store:
        yield Sessions(store, clock)


def stored(folder: Path, query: str) -> object:
    with closing(sqlite3.connect(folder / NAME, isolation_level=None)) as database:
        return (database.execute(query).fetchone() or (None,))[0]


def browser(cookie: str, method: str = "GET", headers: dict[str, str] | None = None) -> HTTPConnection:
    told = {"cookie": cookie.partition(";")[0], **(headers or {})}
    sent = [(name.encode(), value.encode()) for name, value in told.items()]
    return HTTPConnection({"type": "http", "method": method, "path": "/", "headers": sent})


def test_whoever_signed_in_is_known_by_the_cookie_alone(sessions: Sessions) -> None:
    cookie = sessions.begin(FREY)
    assert sessions.identity(browser(cookie)) == FREY
    assert sessions.identity(browser("other=1")) is None


def test_the_cookie_holds_256_bits_and_cannot_be_read_sent_elsewhere_or_set_by_another_host(sessions: Sessions) -> None:
    first, second = sessions.begin(FREY), sessions.begin(FREY)
    assert re.fullmatch(r"__Host-lymphorisk=[A-Za-z0-9_-]{43}; Path=/; Secure; HttpOnly; SameSite=Strict", first)
    assert first != second


def test_the_database_holds_nothing_that_signs_in_and_is_its_owners_alone(sessions: Sessions, tmp_path: Path) -> None:
    token = sessions.begin(FREY).partition(";")[0].removeprefix(f"{COOKIE}=")
    for path in tmp_path.iterdir():
        assert token.encode() not in path.read_bytes()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    digest = str(stored(tmp_path, "SELECT hex(digest) FROM sessions"))
    with pytest.raises(Unproved, match="signed off: sign in again"):
        sessions.identity(browser(f"{COOKIE}={digest[:43]}"))


@pytest.mark.parametrize("value", ["", "a" * 43, "' OR 1=1 --", "a" * 5000])
def test_a_cookie_that_nobody_was_given_signs_nobody_in_and_is_not_repeated(sessions: Sessions, value: str) -> None:
    with pytest.raises(Unproved, match=r"^signed off: sign in again$"):
        sessions.identity(browser(f"{COOKIE}={value}"))


def test_after_a_quarter_of_an_hour_in_which_nobody_acts_the_browser_is_signed_off(sessions: Sessions, clock: Clock) -> None:
    cookie = sessions.begin(FREY)
    for _ in range(4):
        clock.seconds += 14.9 * 60
        assert sessions.identity(browser(cookie)) == FREY
    clock.seconds += 15.1 * 60
    with pytest.raises(Unproved, match="15 minutes"):
        sessions.identity(browser(cookie))
    clock.seconds -= 10 * 60
    with pytest.raises(Unproved, match="15 minutes"):  # what is over stays over, whatever the clock says
        sessions.identity(browser(cookie))


def test_what_a_page_asks_by_itself_keeps_nobody_signed_in(sessions: Sessions, clock: Clock) -> None:
    cookie = sessions.begin(FREY)
    clock.seconds += 10 * 60
    assert sessions.identity(browser(cookie, headers={"sec-fetch-mode": "cors"})) == FREY
    clock.seconds += 6 * 60
    with pytest.raises(Unproved, match="15 minutes"):
        sessions.identity(browser(cookie))


def test_after_twelve_hours_everybody_is_signed_off(sessions: Sessions, clock: Clock) -> None:
    cookie = sessions.begin(FREY)
    for _ in range(72):
        clock.seconds += 10 * 60
        assert sessions.identity(browser(cookie)) == FREY
    clock.seconds += 1
    with pytest.raises(Unproved, match="12 hours"):
        sessions.identity(browser(cookie))


def test_a_clock_set_far_back_makes_no_session_longer(sessions: Sessions, clock: Clock) -> None:
    cookie = sessions.begin(FREY)
    clock.seconds -= 3600
    with pytest.raises(Unproved, match="sign in again"):
        sessions.identity(browser(cookie))


def test_whoever_signs_off_is_signed_off_in_every_process_at_once(tmp_path: Path) -> None:
    with closing(SessionStore(tmp_path)) as first, closing(SessionStore(tmp_path)) as second:
        one, other = Sessions(first), Sessions(second)
        cookie = one.begin(FREY)
        assert other.identity(browser(cookie)) == FREY
        taken = one.end(browser(cookie))
        assert taken == f"{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0"
        for process in (one, other):
            with pytest.raises(Unproved, match=r"^signed off$"):
                process.identity(browser(cookie))


def test_sessions_of_yesterday_leave_no_trace(sessions: Sessions, clock: Clock, tmp_path: Path) -> None:
    sessions.begin(FREY)
    clock.seconds += 25 * 3600
    sessions.begin(FREY)
    assert stored(tmp_path, "SELECT count(*) FROM sessions") == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "risk.example"},
        {"host": "risk.example", "origin": "https://elsewhere.example"},
        {"host": "risk.example", "origin": "null"},
        {"host": "risk.example", "origin": "http://risk.example"},
        {"host": "risk.example", "origin": "https://risk.example.elsewhere.example"},
        {"host": "risk.example", "origin": "https://risk.example:8443"},
        {"host": "risk.example", "origin": "https://[risk.example"},
        {"host": "risk.example", "sec-fetch-site": "cross-site"},
        {"host": "risk.example", "sec-fetch-site": "same-site"},
        {"host": "risk.example", "sec-fetch-site": "none"},
        {"host": "risk.example", "sec-fetch-site": "cross-site", "origin": "https://risk.example"},
        {"host": "risk.example", "sec-fetch-site": "same-origin", "origin": "https://elsewhere.example"},
    ],
    ids=str,
)
def test_what_acts_from_elsewhere_is_refused_whatever_token_it_has(sessions: Sessions, headers: dict[str, str]) -> None:
    cookie = sessions.begin(FREY)
    token = sessions.csrf(browser(cookie))
    with pytest.raises(HTTPException, match="403: the request"):
        sessions.identity(browser(cookie, "POST", {**headers, "x-csrf-token": token}))


@pytest.mark.parametrize(
    "headers",
    [
        OWN,
        {**OWN, "origin": "null"},
        {**OWN, "origin": "https://risk.example"},
        {"host": "risk.example:8443", "origin": "https://risk.example:8443"},
        {"host": "127.0.0.1:8000", "origin": "http://127.0.0.1:8000"},
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_what_a_script_of_ours_does_needs_the_token_of_its_session(
    sessions: Sessions, method: str, headers: dict[str, str]
) -> None:
    cookie, others = sessions.begin(FREY), sessions.begin(FREY)
    for wrong in ({}, {"x-csrf-token": ""}, {"x-csrf-token": sessions.csrf(browser(others))}):
        with pytest.raises(HTTPException, match="CSRF token is missing or another's"):
            sessions.identity(browser(cookie, method, {**headers, **wrong}))
    token = sessions.csrf(browser(cookie))
    assert sessions.identity(browser(cookie, method, {**headers, "x-csrf-token": token})) == FREY


def test_the_pages_of_a_session_are_given_its_token(sessions: Sessions) -> None:
    cookie = sessions.begin(FREY)
    asking = browser(cookie)
    sessions.identity(asking)
    assert asking.state.csrf == sessions.csrf(asking)
    assert re.fullmatch("[0-9a-f]{64}", asking.state.csrf)
    assert asking.state.csrf not in cookie


def test_a_form_may_come_in_before_its_token_is_read(sessions: Sessions) -> None:
    assert sessions.identity(browser(sessions.begin(FREY), "POST", FORM)) == FREY


def test_sessions_that_cannot_be_read_let_nobody_in_and_say_so(sessions: Sessions, tmp_path: Path) -> None:
    cookie = sessions.begin(FREY)
    stored(tmp_path, "DROP TABLE sessions")
    with pytest.raises(HTTPException, match="503: who is signed in cannot be told now"):
        sessions.identity(browser(cookie))
