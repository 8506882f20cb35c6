"""`shop recommend`: listens, keeps what it knows fresh, and leaves without losing a question.

On SIGTERM it first goes on answering, as every server of the shop does (app/server.py), while proxies learn that this
pod leaves. Then it stops listening, and connections end with their last answer.
"""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Sequence
from contextlib import suppress

import structlog
import uvloop

from app.clicks.serving import CLOSE_SECONDS, allow_files
from app.database import Database
from app.loops import Loop, problems, running
from app.recommendations.catalogue import ROLE
from app.recommendations.desk import Asking, Desk
from app.recommendations.knowledge import Knowledge
from app.recommendations.renewing import BUILD_SECONDS, Catalogue, Rebuilding
from app.recommendations.settings import RecommendSettings
from app.settings import Listen

_LOOK_SECONDS = 0.01


def recommend(settings: RecommendSettings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        ShopError: the process may not open as many files as it needs.
    """
    allow_files(settings.connections)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_recommend(settings))


async def _recommend(settings: RecommendSettings) -> None:
    dsn, other = settings.commerce_dsn, settings.other_commerce_dsn
    commerce = Database(dsn, role=ROLE, application="recommend", size=1, other_dsn=other)
    knowledge = Knowledge()
    try:
        catalogue = Catalogue(commerce, knowledge)
        rebuilding = Rebuilding(settings.index_file, settings.rebuild_every_seconds, knowledge)
        rebuilding.begin()
        await serve(settings, knowledge, catalogue, rebuilding)
    finally:
        await commerce.close()


async def serve(
    settings: RecommendSettings,
    knowledge: Knowledge,
    catalogue: Catalogue,
    rebuilding: Rebuilding,
    *,
    leaving: asyncio.Event | None = None,
) -> None:
    """Serve until SIGTERM, SIGINT, or the event."""
    loop = asyncio.get_running_loop()
    leaving = leaving or asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, leaving.set)
    rest = min(settings.rebuild_every_seconds, 1.0)
    loops = [
        Loop("what may be shown", catalogue.turn, settings.shown_every_seconds),
        Loop("index", rebuilding.when_due, rest, BUILD_SECONDS),
    ]
    desk = Desk(
        knowledge,
        settings.connections,
        unready=catalogue.problem,
        dead=lambda: "; ".join(problems(loops)),
        figures=lambda: {
            **rebuilding.figures(),
            "recommend_shown_products": catalogue.shown,
            "recommend_shown_seconds_ago": catalogue.age,
            "recommend_ready": float(not catalogue.problem()),
        },
        soon=loop.call_soon,
    )
    async with running(loops):
        await _listen(settings.listen, desk, leaving, loops)


async def _listen(listen: Listen, desk: Desk, leaving: asyncio.Event, loops: Sequence[Loop]) -> None:
    log, loop = structlog.get_logger("server"), asyncio.get_running_loop()
    seconds = asyncio.create_task(_every_second(desk))
    server = await loop.create_server(lambda: Asking(desk), listen.address, listen.port, backlog=1024)
    gc.freeze()
    log.info("listening", address=listen.address, port=listen.port, loops=[each.name for each in loops])
    try:
        await leaving.wait()
        desk.leaving = True
        log.info("draining", seconds=listen.drain_seconds)
        await asyncio.sleep(listen.drain_seconds)
        server.close()
        desk.leave()
        until = loop.time() + CLOSE_SECONDS
        while not desk.is_alone and loop.time() < until:  # noqa: ASYNC110 connections end by themselves
            await asyncio.sleep(_LOOK_SECONDS)
    finally:
        server.close()
        seconds.cancel()
        with suppress(asyncio.CancelledError):
            await seconds
        desk.abort()
    log.info("stopped")


async def _every_second(desk: Desk) -> None:
    while True:
        desk.second()
        await asyncio.sleep(1)
