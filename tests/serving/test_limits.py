"""How much is done at once, and how often one may ask: never more than allowed, whoever asks and whenever."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.identity import Identity, Role
from serving import limits
from serving.limits import Limits, Rate, Rates, Room, read_limits

SIZES = st.lists(st.integers(0, 300), max_size=60)


def somebody(name: str = "ward 3") -> Identity:
    return Identity(name, frozenset({Role.CLINICIAN}), "Ward 3", "API key")


@given(SIZES, st.integers(1, 8), st.integers(1, 500))
def test_never_more_is_under_way_than_there_is_room_for(sizes: list[int], most: int, most_bytes: int) -> None:
    room, inside = Room(most, most_bytes), []
    for size in sizes:
        alone = not inside
        if room.enter(size):
            inside.append(size)
            assert len(inside) <= most
            assert alone or sum(inside) <= most_bytes
        else:
            assert len(inside) == most or sum(inside) + size > most_bytes
        if len(inside) > 3:
            room.leave(inside.pop(0))
    for size in inside:
        room.leave(size)
    assert (room.under_way, room.bytes_under_way, room.full) == (0, 0, False)


@given(st.lists(st.floats(0, 3), min_size=1, max_size=80), st.floats(0.5, 20), st.integers(1, 10))
def test_nobody_gets_more_than_the_rate_and_the_burst_allow(pauses: list[float], per_second: float, burst: int) -> None:
    clock, came_in = [0.0], 0
    rates = Rates(Rate(per_second, burst), lambda: clock[0])
    for pause in pauses:
        clock[0] += pause
        came_in += rates.waiting(somebody()) == 0
        assert came_in <= burst + clock[0] * per_second + 1e-6


@given(st.floats(0.5, 20), st.integers(1, 10))
def test_who_waits_as_long_as_told_comes_in(per_second: float, burst: int) -> None:
    clock = [0.0]
    rates = Rates(Rate(per_second, burst), lambda: clock[0])
    for _ in range(burst):
        assert rates.waiting(somebody()) == 0
    wait = rates.waiting(somebody())
    assert 0 < wait <= 1 / per_second + 1e-9
    clock[0] += wait + 1e-9
    assert rates.waiting(somebody()) == 0


def test_one_who_asks_too_often_keeps_out_nobody_else() -> None:
    rates = Rates(Rate(1, 1), lambda: 0.0)
    assert [rates.waiting(somebody()) > 0 for _ in range(3)] == [False, True, True]
    assert rates.waiting(somebody("another")) == 0


def test_of_many_identities_those_that_asked_longest_ago_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "REMEMBERED", 3)
    rates = Rates(Rate(1, 1), lambda: 0.0)
    for name in "abcd":
        assert rates.waiting(somebody(name)) == 0
    assert rates.waiting(somebody("d")) > 0
    assert rates.waiting(somebody("a")) == 0


@pytest.mark.parametrize(("text", "found"), [
    ("", Limits()),
    ("[oidc]\nissuer = 'x'\n", Limits()),
    ("[limits]\nrequests_per_second = 0.5\nburst = 3\n", Limits(0.5, 3)),
    ("[limits]\nat_once = 12\n", Limits(at_once=12)),
])
def test_limits_are_read_and_what_is_not_set_stands(tmp_path: Path, text: str, found: Limits) -> None:
    (tmp_path / "access.toml").write_text(text)
    assert read_limits(tmp_path / "access.toml") == found


def test_without_a_file_the_limits_stand(tmp_path: Path) -> None:
    assert read_limits(tmp_path / "access.toml") == Limits()


@pytest.mark.parametrize(("text", "said"), [
    ("[limits]\nburst = 0\n", "at least 1 at once"),
    ("[limits]\nrequests_per_second = -1\n", "more than 0 per second"),
    ("[limits]\nrequests_per_second = inf\n", "more than 0 per second"),
    ("[limits]\nburst = 2.5\n", "limits.burst = 2.5"),
    ("[limits]\nburst = true\n", "limits.burst = True"),
    ("[limits]\nrate = 3\n", "limits.rate = 3: allowed are whole numbers for requests_per_second"),
    ("[limits]\nat_once = 0\n", "at_once = 0: allowed are 1 to 1000"),
    ("limits = 3\n", "limits"),
    ("[limits\n", "is no TOML"),
])
def test_limits_that_make_no_sense_are_refused_in_words(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "access.toml").write_text(text)
    with pytest.raises(ValueError, match=said):
        read_limits(tmp_path / "access.toml")
