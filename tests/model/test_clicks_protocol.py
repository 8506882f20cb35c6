"""One connection of the collector: what it refuses, in which order it answers, when it ends."""

from __future__ import annotations

import asyncio

import pytest
from clicks_world import NOW_MS, World, batch, post

from app.clicks.protocol import MOST_OWED
from app.clicks.reasons import STATUS, Reason

pytestmark = pytest.mark.requirement("a batch is answered once, in order, with bounds on all that a stranger sends")
LARGEST = 65536


def refused(world: World, reason: Reason) -> bool:
    """Whether the figures say that one request was refused for this reason, and none for another."""
    pages = world.connect()
    pages.send(post(b"", target="/metrics", method="GET"))
    text = bytes(pages.transport.written).decode()
    counted = {
        line for line in text.splitlines() if line.startswith("clicks_refused_total") and not line.endswith(" 0")
    }
    return counted == {f'clicks_refused_total{{reason="{reason.value}"}} 1'}


def test_every_reason_has_a_status() -> None:
    assert set(STATUS) == set(Reason)


def test_a_batch_is_answered_when_the_brokers_have_it_and_not_before() -> None:
    world = World()
    side = world.connect()
    world.producer.is_silent = True
    side.send(post(batch(7)))
    world.pass_time(5)
    assert side.statuses() == []
    world.producer.is_silent = False
    world.pass_time(0.01)
    assert side.statuses() == [204]
    assert [number for _, number in world.producer.numbers()] == [7]
    assert not side.transport.has_ended


@pytest.mark.parametrize(
    ("request_", "status", "reason"),
    [
        (post(b"", method="GET"), 405, Reason.METHOD),
        (post(b"", target="/c"), 404, Reason.PATH),
        (post(b"", target="/b/"), 404, Reason.PATH),
        (b"POST /b HTTP/1.1\r\nhost: a\r\n\r\n", 411, Reason.LENGTH),
        (b"POST /b HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 411, Reason.LENGTH),
        (f"POST /b HTTP/1.1\r\nhost: a\r\ncontent-length: {LARGEST + 1}\r\n\r\n".encode(), 413, Reason.SIZE),
        (post(batch(), "expect: 100-continue"), 417, Reason.EXPECTATION),
        (post(batch(), "sec-fetch-site: cross-site"), 403, Reason.FOREIGN),
        (post(batch(), "Sec-GPC: 1"), 400, Reason.CONSENT),
        (post(batch(), f"cookie: {'x' * 8192}"), 431, Reason.HEAD),
        (post(batch(), *(f"x-{n}: y" for n in range(63))), 431, Reason.HEAD),
        (b"POST /b HTTP/1.1\r\n\r\n", 400, Reason.HTTP),
        (b"hello\r\n\r\n", 400, Reason.HTTP),
        (f"POST /b HTTP/1.1\r\nhost: a\r\ncontent-length: {'0' * 5000}2\r\n\r\n{{}}".encode(), 413, Reason.SIZE),
        (post(batch(), "upgrade: h2c", "connection: upgrade"), 400, Reason.HTTP),
    ],
    ids=lambda each: str(each)[:24],
)
def test_what_is_no_batch_is_refused_with_its_reason_and_ends_the_connection(
    request_: bytes, status: int, reason: Reason
) -> None:
    world = World()
    side = world.connect()
    side.send(request_)
    assert side.statuses() == [status]
    assert side.header("connection") == "close"
    assert bytes(side.transport.written).endswith(f"{reason.value}\n".encode())
    assert side.transport.has_ended
    side.send(post(batch(2)))
    world.pass_time(1)
    assert side.statuses() == [status]
    assert world.producer.kept == []
    assert refused(world, reason)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", Reason.JSON),
        (b"{", Reason.JSON),
        (b"{}", Reason.SHAPE),
        (batch(c=0), Reason.CONSENT),
        (batch(events=[{"t": "view", "at": NOW_MS, "q": 1, "p": "a@b"}]), Reason.NAME),
    ],
)
def test_a_batch_that_is_none_is_refused_and_the_connection_goes_on(body: bytes, reason: Reason) -> None:
    world = World()
    side = world.connect()
    side.send(post(body), post(batch(2)))
    world.pass_time(1)
    assert side.statuses() == [400, 204]
    assert refused(world, reason)


