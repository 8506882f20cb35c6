"""`shop collect`: listens, and leaves without losing a batch.

On SIGTERM it first goes on answering, as every server of the shop does (app/server.py), while proxies learn that this
pod leaves. Then it stops listening. What was taken by then is acknowledged, or answered with
503, before the process ends.
"""

from __future__ import annotations

import asyncio
import gc
import resource
import signal
from collections.abc import Callable

import structlog
import uvloop

from app.clicks.intake import SPARE_CONNECTIONS, Intake
from app.clicks.producing import KafkaProducer, Producer
from app.clicks.protocol import Connection
from app.clicks.settings import Bounds, ClicksSettings
from app.errors import ShopError
from app.settings import Listen

CLOSE_SECONDS = 3.0
"""For the last answers to reach their readers, before connections are cut."""
_LOOK_SECONDS = 0.01
OTHER_FILES = 256
"""Open files beside connections: those of Python, and Kafka's client with two for each broker."""


def collect(settings: ClicksSettings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        ShopError: the client of Kafka does not start, or the process may not open as many files as it needs.
    """
    allow_files(settings.bounds.connections)
    producer = KafkaProducer(
        settings.topic,
        settings.connection,
        f"clicks-{settings.listen.site}",
        ack_seconds=settings.ack_seconds,
        most_bytes=settings.bounds.most_waiting,
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(settings.listen, settings.bounds, producer, settings.ack_seconds))


def allow_files(connections: int) -> None:
    """Let the process open a file for each of so many connections, and for what it needs beside them.

    Without it the client of Kafka may find none left for a broker that is back.

    Raises:
        ShopError: the machine allows fewer.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + SPARE_CONNECTIONS + OTHER_FILES
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise ShopError.build(
            "the process may not open enough files",
            expected=f"{wanted} files, for {connections} connections (CLICKS_CONNECTIONS)",
            found=f"{hard} at the most",
            action="lower CLICKS_CONNECTIONS, or raise the limit of open files of the container runtime",
        )
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def serve(
    listen: Listen,
    bounds: Bounds,
    producer: Producer,
    ack_seconds: float,
    *,
    leaving: asyncio.Event | None = None,
) -> None:
    """Serve with a producer until SIGTERM, SIGINT, or the event."""
    log = structlog.get_logger("server")
    loop = asyncio.get_running_loop()
    leaving = leaving or asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, leaving.set)
    intake = Intake(producer, bounds, loop.call_later)
    server = await loop.create_server(lambda: Connection(intake), listen.address, listen.port, backlog=1024)
    seconds = asyncio.create_task(_every_second(intake))
    gc.freeze()
    log.info("listening", address=listen.address, port=listen.port)
    await leaving.wait()
    intake.leaving = True
    log.info("draining", seconds=listen.drain_seconds)
    await asyncio.sleep(listen.drain_seconds)
    server.close()
    intake.leave()
    acknowledged = await _until(lambda: intake.is_idle, ack_seconds + 1)
    if not acknowledged:
        intake.give_up()
    seconds.cancel()
    await _until(lambda: intake.is_alone, CLOSE_SECONDS)
    intake.abort()
    log.info("stopped", acknowledged=acknowledged)


async def _every_second(intake: Intake) -> None:
    while True:
        intake.second()
        await asyncio.sleep(1)


async def _until(holds: Callable[[], bool], seconds: float) -> bool:
    """Wait until something holds, for so many seconds at the most; return whether it does."""
    until = asyncio.get_running_loop().time() + seconds
    while not holds() and asyncio.get_running_loop().time() < until:  # noqa: ASYNC110 librdkafka has no event to wait for
        await asyncio.sleep(_LOOK_SECONDS)
    return holds()
