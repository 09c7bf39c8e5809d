"""The exam of the killed service, scaled down, and what it must catch."""

from child import BACK_SECONDS
from held import Held
from kills import BEFORE_HASTY, kills, sit


def test_nothing_acknowledged_is_lost_when_the_service_is_killed_while_four_clients_ask(tmp_path):
    marks = sit(tmp_path, lambda *_: None, times=3)
    assert [str(mark) for mark in marks if mark.falls_short] == []


def test_a_recorder_that_answers_before_it_writes_is_caught(tmp_path):
    found = kills(tmp_path, 3, seed=3, before=BEFORE_HASTY)
    assert found.acknowledged > 0
    assert found.held.lost > 0
    assert found.strange == 0
    assert max(found.back) <= BACK_SECONDS


def test_what_is_lost_what_is_altered_and_what_verify_finds_each_count():
    assert Held(1, 0, 0, ()).whole
    assert not any(found.whole for found in (Held(1, 1, 0, ()), Held(1, 0, 1, ()), Held(1, 0, 0, ("broken",))))
