"""Four times the load, and hundreds of slow sockets: the exams, scaled down."""

from __future__ import annotations

from pathlib import Path

import overload
import slow_sockets
from pressing import Pressed

# on a computer that others use too, these are no measurements; the exam holds them to their bars
MEASURED = {"offered, times the steady load", "/livez, longest, s", "what a refusal costs, of a score"}


def test_under_four_times_the_load_everybody_is_answered(tmp_path: Path) -> None:
    found = overload.sit(tmp_path, lambda *told: None, 1.0)
    assert {one.what for one in found if one.falls_short} <= MEASURED
    assert {one.what: one.value for one in found}["/livez, longest, s"] < 1.0


def test_slow_sockets_are_cut_and_keep_nobody_out(tmp_path: Path) -> None:
    hasty = "from serving import body, connection\nbody.BODY_SECONDS = connection.HEAD_SECONDS = connection.BODY_SECONDS = 1.0"
    found = slow_sockets.sit(tmp_path, lambda *told: None, 30, before=hasty, seconds=2.5)
    assert {one.what for one in found if one.falls_short} <= {"their p99, of that before"}


def test_an_answer_of_another_kind_and_one_that_broke_off_would_be_seen() -> None:
    found = overload.Overloaded(Pressed(), Pressed(), Pressed(), overload.Watched(), 1.0, 1.0)
    found.over.statuses.update({200: 5, 503: 2, 429: 1, 500: 1, 0: 2})
    assert found.strange == 3
