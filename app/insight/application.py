"""Puts the worker together: the loop that counts, the one that removes, and what probes and operators ask."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar, Response, get

from app.certificate_ends import first_end
from app.database import Database
from app.gauges import MEDIA_TYPE
from app.insight.consuming import KafkaReader, Places, log_of
from app.insight.figures import figures
from app.insight.pruning import Pruning
from app.insight.settings import InsightSettings
from app.insight.sink import Source
from app.insight.stored_sink import ROLE, StoredSink
from app.insight.working import State, Worker
from app.loops import Loop, running
from app.web.health import health_routes
from app.web.outermost import Outermost

CERTIFICATES = ("ssl.ca.location", "ssl.certificate.location")
RETRY_SECONDS = 1.0
PRUNE_SECONDS = 60.0
MORE_SECONDS = 0.5
"""Between two steps of removing while there is more to remove."""


def insight(settings: InsightSettings) -> Outermost:
    """Return the worker as an ASGI application."""
    database = Database(
        settings.commerce_dsn, role=ROLE, application="insight", size=3, other_dsn=settings.other_commerce_dsn
    )
    worker = worker_of(settings, database)
    pruning = Pruning(database, settings.keeps)

    async def prune() -> float | None:
        if worker.state is not State.COUNTS:
            return None
        return MORE_SECONDS if await pruning.step() else None

    certificates = [settings.connection[name] for name in CERTIFICATES if name in settings.connection]
    loops = [Loop("insight", worker.turn, RETRY_SECONDS), Loop("pruning", prune, PRUNE_SECONDS)]

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        try:
            async with running(loops):
                yield
        finally:
            await worker.close()
            await database.close()

    @get("/metrics")
    async def metrics() -> Response[str]:
        ends = await asyncio.to_thread(first_end, certificates)
        return Response(figures(worker, pruning, ends), media_type=MEDIA_TYPE)

    health = health_routes(worker.ready, settings.listen.site, loops, "clicks are not counted")
    application = Litestar(
        route_handlers=[metrics, *health],
        lifespan=[lifespan],
        openapi_config=None,
        request_max_body_size=0,
        logging_config=None,
    )
    return Outermost(application, {"x-content-type-options": "nosniff", "cache-control": "no-store"})


def worker_of(settings: InsightSettings, database: Database) -> Worker:
    """Return the worker of a database and the brokers that the settings name."""
    topic, connection = settings.topic, {**settings.connection, "client.id": f"insight-{settings.listen.site}"}

    def source() -> Source:
        return Source(settings.listen.site, topic, log_of(topic, connection, settings.log))

    def reader(protocol: str, places: Places) -> KafkaReader:
        return KafkaReader(topic, connection, group=settings.group, protocol=protocol, places=places)

    return Worker(StoredSink(database), source, reader)
