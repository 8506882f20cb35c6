"""`shop export`: puts the exporter together: its one loop, and what probes and operators ask."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar, Response, get

from app.certificate_ends import first_end
from app.database import Database
from app.errors import DatabaseUnavailableError
from app.export import region_rows
from app.export.delivery import Delivery, State
from app.export.export_settings import ExportSettings
from app.export.exporting import Exporter
from app.export.key_files import public_keys, signer_of
from app.export.line import RenewedLine, trust
from app.export.linting import REGION, require_one_schema
from app.export.publishing import Publisher
from app.export.renewed import Renewed
from app.export.stored_outbox import StoredOutbox
from app.export.vocabulary import Kind, of_catalogue
from app.gauges import MEDIA_TYPE, gauges, whole_gauges
from app.loops import Loop, running
from app.web.health import health_routes
from app.web.outermost import Outermost

ROLE = "export_app"
PATIENCE = 3.0
"""A day's orders are read at once, which takes longer than any page."""
TURN_SECONDS = 300.0
"""Of a turn that sends for half a minute, asks again, and makes releases for another half."""


def export(settings: ExportSettings) -> Outermost:
    """Return the exporter as an ASGI application.

    Raises:
        ShopError: a file of the settings cannot be used.
    """
    files = (settings.authority, settings.certificate, settings.key)
    context = Renewed("the certificate of this region", files, lambda: trust(*files))
    commerce = _commerce(settings, size=3)
    publisher = Publisher(settings.region, settings.currencies, of_catalogue(), signer_of(settings.signing_key))
    keys = (publisher.signer.public, *(public_keys(settings.former_keys) if settings.former_keys else ()))
    line = RenewedLine(settings.headquarters, settings.region, context.now)
    delivery = Delivery(StoredOutbox(commerce, settings.region, keys, publisher.vocabulary), line)
    exporter = Exporter(commerce, publisher, delivery, settings.since)
    loops = [Loop("export", exporter.turn, settings.every_seconds, TURN_SECONDS)]

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        try:
            async with running(loops):
                yield
        finally:
            await line.close()
            await commerce.close()

    async def ready() -> None:
        await commerce.fetchval("SELECT 1")

    @get("/metrics")
    async def metrics() -> Response[str]:
        ends = await asyncio.to_thread(first_end, [str(settings.authority), str(settings.certificate)])
        return Response(await figures(commerce, exporter, ends), media_type=MEDIA_TYPE)

    application = Litestar(
        route_handlers=[metrics, *health_routes(ready, settings.listen.site, loops)],
        lifespan=[lifespan],
        openapi_config=None,
        request_max_body_size=0,
        logging_config=None,
    )
    return Outermost(application, {"x-content-type-options": "nosniff", "cache-control": "no-store"})


async def figures(commerce: Database, exporter: Exporter, certificate_ends: float | None) -> str:
    """Return the figures in Prometheus' text format; what is not known is not in it.

    A site that only follows tells nothing of releases: the one that leads does.
    """
    values: dict[str, float | None] = {
        **{f"export_{state.replace(' ', '_')}": float(exporter.delivery.state is state) for state in State},
        "export_follows": float(exporter.follows),
    }
    whole = {"export_certificate_ends_timestamp_seconds": certificate_ends}
    try:
        if not exporter.follows:
            whole["export_last_release"] = float((await region_rows.standing(commerce)).seq)
            values |= {
                "export_oldest_waiting_seconds": await region_rows.oldest_waiting_seconds(commerce) or 0.0,
                "export_days_without_release": float(len(await exporter.days_without(Kind.MONEY))),
                "export_failed_releases": float(len(exporter.failed)),
            }
    except DatabaseUnavailableError:
        pass  # /readyz says it
    return gauges(values) + whole_gauges(whole)


async def require_own_schema(settings: ExportSettings) -> None:
    """Return if the region's database has the schema of this version, and nothing beside it.

    Raises:
        ShopError: it has not, or it does not answer, so that it is not known.
    """
    commerce = _commerce(settings, size=1)
    try:
        await require_one_schema(commerce, REGION)
    finally:
        await commerce.close()


def _commerce(settings: ExportSettings, *, size: int) -> Database:
    return Database(
        settings.commerce_dsn,
        role=ROLE,
        application="export",
        size=size,
        patience=PATIENCE,
        other_dsn=settings.other_commerce_dsn,
    )
