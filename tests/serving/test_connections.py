"""All connections: who is silent makes room, nobody waits for ever, and at the end nobody who asks is left without an answer."""

from __future__ import annotations

import pytest
from talking import GET, LIVE, POST, Served, answer, run, until

from serving import connection, connections
from serving.limits import Room


def test_who_comes_when_all_places_are_taken_gets_that_of_the_one_that_was_silent_longest() -> None:
    async def talk(served: Served) -> None:
        async with served.asked() as first, served.asked(b"GET") as second, served.asked(b"G") as third:
            await until(lambda: len(served.all) == 3)
            served.let.set()
            async with served.asked(GET) as fourth:
                assert (await answer(fourth))[0] == 200
                assert (await answer(first))[0] == 408
                assert await first.read() == b""
                second.say(GET[3:])  # type: ignore[attr-defined]
                third.say(GET[1:])  # type: ignore[attr-defined]
                assert (await answer(second))[0] == (await answer(third))[0] == 200

    run(talk, most=3)


def test_nobody_who_is_being_answered_makes_room() -> None:
    async def talk(served: Served) -> None:
        async with served.asked(GET) as first, served.asked(GET) as second:
            await until(lambda: served.under_way == 2)
            async with served.asked(GET) as third:
                assert (await answer(third))[0] == 503
                assert await third.read() == b""
            served.let.set()
            assert (await answer(first))[0] == (await answer(second))[0] == 200

    run(talk, most=2)


@pytest.mark.parametrize("sent", [b"", b"G", GET[:-2], POST, POST + b"bod"])
def test_what_does_not_arrive_is_cut_in_time(monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.1)
    monkeypatch.setattr(connection, "BODY_SECONDS", 0.1)

    async def talk(served: Served) -> None:
        async with served.asked(sent) as one:
            assert (await answer(one))[0] == 408
            assert await one.read() == b""

    run(talk)


def test_a_body_that_nobody_waits_for_any_more_is_cut_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "BODY_SECONDS", 0.2)

    async def talk(served: Served) -> None:
        served.let.set()
        async with served.asked(POST) as one:
            assert (await answer(one))[0] == 200
            assert await one.read() == b""

    run(talk, reads=False)


def test_a_connection_that_is_kept_for_nothing_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "IDLE_SECONDS", 0.2)

    async def talk(served: Served) -> None:
        async with served.asked(LIVE) as one:
            assert (await answer(one))[0] == 200
            assert await one.read() == b""

    run(talk)


def test_an_answer_that_nobody_reads_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "READER_SECONDS", 0.2)

    async def talk(served: Served) -> None:
        served.let.set()
        async with served.asked(GET + GET):  # the second of them waits for the first to be taken
            await until(lambda: bool(served.all) and served.all[0].transport.is_closing())

    run(talk, long=20_000_000)


def test_at_the_end_who_asks_is_answered_and_who_is_about_to_ask_too() -> None:
    async def talk(served: Served) -> None:
        async with served.asked(LIVE) as kept, served.asked(GET) as asking, served.asked() as silent:
            await answer(kept)
            await until(lambda: served.under_way == 1 and len(served.all) == 3)
            for one in served.all:
                one.shutdown()
            kept.say(LIVE)  # type: ignore[attr-defined]
            served.let.set()
            for one in (kept, asking):
                status, head = await answer(one)
                assert (status, b"connection: close\r\n" in head) == (200, True)
                assert await one.read() == b""
            assert await silent.read() == b""

    run(talk)


def test_who_hangs_up_leaves_no_room_taken() -> None:
    room = Room(2)

    async def talk(served: Served) -> None:
        async with served.asked(GET), served.asked(POST + b"body"):
            await until(lambda: served.under_way == 2)
        served.let.set()
        await until(lambda: room.under_way == 0)

    run(talk, room)
    assert (room.under_way, room.bytes_under_way) == (0, 0)


def test_refusals_for_want_of_room_are_told_by_their_number(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(connections, "TELL_SECONDS", 0.0)

    async def talk(served: Served) -> None:
        async with served.asked(GET), served.asked(GET * 5) as other:
            assert [(await answer(other))[0] for _ in range(5)] == [503] * 5
            await until(lambda: any("want of room" in record.message for record in caplog.records))

    run(talk, Room(1))
    (told,) = [record for record in caplog.records if "want of room" in record.message]
    assert told.told == {"times": 5, "under_way": 1}  # type: ignore[attr-defined]
