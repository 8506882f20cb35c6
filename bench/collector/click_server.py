"""One of the compared servers: `python click_server.py own|granian|uvicorn PORT BROKER`.

All of them give bodies to the same Intake, which validates, packs, compresses and waits for the brokers.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Callable
from typing import Any

import uvicorn
import uvloop
from granian.constants import Interfaces
from granian.server.embed import Server
from memory_producer import MemoryProducer
from mock_broker import PARTITIONS

from app.clicks.intake import Intake
from app.clicks.producing import Done, KafkaProducer, Producer
from app.clicks.reasons import STATUS, Reason
from app.clicks.serving import serve
from app.clicks.settings import Bounds
from app.settings import Listen

ACK_SECONDS = 8.0
BOUNDS = Bounds(partitions=PARTITIONS)


class Forgetful(MemoryProducer):
    """Acknowledges at the next look, and keeps nothing."""

    def produce(self, partition: int, record: bytes, headers: Any, done: Done) -> Reason | None:  # noqa: ARG002 as the interface says
        self.done.append(done)
        return None

    def __init__(self) -> None:
        super().__init__()
        self.done: list[Done] = []

    def poll(self) -> None:
        done, self.done = self.done, []
        for each in done:
            each(None)


def producer_of(broker: str) -> Producer:
    if broker == "memory":
        return Forgetful()
    connection = {"bootstrap.servers": broker}
    return KafkaProducer("clicks", connection, "bench", ack_seconds=ACK_SECONDS, most_bytes=BOUNDS.most_waiting)


class Answered:
    """Waits for one batch, as a framework waits: with a future."""

    __slots__ = ("outcome",)

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.outcome: asyncio.Future[Reason | None] = loop.create_future()

    def answer(self, number: int, reason: Reason | None) -> None:  # noqa: ARG002 as the interface says
        if not self.outcome.done():
            self.outcome.set_result(reason)


class Frameworks:
    """The same collector behind RSGI and ASGI."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._loop = asyncio.get_running_loop()

    async def _taken(self, body: bytes, name: bytes) -> int:
        waiter = Answered(self._loop)
        self._intake.take(waiter, 0, body, name)
        reason = await waiter.outcome
        return 204 if reason is None else int(STATUS[reason])

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        """Serve a request of Granian."""
        body = await protocol()
        protocol.response_empty(await self._taken(body, (scope.headers.get("user-agent") or "").encode()), [])

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve a request of uvicorn."""
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        name = next((value for key, value in scope["headers"] if key == b"user-agent"), b"")
        await send({"type": "http.response.start", "status": await self._taken(body, name), "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def framework(kind: str, port: int, producer: Producer) -> None:
    loop = asyncio.get_running_loop()
    intake = Intake(producer, BOUNDS, loop.call_later)
    seconds = asyncio.create_task(_seconds(intake.second))
    application = Frameworks(intake)
    gc.freeze()
    if kind == "granian":
        server = Server(
            application, address="127.0.0.1", port=port, interface=Interfaces.RSGI, websockets=False, log_enabled=False
        )
        await server.serve()
    else:
        config = uvicorn.Config(
            application, host="127.0.0.1", port=port, http="httptools", ws="none", lifespan="off", access_log=False,
            log_level="error",
        )  # fmt: skip
        await uvicorn.Server(config).serve()
    seconds.cancel()


async def _seconds(act: Callable[[], None]) -> None:
    while True:
        act()
        await asyncio.sleep(1)


if __name__ == "__main__":
    kind, port, broker = sys.argv[1:]
    producer = producer_of(broker)
    listen = Listen("127.0.0.1", int(port), 0, "bench")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        if kind == "own":
            runner.run(serve(listen, BOUNDS, producer, ACK_SECONDS))
        else:
            runner.run(framework(kind, int(port), producer))
