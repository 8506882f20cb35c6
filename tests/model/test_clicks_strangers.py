"""What a stranger gets out of a connection of the collector: not its memory, not its time, not another one's answer."""

from __future__ import annotations

import logging

import pytest
from clicks_world import MadeTransport, Side, World, batch, post

from app.clicks.intake import SPARE_CONNECTIONS
from app.clicks.reasons import Reason
from app.clicks.serving import OTHER_FILES, allow_files
from app.errors import ShopError

pytestmark = pytest.mark.requirement("everything that a stranger can make larger has a bound")
KEPT = 65536
"""Bytes that a loop keeps for a side that does not read, before it says so."""


class Slow(MadeTransport):
    """The transport of a side that reads nothing; it says so at once, as loops do."""

    side: Side

    def write(self, data: bytes) -> None:
        before = len(self.written)
        super().write(data)
        if before <= KEPT < len(self.written):
            self.side.connection.pause_writing()


def slow_side(world: World) -> Side:
    side = world.connect()
    slow = Slow()
    slow.side = side
    side.transport = slow
    side.connection.connection_made(slow)  # type: ignore[arg-type]
    return side


@pytest.mark.parametrize(
    "request_", [post(b"", method="GET", target="/metrics"), post(b"{}"), post(b"", method="GET", target="/livez")]
)
def test_who_reads_no_answers_is_not_given_more_than_a_loop_keeps(request_: bytes) -> None:
    side = slow_side(World())
    side.send(request_ * 6000)
    assert len(side.transport.written) < KEPT + 10_000
    assert side.statuses()[-1] == 429
    assert side.transport.has_ended


def test_answers_to_earlier_requests_do_not_make_a_later_one_younger() -> None:
    world = World(partitions=64)
    side = world.connect()
    world.producer.is_silent = True
    side.send(b"".join(post(batch(number, tab=f"{number:016x}")) for number in range(8)) + post(batch(9))[:-3])
    for _ in range(12):
        world.second()
        if world.producer.waiting:
            _, done = world.producer.waiting.pop(0)
            done(None)
    assert side.statuses() == [204] * 8 + [408]


def test_what_was_begun_by_a_side_that_ended_is_given_back() -> None:
    world = World(most_waiting=70_000)
    side = world.connect()
    world.producer.is_silent = True
    side.send(post(batch(1)), b"POST /b HTTP/1.1\r\nhost: a\r\ncontent-length: 65000\r\n\r\n" + b"x" * 64_000)
    assert side.connection.eof_received() is True
    other = world.connect()
    other.send(post(b"{" + b" " * 20_000))
    assert other.statuses() == [400], "there is room again before the half-closed connection is gone"


def test_a_fault_of_ours_ends_its_connection_and_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world = World()
    side, other = world.connect(), world.connect()

    def fail(*_: object) -> None:
        raise LookupError("sesame")

    with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
        patch.setattr(world.intake, "take", fail)
        side.send(post(batch(1)) + post(batch(2)))
    assert side.transport.is_aborted
    assert side.statuses() == [], "a browser that is told nothing sends it again"
    assert "LookupError" in caplog.text
    assert "sesame" not in caplog.text
    other.send(post(batch(3)))
    world.pass_time(1)
    assert other.statuses() == [204]
    other.send(post(b"", method="GET", target="/metrics"))
    assert b"\nclicks_faults 1\n" in other.transport.written


def test_far_too_many_connections_are_ended_without_an_answer() -> None:
    world = World(connections=2)
    kept = [world.connect() for _ in range(2)]
    told = [world.connect() for _ in range(SPARE_CONNECTIONS)]
    beyond = world.connect()
    assert {tuple(side.statuses()) for side in told} == {(503,)}
    assert beyond.transport.is_aborted
    assert beyond.statuses() == []
    assert not any(side.transport.has_ended for side in kept)
    for side in (*told, beyond):
        side.connection.connection_lost(None)
    assert world.connect().transport.has_ended
    kept[0].send(post(b"", method="GET", target="/metrics"))
    assert f'reason="connections"}} {SPARE_CONNECTIONS + 2}\n'.encode() in kept[0].transport.written


def test_a_partition_that_takes_nothing_is_the_brokers_fault_and_not_a_full_house() -> None:
    world = World()
    side = world.connect()
    world.producer.refuses = Reason.BROKER
    side.send(post(batch()))
    world.pass_time(0.1)
    assert side.statuses() == [503]
    assert bytes(side.transport.written).endswith(b"broker\n")


@pytest.mark.parametrize(("soft", "hard", "set_to"), [(1024, 4096, 2560), (4096, 8192, None), (-1, -1, None)])
def test_a_process_lets_itself_open_as_many_files_as_it_needs(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, set_to: int | None
) -> None:
    made: list[tuple[int, int]] = []
    monkeypatch.setattr("resource.getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr("resource.setrlimit", lambda _, limits: made.append(limits))
    allow_files(2048)
    assert made == ([] if set_to is None else [(set_to, hard)])
    assert 2048 + SPARE_CONNECTIONS + OTHER_FILES == 2560


def test_a_process_that_may_open_too_few_files_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _: (1024, 1024))
    with pytest.raises(ShopError, match=r"(?s)expected: 2560 files.*found: +1024.*CLICKS_CONNECTIONS"):
        allow_files(2048)
