"""One connection: who finds no room is told so at once and may stay, and what is sent is answered in its order."""

from __future__ import annotations

import asyncio

from talking import GET, LIVE, POST, Served, answer, run, until

from serving.limits import Room


def test_who_finds_no_room_is_told_before_the_body_is_sent_and_may_ask_again_on_the_connection() -> None:
    async def talk(served: Served) -> None:
        async with served.asked(GET) as first, served.asked(POST) as second:
            await until(lambda: served.under_way == 1)
            status, head = await answer(second)
            assert (status, b"retry-after: 1\r\n" in head, b"connection: close" in head) == (503, True, False)
            second.say(b"body" + LIVE)  # type: ignore[attr-defined]
            assert (await answer(second))[0] == 200
            served.let.set()
            assert (await answer(first))[0] == 200
            second.say(POST + b"body")  # type: ignore[attr-defined]
            assert (await answer(second))[0] == 200

    assert run(talk, Room(1)).most == 1


def test_what_arrives_in_pieces_takes_no_room_until_it_is_whole() -> None:
    async def talk(served: Served) -> None:
        async with served.asked(POST) as slow, served.asked(GET) as quick:
            await until(lambda: served.under_way == 2)  # the slow one has begun, and waits for its body
            slow.say(b"body")  # type: ignore[attr-defined]
            status, head = await answer(slow)
            assert (status, b"retry-after: 1\r\n" in head) == (503, True)
            served.let.set()
            assert (await answer(quick))[0] == 200

    run(talk, Room(1))


def test_large_bodies_find_no_room_beside_another() -> None:
    async def talk(served: Served) -> None:
        async with served.asked(POST + b"body") as first, served.asked(POST + b"body") as second:
            await until(lambda: served.under_way == 1)
            assert (await answer(second))[0] == 503
            served.let.set()
            assert (await answer(first))[0] == 200

    run(talk, Room(10, most_bytes=7))


def test_what_many_ask_at_once_is_begun_a_few_at_a_time_and_the_others_are_heard_between() -> None:
    async def talk(served: Served) -> None:
        served.let.set()
        async with served.asked(LIVE) as live:
            await answer(live)
            many = [await asyncio.open_connection("127.0.0.1", served.port) for _ in range(100)]
            for _, writer in many:
                writer.write(GET)
            await until(lambda: served.finished > 1)
            before = served.finished
            live.say(LIVE)  # type: ignore[attr-defined]
            assert (await answer(live))[0] == 200
            assert served.finished - before < 50
            assert [(await answer(reader))[0] for reader, _ in many] == [200] * 100
            for _, writer in many:
                writer.close()

    run(talk, busy=0.005)


def test_what_comes_after_a_body_in_pieces_is_no_part_of_the_head() -> None:
    async def talk(served: Served) -> None:
        served.let.set()
        head = b"POST /one HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        async with served.asked(head + b"4\r\nbody\r\n0\r\nAuthorization: Bearer planted\r\n\r\n") as one:
            assert (await answer(one))[0] == 200

    (headers,) = run(talk).headers
    assert not any(name == b"authorization" for name, _ in headers)


def test_requests_sent_one_after_the_other_are_answered_so_and_what_is_not_http_ends_them() -> None:
    async def talk(served: Served) -> None:
        served.let.set()
        async with served.asked(GET + LIVE + POST + b"body" + LIVE) as one:
            assert [(await answer(one))[0] for _ in range(4)] == [200] * 4
            one.say(b"no HTTP\r\n\r\n")  # type: ignore[attr-defined]
            assert (await answer(one))[0] == 400
            assert await one.read() == b""

    run(talk)


def test_thousands_sent_at_once_on_one_connection_are_refused_one_after_the_other() -> None:
    async def talk(served: Served) -> None:
        async with served.asked(GET) as first:
            await until(lambda: served.under_way == 1)
            async with served.asked(GET * 3000) as many:
                assert [(await answer(many))[0] for _ in range(3000)] == [503] * 3000
            served.let.set()
            assert (await answer(first))[0] == 200

    run(talk, Room(1))


def test_a_head_that_never_ends_is_refused_while_another_request_is_answered() -> None:
    async def talk(served: Served) -> None:
        async with served.asked(GET) as one:
            await until(lambda: served.under_way == 1)
            one.say(b"GET / HTTP/1.1\r\n")  # type: ignore[attr-defined]
            for _ in range(20):
                await asyncio.sleep(0.005)
                one.say(b"A: " + b"a" * 1000 + b"\r\n")  # type: ignore[attr-defined]
            assert (await answer(one))[0] == 431
            served.let.set()

    run(talk)


def test_another_protocol_is_not_spoken() -> None:
    async def talk(served: Served) -> None:
        served.let.set()
        upgrade = b"GET /one HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
        async with served.asked(upgrade + GET) as one:
            assert (await answer(one))[0] == 200
            assert await one.read() == b""

    assert run(talk).finished == 1


def test_who_asks_whether_to_send_a_body_and_is_refused_is_not_read_further() -> None:
    async def talk(served: Served) -> None:
        async with served.asked(GET), served.asked(POST.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n")) as one:
            status, head = await answer(one)
            assert (status, b"connection: close\r\n" in head) == (503, True)
            assert await one.read() == b""

    run(talk, Room(1))
