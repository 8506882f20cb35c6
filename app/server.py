"""Runs an ASGI application under Granian and leaves without losing a request.

Kubernetes takes a pod out of its Services and sends SIGTERM at the same time, so requests still come in for a while,
many of them over connections that proxies keep open. On SIGTERM the process therefore first drains: it goes on
answering, says `Connection: close` in each answer and reports itself not ready. Only then does it stop listening and
finish what is in flight.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from typing import Any, Protocol

import structlog
from granian.constants import Interfaces
from granian.server.embed import Server

from app.settings import Listen

FINISH_SECONDS = 20


class Drainable(Protocol):
    """An ASGI application that knows whether its process is about to leave."""

    draining: bool

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""


def run(listen: Listen, build: Callable[[], Drainable]) -> None:
    """Serve until SIGTERM or SIGINT."""
    asyncio.run(_serve(listen, build))


async def _serve(listen: Listen, build: Callable[[], Drainable]) -> None:
    log = structlog.get_logger("server")
    application = build()
    server = Server(
        application,
        address=listen.address,
        port=listen.port,
        interface=Interfaces.ASGI,
        websockets=False,
        backlog=1024,
        log_enabled=False,
    )
    server.workers_kill_timeout = FINISH_SECONDS
    leaving = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, leaving.set)
    serving = asyncio.create_task(server.serve())
    log.info("listening", address=listen.address, port=listen.port)
    left = asyncio.create_task(leaving.wait())
    await asyncio.wait({serving, left}, return_when=asyncio.FIRST_COMPLETED)
    if leaving.is_set():
        application.draining = True
        log.info("draining", seconds=listen.drain_seconds)
        await asyncio.wait({serving}, timeout=listen.drain_seconds)
        server.stop()  # type: ignore[no-untyped-call]  # Granian types none of it
    await serving
    log.info("stopped")
