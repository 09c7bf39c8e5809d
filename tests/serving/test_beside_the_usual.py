"""A request to its answer and its receipt, beside the usual way to serve an explained model: the exam, scaled down."""

from __future__ import annotations

from pathlib import Path

import load
import pytest
from marks import Mark
from pressing import Pressed

# on a computer that does other things too: where the worst of it would be a different order of magnitude
LEAST = {"scores per second, times the peer's": 3.0}
MOST = {
    "p99, of the peer's": 0.8,
    "processor per request, of the peer's": 0.3,
    "first score of a fresh process, of the peer's": 0.5,
    "memory of the process, MiB": 130.0,
}


def test_ours_is_faster_by_far_and_makes_no_error(tmp_path: Path) -> None:
    found = {one.what: one for one in load.sit(tmp_path, lambda *told: None, seconds=1.5, rounds=1, starts=1)}
    assert found["errors of ours"].value == 0
    assert "; 0 errors in the peer's" in found["errors of ours"].note
    assert {what: found[what].value for what, least in LEAST.items() if found[what].value < least} == {}
    assert {what: found[what].value for what, most in MOST.items() if found[what].value > most} == {}


def _pressed(asked: int, failed: int, seconds: float) -> Pressed:
    found = Pressed(seconds=[seconds] * asked, lasted=1.0)
    found.statuses.update({200: asked - failed, 503: failed})
    return found


def test_what_is_told_of_both_is_what_was_counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ours, other = load.Side([_pressed(800, 3, 0.1)] * 2, 1.594), load.Side([_pressed(100, 0, 1.0)] * 2, 2.0)
    held, served = (100.0, 101.0, 101.0, 102.0), (400, 800, 1200, 1594)
    given = load.Loaded(ours, other, (0.2, 0.3, 0.1), (2.0, 2.0, 2.0), held, served)
    monkeypatch.setattr(load, "loaded", lambda *told: given)
    found: dict[str, Mark] = {one.what: one for one in load.sit(tmp_path, lambda *told: None)}
    assert found["errors of ours"].value == 6
    assert found["scores per second, times the peer's"].value == pytest.approx(7.97)
    assert found["p99, of the peer's"].value == pytest.approx(0.1)
    assert found["processor per request, of the peer's"].value == pytest.approx(0.1)
    assert found["first score of a fresh process, of the peer's"].value == pytest.approx(0.1)
    assert found["growth per 10,000 requests, MB"].value == pytest.approx(1.0 * 2**20 / 1e6 * 10_000 / 794)
    assert {one.what for one in found.values() if one.falls_short} == {
        "errors of ours",
        "scores per second, times the peer's",
        "growth per 10,000 requests, MB",
    }