def test_a_body_of_64_kib_is_read_whole() -> None:
    padded = batch(5)[:-1] + b',"x":"' + b"y" * (LARGEST - len(batch(5)) - 8) + b'"}'
    assert len(padded) in range(LARGEST - 2, LARGEST + 1)
    world = World()
    side = world.connect()
    side.send(post(padded))
    world.pass_time(1)
    assert side.statuses() == [204]
    assert b"yyy" not in world.producer.kept[0].text


def test_answers_come_in_the_order_of_the_requests_whatever_the_brokers_do() -> None:
    world = World(partitions=64)
    side = world.connect()
    world.producer.is_silent = True
    side.send(b"".join(post(batch(n, tab=f"{n:016x}")) for n in range(1, 6)) + post(b"{}"))
    world.pass_time(1)
    assert side.statuses() == []
    assert len(world.producer.waiting) == 5
    for kept, done in sorted(world.producer.waiting, key=lambda each: -each[0].batches()[0][1]):
        done(Reason.LATE if kept.batches()[0][1] == 3 else None)
    assert side.statuses() == [204, 204, 503, 204, 204, 400]


def test_no_more_is_read_of_a_connection_that_is_owed_many_answers() -> None:
    world = World()
    side = world.connect()
    world.producer.is_silent = True
    side.send(b"".join(post(batch(n)) for n in range(MOST_OWED + 5)))
    world.pass_time(1)
    world.producer.is_silent = False
    world.pass_time(1)
    assert side.statuses() == [204] * MOST_OWED + [429]
    assert side.transport.has_ended
    assert len(world.producer.numbers()) == MOST_OWED


def test_a_connection_that_says_so_ends_after_its_answer() -> None:
    world = World()
    side = world.connect()
    side.send(post(batch(1), "connection: close") + post(batch(2)))
    world.pass_time(1)
    assert side.statuses() == [204]
    assert side.header("connection") == "close"
    assert side.transport.has_ended
    old = world.connect()
    old.send(post(batch(3), "connection: keep-alive").replace(b"HTTP/1.1", b"HTTP/1.0"))
    world.pass_time(1)
    assert old.statuses() == [204]
    assert old.transport.has_ended


def test_a_head_that_never_ends_is_refused_before_it_is_large() -> None:
    world = World()
    for start in (b"POST /b HTTP/1.1\r\nx: ", b"POST /", b"POST /b HTTP/1.1\r\nx"):
        side = world.connect()
        sent = 0
        side.send(start)
        while not side.transport.has_ended and sent < 100_000:
            side.send(b"y" * 500)
            sent += 500
        assert side.statuses() in ([431], [400])
        assert sent <= 9500
    several = world.connect()
    several.send(post(b"{}") * 10 + b"POST /b HTTP/1.1\r\nx: " + b"y" * 20_000)
    assert several.statuses() == [400] * 10 + [431]


def test_slow_requests_end_after_ten_seconds_and_idle_connections_after_two_minutes() -> None:
    world = World()
    head, body, idle, used = (world.connect() for _ in range(4))
    head.send(b"POST /b HT")
    body.send(post(batch())[:-5])
    used.send(post(batch()))
    for _ in range(9):
        world.second()
    assert head.statuses() == body.statuses() == []
    for _ in range(3):
        world.second()
    assert head.statuses() == body.statuses() == [408]
    assert not idle.transport.is_closed
    for _ in range(3):
        world.second()
    assert head.transport.is_closed, "nobody waits for ever for the other side's end"
    for _ in range(110):
        world.second()
    assert idle.transport.is_closed
    assert used.transport.is_closed
    assert used.statuses() == [204]


