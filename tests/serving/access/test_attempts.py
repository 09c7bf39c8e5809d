"""Whoever fails to sign in waits longer each time, and fills no receipts with it."""

from __future__ import annotations

from serving.access.attempts import NOTED, PERIOD_SECONDS, REMEMBERED, Attempts


class Clock:
    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def test_after_three_failures_the_wait_doubles_up_to_five_minutes_and_for_others_there_is_none() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    waits = []
    for _ in range(14):
        attempts.failed("198.51.100.7")
        waits.append(attempts.wait("198.51.100.7"))
        clock.seconds += waits[-1]
        assert attempts.wait("198.51.100.7") == 0
    assert waits == [0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    assert attempts.wait("198.51.100.8") == 0


def test_whoever_signs_in_or_stays_away_for_an_hour_begins_anew() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    for address in ("a", "b"):
        for _ in range(8):
            attempts.failed(address)
    attempts.succeeded("a")
    assert attempts.wait("a") == 0
    clock.seconds += 3601
    attempts.failed("b")
    assert attempts.wait("b") == 0


def test_addresses_without_number_take_no_memory_without_end() -> None:
    attempts = Attempts(Clock())
    for number in range(REMEMBERED + 500):
        attempts.failed(str(number))
    assert len(attempts._failures) == REMEMBERED


def test_of_many_failures_a_few_are_noted_and_the_number_of_the_others() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    found = [attempts.failed(str(number)) for number in range(NOTED + 30)]
    assert found == [0] * NOTED + [None] * 30
    clock.seconds += PERIOD_SECONDS
    assert attempts.failed("x") == 30
    assert attempts.failed("x") == 0
