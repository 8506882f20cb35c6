"""`shop collect` as a process: what it acknowledges is in the log, also of one that is told to end."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
import uvloop
from clicks_world import TAB, batch, post
from free_port import free_port
from memory_producer import MemoryProducer
from mock_broker import PARTITIONS, mock_broker, records_of

from app.clicks import serving
from app.clicks.serving import serve
from app.clicks.settings import Bounds
from app.settings import Listen
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.paths import REPOSITORY

pytestmark = pytest.mark.requirement("a process that ends loses no batch that it acknowledged")


class Line:
    """A connection of a browser."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def status(self) -> int:
        """Return the status of the next answer; 0 when the connection ended instead."""
        try:
            head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 20)
        except (asyncio.IncompleteReadError, ConnectionError):
            return 0
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        if lengths:
            await self.reader.readexactly(int(lengths[0].partition(b":")[2]))
        return int(head.split()[1])

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        with suppress(ConnectionError):  # it ended meanwhile: the next status is 0
            await self.writer.drain()


async def line_to(port: int) -> Line:
    for _ in range(500):
        try:
            return Line(*await asyncio.open_connection("127.0.0.1", port))
        except OSError:
            await asyncio.sleep(0.01)
    raise AssertionError("nobody listens")


async def refuses(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return True
    writer.close()
    return False


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait for something, 20 s at the most."""
    for _ in range(2000):
        if await holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come")


def served(
    story: Callable[[int, MemoryProducer, asyncio.Event], Awaitable[None]],
    *,
    ack_seconds: float = 1,
    drain: float = 0.05,
) -> float:
    """Tell a story to a serving process; return how long it took to end after it was told to (s)."""
    producer, port = MemoryProducer(), free_port()

    async def play() -> float:
        leaving, told = asyncio.Event(), 0.0
        listen = Listen("127.0.0.1", port, drain, "test")
        serving_ = asyncio.create_task(serve(listen, Bounds(), producer, ack_seconds, leaving=leaving))

        async def note() -> None:
            nonlocal told
            await leaving.wait()
            told = time.monotonic()

        noting = asyncio.create_task(note())
        await story(port, producer, leaving)
        await asyncio.wait_for(serving_, 20)
        await noting
        return time.monotonic() - told

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(play())


def test_a_process_that_ends_waits_for_the_brokers_and_answers_everybody() -> None:
    async def story(port: int, producer: MemoryProducer, leaving: asyncio.Event) -> None:
        lines = [await line_to(port) for _ in range(20)]
        idle = await line_to(port)
        producer.is_silent = True
        for number, line in enumerate(lines):
            await line.send(post(batch(number)))
        half = await line_to(port)
        await half.send(post(batch(99))[:-3])
        await asyncio.sleep(0.05)
        leaving.set()
        await until(lambda: refuses(port))
        assert await idle.status() == 0
        assert await half.status() == 503
        producer.is_silent = False
        assert [await line.status() for line in lines] == [204] * 20
        assert sorted(number for _, number in producer.numbers()) == list(range(20))

    assert served(story, ack_seconds=5) < 4


def test_while_it_drains_it_goes_on_to_take_batches() -> None:
    async def story(port: int, producer: MemoryProducer, leaving: asyncio.Event) -> None:
        line = await line_to(port)
        leaving.set()
        await asyncio.sleep(0.05)
        await line.send(post(batch(1)))
        assert await line.status() == 204
        assert await line.status() == 0, "that was its last answer"
        other = await line_to(port)
        await other.send(post(batch(2)))
        assert await other.status() == 204
        other.writer.close()
        line.writer.close()
        assert len(producer.numbers()) == 2

    served(story, drain=0.6)


def test_what_the_brokers_never_acknowledge_is_answered_with_503_in_bounded_time() -> None:
    async def story(port: int, producer: MemoryProducer, leaving: asyncio.Event) -> None:
        producer.is_silent = True
        lines = [await line_to(port) for _ in range(5)]
        for number, line in enumerate(lines):
            await line.send(post(batch(number)))
        leaving.set()
        assert [await line.status() for line in lines] == [503] * 5
        assert producer.kept == []

    assert served(story, ack_seconds=0.2) < 0.2 + 1 + serving.CLOSE_SECONDS + 0.5


def test_who_asks_and_does_not_read_is_not_answered_for_ever() -> None:
    async def story(port: int, _: MemoryProducer, leaving: asyncio.Event) -> None:
        line = await line_to(port)
        line.writer.write(post(b"", method="GET", target="/metrics") * 12_000)
        await asyncio.sleep(0.3)
        answers = b""
        with suppress(ConnectionError):  # so much came after the last answer that it was cut
            while piece := await line.reader.read(2**20):
                answers += piece
        assert 0 < answers.count(b"HTTP/1.1 200 OK") < 12_000
        line.writer.close()
        leaving.set()

    served(story)


class Collector:
    """`shop collect` as a process of its own."""

    def __init__(self, address: str, log: Path) -> None:
        self.port, self._log = free_port(), log
        environment = {
            "PYTHONPATH": os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")]),
            "SHOP_LISTEN": "127.0.0.1",
            "SHOP_PORT": str(self.port),
            "SHOP_DRAIN_SECONDS": "0.2",
            "CLICKS_BOOTSTRAP": address,
            "CLICKS_PARTITIONS": str(PARTITIONS),
            "CLICKS_ACK_SECONDS": "2",
        }
        with log.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app", "collect"],
                env={**os.environ, **environment},
                stdout=out,
                stderr=out,
                cwd="/",
            )
        wait_until(self.is_ready, what="the collector to be ready", seconds=60, interval=0.05, explain=log.read_text)

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self._log.read_text()
        return asyncio.run(self._asks(b"GET /readyz HTTP/1.1\r\nhost: a\r\n\r\n")) == 200

    async def _asks(self, request: bytes) -> int:
        try:
            line = Line(*await asyncio.open_connection("127.0.0.1", self.port))
        except OSError:
            return 0
        await line.send(request)
        status = await line.status()
        line.writer.close()
        return status


async def browser(port: int, tab: str, acknowledged: list[tuple[str, int]], others: list[int]) -> None:
    """Send batches, one after the other, until the collector is gone."""
    number = 0
    while True:
        try:
            line = Line(*await asyncio.open_connection("127.0.0.1", port))
        except OSError:
            return
        status = 204
        while status:
            number += 1
            await line.send(post(batch(number, tab=tab)))
            status = await line.status()
            if status == 204:
                acknowledged.append((tab, number))
            elif status:
                others.append(status)
        line.writer.close()


def test_all_that_a_real_client_acknowledged_is_in_the_log(tmp_path: Path) -> None:
    acknowledged: list[tuple[str, int]] = []
    others: list[int] = []

    async def many() -> bool:
        return len(acknowledged) >= 500

    async def browse(collector: Collector) -> None:
        tabs = [f"{tab:016x}" for tab in range(20)]
        browsing = [asyncio.create_task(browser(collector.port, tab, acknowledged, others)) for tab in tabs]
        await until(many)
        collector.process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(asyncio.gather(*browsing), 30)

    with mock_broker() as address:
        collector = Collector(address, tmp_path / "log")
        try:
            asyncio.run(browse(collector))
            assert collector.process.wait(30) == 0
        finally:
            collector.process.kill()
        written = records_of(address)
    assert '"acknowledged": true, "event": "stopped"' in (tmp_path / "log").read_text()
    batches = [each for record in written for each in msgspec.json.decode(record.value() or b"[]")]
    in_log = {(each["tab"], each["b"]) for each in batches}
    assert len(in_log) == len(batches), "nothing twice"
    assert set(acknowledged) <= in_log
    assert set(others) <= {503}
    for record in written:
        headers = dict(record.headers() or [])
        events = sum(len(each["e"]) for each in msgspec.json.decode(record.value() or b"[]"))
        assert headers == {"n": str(events).encode(), "v": b"1"}


def test_a_broker_that_is_away_is_answered_with_503_and_no_readiness(tmp_path: Path) -> None:
    with mock_broker() as address:
        collector = Collector(address, tmp_path / "log")
    try:

        async def ask() -> list[int]:
            lines = [await line_to(collector.port) for _ in range(3)]
            for number, line in enumerate(lines):
                await line.send(post(batch(number)))
            return [await line.status() for line in lines]

        assert asyncio.run(ask()) == [503] * 3
        assert TAB not in (tmp_path / "log").read_text()
        collector.process.send_signal(signal.SIGTERM)
        assert collector.process.wait(30) == 0
    finally:
        collector.process.kill()
