"""The `shop` command: one entry point per process of the shop."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from importlib.util import find_spec
from pathlib import Path

from app import __version__, logs
from app.errors import ShopError
from app.settings import Environment, PaymentsSettings, StorefrontSettings

NUMPY = "add numpy to app/requirements.in and libstdc++6 to the image's packages, and build the image anew"


def main(arguments: list[str] | None = None) -> None:
    """Run one verb; errors that an operator can act on are printed without a traceback."""
    options = _parser().parse_args(arguments)
    try:
        _VERBS[options.verb](options)
    except ShopError as error:
        sys.stderr.write(f"shop {options.verb}: {error}\n")
        raise SystemExit(error.exit_code) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="shop", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("serve", help="the storefront, port 8000")
    verbs.add_parser("payments", help="the payments service, port 8001")
    verbs.add_parser("collect", help="the collector of clicks, port 8010")
    verbs.add_parser("keep-log", help="topics and rights of the event log's broker beside it, probes at port 8013")
    verbs.add_parser("recommend", help="recommendations for the storefront, port 8011")
    verbs.add_parser("index-sessions", help="make the recommender's index anew; it does so itself")
    verbs.add_parser("insight", help="the worker that counts clicks, port 8012")
    verbs.add_parser("report", help="headquarters' reporting pages, port 8014")
    verbs.add_parser("export", help="what a region releases for headquarters, probes at port 8015")
    verbs.add_parser("take-releases", help="headquarters' server for what regions release, port 8016, probes at 8017")
    verbs.add_parser("psp", help="a simulated payment provider, port 8070")
    reconcile = verbs.add_parser("reconcile", help="compare the provider's settlements with the ledger; prints JSON")
    orders = verbs.add_parser("reconcile-orders", help="compare orders with payments; prints JSON")
    for comparing in (reconcile, orders):
        comparing.add_argument(
            "--days", type=int, default=2, choices=range(1, 91), metavar="1-90", help="today included"
        )
    void = verbs.add_parser("void-payment", help="see to it that a payment is never taken, or given back; prints JSON")
    void.add_argument("key", help="its idempotency key")
    verbs.add_parser("unsettled", help="count the orders that wait for their payment; prints JSON")
    verbs.add_parser("conversion", help="whether those who are shown recommendations buy more; prints JSON")
    trace = verbs.add_parser("trace-click", help="where one click is, in the log and the tables; prints JSON")
    trace.add_argument("tab", help="number of its tab")
    trace.add_argument("product", help="that it looked at")
    trace.add_argument("--seconds", type=float, default=15, help="how long to wait for it")
    metrics = verbs.add_parser("metrics", help="what /metrics of the service in this pod answers")
    metrics.add_argument("port", type=int, choices=range(1, 65536), metavar="PORT", help="where it listens")
    migrate = verbs.add_parser("migrate", help="bring a database to the newest schema, as its owner")
    schema = verbs.add_parser("await-schema", help="wait until a migration has brought a database's schema")
    for waiting in (migrate, schema):
        waiting.add_argument("database", choices=["commerce", "ledger", "headquarters"])
        waiting.add_argument("--seconds", type=float, default=300, help="how long to wait for the database")
    for verb, says in (("export-customer", "print what is kept about a customer"), ("erase-customer", "erase one")):
        privacy = verbs.add_parser(verb, help=says)
        privacy.add_argument("email", help="the account's address")
    render = verbs.add_parser("render-media", help="write pictures, style sheets and scripts for the CDN")
    render.add_argument("directory", type=Path)
    return parser


# Each verb imports what it runs: a payments pod does not load the storefront.
def _serve(_: argparse.Namespace) -> None:
    from app.server import run  # noqa: PLC0415
    from app.web.application import storefront  # noqa: PLC0415

    settings = StorefrontSettings.read()
    logs.configure("shop", settings.listen.site)
    run(settings.listen, lambda: storefront(settings))


def _payments(_: argparse.Namespace) -> None:
    from app.payments.application import payments  # noqa: PLC0415
    from app.server import run  # noqa: PLC0415

    settings = PaymentsSettings.read()
    logs.configure("payments", settings.listen.site)
    run(settings.listen, lambda: payments(settings))


def _collect(_: argparse.Namespace) -> None:
    from app.clicks.serving import collect  # noqa: PLC0415
    from app.clicks.settings import ClicksSettings  # noqa: PLC0415

    settings = ClicksSettings.read()
    logs.configure("clicks", settings.listen.site)
    collect(settings)


def _keep_log(_: argparse.Namespace) -> None:
    from app.clicks.administering import KafkaBroker  # noqa: PLC0415
    from app.clicks.keeping import keep  # noqa: PLC0415
    from app.clicks.settings import KeeperSettings  # noqa: PLC0415

    settings = KeeperSettings.read()
    logs.configure("keeper", settings.listen.site)
    keep(settings, KafkaBroker(settings.connection))


def _recommend(_: argparse.Namespace) -> None:
    _want("numpy", "the recommender", NUMPY)
    from app.recommendations.serving import recommend  # noqa: PLC0415
    from app.recommendations.settings import RecommendSettings  # noqa: PLC0415

    settings = RecommendSettings.read()
    logs.configure("recommend", settings.listen.site)
    recommend(settings)


def _index_sessions(_: argparse.Namespace) -> None:
    _want("numpy", "the recommender", NUMPY)
    from app.recommendations.indexing import index_sessions  # noqa: PLC0415
    from app.recommendations.settings import RecommendSettings  # noqa: PLC0415

    settings = RecommendSettings.read()
    log = logs.configure("index-sessions", settings.listen.site)
    log.info("index made", **index_sessions(settings))


def _insight(_: argparse.Namespace) -> None:
    from app.insight.application import insight  # noqa: PLC0415
    from app.insight.settings import InsightSettings  # noqa: PLC0415
    from app.server import run  # noqa: PLC0415

    settings = InsightSettings.read()
    logs.configure("insight", settings.listen.site)
    run(settings.listen, lambda: insight(settings))


def _report(_: argparse.Namespace) -> None:
    from app.reporting.application import report  # noqa: PLC0415
    from app.reporting.settings import ReportSettings  # noqa: PLC0415
    from app.server import run  # noqa: PLC0415

    settings = ReportSettings.read()
    logs.configure("report", settings.listen.site)
    run(settings.listen, lambda: report(settings))


def _export(_: argparse.Namespace) -> None:
    _want("opendp", "the export")
    from app.export.export_process import export, require_own_schema  # noqa: PLC0415
    from app.export.export_settings import ExportSettings  # noqa: PLC0415
    from app.server import run  # noqa: PLC0415

    settings = ExportSettings.read()
    logs.configure("export", settings.listen.site)
    asyncio.run(require_own_schema(settings))
    run(settings.listen, lambda: export(settings))


def _take_releases(_: argparse.Namespace) -> None:
    from app.export.taking import require_own_schema, take_releases  # noqa: PLC0415
    from app.export.taking_settings import TakingSettings  # noqa: PLC0415
    from app.server import run  # noqa: PLC0415

    settings = TakingSettings.read()
    logs.configure("take-releases", settings.listen.site)
    asyncio.run(require_own_schema(settings))
    run(settings.listen, lambda: take_releases(settings))


def _want(module: str, who: str, action: str = "run it in an image of its own, or install the library") -> None:
    """Refuse to begin where a library is not installed: not every image has those that one process alone needs."""
    if find_spec(module) is None:
        raise ShopError.build(
            f"{who} cannot run in this image",
            expected=module,
            found="an installation of the shop without it",
            action=action,
        )


def _psp(_: argparse.Namespace) -> None:
    from app.psp.application import psp  # noqa: PLC0415
    from app.psp.settings import PspSettings  # noqa: PLC0415
    from app.server import run  # noqa: PLC0415

    settings = PspSettings.read()
    logs.configure("psp", settings.listen.site)
    run(settings.listen, lambda: psp(settings))


def _reconcile(options: argparse.Namespace) -> None:
    from app.payments.reconcile_command import reconcile  # noqa: PLC0415

    sys.stdout.write(f"{reconcile(PaymentsSettings.read(), options.days)}\n")


def _reconcile_orders(options: argparse.Namespace) -> None:
    from app.orders.reconcile_command import reconcile_orders  # noqa: PLC0415

    sys.stdout.write(f"{reconcile_orders(StorefrontSettings.read(), options.days)}\n")


def _void_payment(options: argparse.Namespace) -> None:
    from app.payments.void_command import void_payment  # noqa: PLC0415

    sys.stdout.write(f"{void_payment(PaymentsSettings.read(), options.key)}\n")


def _unsettled(_: argparse.Namespace) -> None:
    from app.orders.unsettled_command import show_unsettled  # noqa: PLC0415

    sys.stdout.write(f"{show_unsettled(StorefrontSettings.read())}\n")


def _conversion(_: argparse.Namespace) -> None:
    from app.recommendations.conversion_command import show_conversion  # noqa: PLC0415

    sys.stdout.write(f"{show_conversion(StorefrontSettings.read())}\n")


def _trace_click(options: argparse.Namespace) -> None:
    from app.insight.settings import InsightSettings  # noqa: PLC0415
    from app.insight.tracing import require_click, trace_click  # noqa: PLC0415

    click = require_click(options.tab, options.product)
    sys.stdout.write(f"{trace_click(InsightSettings.read(), click, options.seconds)}\n")


def _metrics(options: argparse.Namespace) -> None:
    from app.metrics_command import own_metrics  # noqa: PLC0415

    sys.stdout.write(own_metrics(options.port))


def _migrate(options: argparse.Namespace) -> None:
    from app.migrations.run import migrate  # noqa: PLC0415

    log = logs.configure("migrate", Environment().text("SHOP_SITE", "development"))
    log.info("migration done", database=options.database, outcome=migrate(options.database, seconds=options.seconds))


def _await_schema(options: argparse.Namespace) -> None:
    from app.migrations.run import await_schema  # noqa: PLC0415

    log = logs.configure("await-schema", Environment().text("SHOP_SITE", "development"))
    log.info("schema", database=options.database, outcome=await_schema(options.database, seconds=options.seconds))


def _export_customer(options: argparse.Namespace) -> None:
    from app.customers.privacy import export_customer  # noqa: PLC0415

    sys.stdout.write(json.dumps(export_customer(options.email), indent=2, ensure_ascii=False) + "\n")


def _erase_customer(options: argparse.Namespace) -> None:
    from app.customers.privacy import erase_customer  # noqa: PLC0415

    sys.stdout.write(json.dumps(erase_customer(options.email)) + "\n")


def _render_media(options: argparse.Namespace) -> None:
    from app.media.render import render  # noqa: PLC0415

    log = logs.configure("render-media", "build")
    log.info("rendered", files=render(options.directory), directory=str(options.directory))


_VERBS = {
    "serve": _serve,
    "payments": _payments,
    "collect": _collect,
    "keep-log": _keep_log,
    "recommend": _recommend,
    "index-sessions": _index_sessions,
    "insight": _insight,
    "report": _report,
    "export": _export,
    "take-releases": _take_releases,
    "psp": _psp,
    "reconcile": _reconcile,
    "reconcile-orders": _reconcile_orders,
    "void-payment": _void_payment,
    "unsettled": _unsettled,
    "conversion": _conversion,
    "trace-click": _trace_click,
    "metrics": _metrics,
    "migrate": _migrate,
    "await-schema": _await_schema,
    "export-customer": _export_customer,
    "erase-customer": _erase_customer,
    "render-media": _render_media,
}
