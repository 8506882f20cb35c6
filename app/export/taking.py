"""`shop take-releases`: headquarters' server, which keeps what regions release and says where it stands with each.

Regions come over mutual TLS (mutual_https.py), one port; probes and figures have a port of their own without TLS, since
the node has no certificate. What becomes of a release is decided in verifying.py, within the transaction that keeps it.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec
import structlog
from litestar import Litestar, Response, get

from app.certificate_ends import first_end
from app.database import Database
from app.errors import DatabaseUnavailableError, UnknownOutcomeError
from app.export import headquarters_rows
from app.export.callers import trust_of_server
from app.export.headquarters_rows import Heard
from app.export.key_files import register_of
from app.export.line import MARK, RELEASES, Shelf
from app.export.linting import HEADQUARTERS, require_one_schema
from app.export.mutual_https import Asked, MutualHttps, RefusedRequestError, Said
from app.export.outbox import LARGEST_SENT, Batch, Question
from app.export.renewed import Renewed
from app.export.taking_settings import TakingSettings
from app.export.verifying import Register, Verdict
from app.export.vocabulary import Vocabulary, of_catalogue
from app.gauges import MEDIA_TYPE, gauges, whole_gauges
from app.web.health import health_routes
from app.web.outermost import Outermost

ROLE = "take_app"
"""As whom it works: the database's owner, until headquarters' database is made with logins of its own."""
PATIENCE = 3.0
"""A full batch is more rows than any page writes."""
_AFTER = re.compile(r"after=([0-9]{1,16})")
_OK = 200


class Taking:
    """Answers regions.

    Args:
        reports: headquarters' database.
        register: whose key is whose now.
        vocabulary: numbers of the catalogue.

    Attributes:
        refused: how many releases were refused, by region and why.
    """

    def __init__(self, reports: Database, register: Callable[[], Register], vocabulary: Vocabulary) -> None:
        self._reports, self._register, self._vocabulary = reports, register, vocabulary
        self._log = structlog.get_logger("taking")
        self.refused: Counter[tuple[int, Verdict]] = Counter()

    async def answer(self, asked: Asked) -> Said:
        """Return the answer to a region.

        Raises:
            RefusedRequestError: it asks for something else, or headquarters cannot say now.
        """
        if asked.region not in self._register().regions:
            raise RefusedRequestError(403, f"headquarters knows no key of region {asked.region}")
        try:
            said = await self._said(asked)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise RefusedRequestError(400, f"a body that cannot be read: {error}"[:200]) from error
        except (DatabaseUnavailableError, UnknownOutcomeError) as error:
            self._log.warning("not answered", region=asked.region, problem=str(error))
            raise RefusedRequestError(503, "the database does not answer") from error
        return Said(_OK, msgspec.json.encode(said))

    async def _said(self, asked: Asked) -> msgspec.Struct:
        match asked.method, asked.path:
            case "POST", path if path == MARK:
                session = msgspec.json.decode(asked.body, type=Question).session
                async with self._reports.write() as connection:
                    return await headquarters_rows.begin(connection, asked.region, session)
            case "POST", path if path == RELEASES:
                return await self._receive(asked.region, msgspec.json.decode(asked.body, type=Batch))
            case "GET", path if path == RELEASES and (after := _AFTER.fullmatch(asked.query)):
                return Shelf(releases=await headquarters_rows.after(self._reports, asked.region, int(after[1])))
        raise RefusedRequestError(404, "no such question")

    async def _receive(self, region: int, batch: Batch) -> msgspec.Struct:
        async with self._reports.write() as connection:
            receipt, refusal = await headquarters_rows.receive(
                connection, batch, self._register(), region, self._vocabulary
            )
        if refusal is not None:
            self.refused[region, refusal.verdict] += 1
            self._log.error(
                "release refused",
                region=region,
                seq=receipt.seq or receipt.last + 1,
                verdict=refusal.verdict,
                found=refusal.found[:200],
            )
        return receipt


def figures(server: MutualHttps, taking: Taking, heard: list[Heard], certificate_ends: float | None) -> str:
    """Return the figures in Prometheus' text format; what is not known is not in it."""
    values: dict[str, float | None] = {
        "take_connections": float(server.connections),
        "take_turned_away": float(server.turned_away),
        "take_strangers": float(server.strangers),
    }
    lines = ["# TYPE take_last_release gauge\n"]
    lines += [f'take_last_release{{region="{each.region}"}} {each.last}\n' for each in heard]
    lines.append("# TYPE take_heard_timestamp_seconds gauge\n")
    lines += [
        f'take_heard_timestamp_seconds{{region="{each.region}"}} {each.heard_at:.0f}\n'
        for each in heard
        if each.heard_at is not None
    ]
    lines.append("# TYPE take_refused_total counter\n")
    lines += [
        f'take_refused_total{{region="{region}",verdict="{verdict}"}} {number}\n'
        for (region, verdict), number in sorted(taking.refused.items())
    ]
    ends = {"take_certificate_ends_timestamp_seconds": certificate_ends}
    return gauges(values) + whole_gauges(ends) + "".join(lines)


def take_releases(settings: TakingSettings) -> Outermost:
    """Return the process as an ASGI application: its probes, and within its life the server for regions.

    Raises:
        ShopError: a file of the settings cannot be used, or the port for regions is not free.
    """
    register = Renewed("the register of keys", [settings.keys], lambda: register_of(settings.keys))
    files = (settings.authority, settings.certificate, settings.key)
    context = Renewed("the certificate of this server", files, lambda: trust_of_server(*files))
    reports = _reports(settings, size=6)
    taking = Taking(reports, register.now, of_catalogue())
    server = MutualHttps(context.now, taking.answer, LARGEST_SENT)
    server.bind(settings.listen.address, settings.port)

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        server.listen()
        try:
            yield
        finally:
            await server.close()
            await reports.close()

    async def ready() -> None:
        await reports.fetchval("SELECT 1")

    @get("/metrics")
    async def metrics() -> Response[str]:
        try:
            heard = await headquarters_rows.regions(reports)
        except DatabaseUnavailableError:
            heard = []
        ends = await asyncio.to_thread(first_end, [str(settings.authority), str(settings.certificate)])
        return Response(figures(server, taking, heard, ends), media_type=MEDIA_TYPE)

    application = Litestar(
        route_handlers=[metrics, *health_routes(ready, settings.listen.site)],
        lifespan=[lifespan],
        openapi_config=None,
        request_max_body_size=0,
        logging_config=None,
    )
    return Outermost(application, {"x-content-type-options": "nosniff", "cache-control": "no-store"})


async def require_own_schema(settings: TakingSettings) -> None:
    """Return if headquarters' database has the schema of this version, and nothing beside it.

    Raises:
        ShopError: it has not, or it does not answer, so that it is not known.
    """
    reports = _reports(settings, size=1)
    try:
        await require_one_schema(reports, HEADQUARTERS)
    finally:
        await reports.close()


def _reports(settings: TakingSettings, *, size: int) -> Database:
    return Database(
        settings.reports_dsn,
        role=ROLE,
        application="take-releases",
        size=size,
        patience=PATIENCE,
        other_dsn=settings.other_reports_dsn,
    )