def test_a_byte_now_and_then_does_not_make_a_request_younger() -> None:
    world = World()
    side = world.connect()
    for byte in post(batch())[:30]:
        side.send(bytes([byte]))
        world.second()
        if side.transport.has_ended:
            break
    assert side.statuses() == [408]


def test_who_does_not_read_answers_is_not_read_and_then_cut() -> None:
    world = World()
    side = world.connect()
    side.connection.pause_writing()
    assert side.transport.is_paused
    side.connection.resume_writing()
    assert not side.transport.is_paused
    side.connection.pause_writing()
    for _ in range(12):
        world.second()
    assert side.transport.is_aborted


def test_what_comes_after_the_last_answer_is_bounded() -> None:
    side = World().connect()
    side.send(b"\x00")
    for _ in range(3):
        side.send(b"x" * 60_000)
    assert side.statuses() == [400]
    assert side.transport.is_aborted


def test_unfinished_bodies_count_as_what_waits() -> None:
    world = World(most_waiting=100_000)
    sides = [world.connect() for _ in range(3)]
    for side in sides:
        side.send(f"POST /b HTTP/1.1\r\nhost: a\r\ncontent-length: {LARGEST}\r\n\r\n".encode() + b"x" * 40_000)
    assert [side.statuses() for side in sides] == [[], [], [503]]
    assert sides[2].header("retry-after") == "1"
    for side in sides:
        side.connection.connection_lost(None)
    again = world.connect()
    again.send(post(batch()))
    world.pass_time(1)
    assert again.statuses() == [204], "what is over is given back"


def test_half_closed_connections_get_what_they_are_owed() -> None:
    world = World()
    side = world.connect()
    side.send(post(batch(1)), post(batch(2))[:-3])
    assert side.connection.eof_received() is True
    world.pass_time(1)
    assert side.statuses() == [204]
    assert side.transport.has_ended
    quiet = world.connect()
    assert quiet.connection.eof_received() is False


def test_more_connections_than_allowed_are_told_so() -> None:
    world = World(connections=2)
    first, second, third = (world.connect() for _ in range(3))
    assert third.statuses() == [503]
    assert third.transport.has_ended
    second.connection.connection_lost(None)
    third.connection.connection_lost(None)
    assert world.connect().statuses() == []
    assert first.statuses() == []


def test_an_answer_for_a_connection_that_is_gone_is_nobodys() -> None:
    world = World()
    side = world.connect()
    side.send(post(batch()))
    side.connection.connection_lost(None)
    world.pass_time(1)
    assert side.statuses() == []
    assert len(world.producer.numbers()) == 1


def test_a_leaving_process_says_close_with_each_answer_and_loses_none() -> None:
    world = World()
    idle, busy, half, late = (world.connect() for _ in range(4))
    late.send(post(batch(9)))
    world.pass_time(1)
    world.intake.leaving = True
    busy.send(post(batch(1)))
    half.send(post(batch(2))[:-4])
    late.send(post(batch(3)) + post(batch(4)))
    world.pass_time(1)
    assert busy.statuses() == [204]
    assert busy.header("connection") == "close"
    assert late.statuses() == [204, 204, 204]
    assert [dict(each.headers).get(b"connection") for each in late.answers()] == [None, None, b"close"]
    assert not idle.transport.is_closed, "the gateway may be about to use it"
    world.intake.leave()
    assert idle.transport.is_closed
    assert half.statuses() == [503]
    assert sorted(number for _, number in world.producer.numbers()) == [1, 3, 4, 9]


def test_the_class_is_a_protocol_without_a_dictionary() -> None:
    connection = World().connect().connection
    assert isinstance(connection, asyncio.Protocol)
    assert not hasattr(connection, "__dict__")
