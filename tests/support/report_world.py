"""Headquarters' database with releases whose every figure is known, written as headquarters' server writes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta

from export_databases import upgrade, with_database
from export_world import signer
from postgres_cluster import Cluster

from app.database import Database
from app.export import headquarters_rows
from app.export.outbox import Batch
from app.export.schema import (
    CategoriesRow,
    HoursRow,
    MoneyRow,
    ProductsRow,
    Release,
    Row,
    VisitorsRow,
    order_of,
)
from app.export.verifying import Register
from app.export.vocabulary import (
    Audience,
    Currency,
    HourMetric,
    Interest,
    Kind,
    MoneyFlag,
    MoneyMetric,
    NoisyFlag,
    Step,
    of_catalogue,
)

NAME = "headquarters_report"
LOGIN, TAKES = "report_app", "take_app"
ROLES = ("headquarters", LOGIN, TAKES)
FIRST = date(2026, 10, 5)
SECOND, THIRD, FOURTH = (FIRST + timedelta(days=number) for number in (1, 2, 3))
REGIONS = '{"1": "rdc-a", "2": "rdc-b", "3": "rdc-c"}'
SESSION = b"s" * 16


def money(day: date, metric: str, value: int | None, category: int | None = None, currency: str = "EUR") -> MoneyRow:
    flag = MoneyFlag.SMALL if value is None else MoneyFlag.EXACT
    return MoneyRow(
        day=day, currency=Currency(currency), category=category, metric=MoneyMetric(metric), value=value, flag=flag
    )


def delta(day: date, metric: str, value: int, category: int | None = None) -> MoneyRow:
    return MoneyRow(
        day=day, currency=Currency.EUR, category=category, metric=MoneyMetric(metric), value=value, flag=MoneyFlag.DELTA
    )


def visitors(day: date, step: str, value: int | None, audience: str = "people") -> VisitorsRow:
    return VisitorsRow(day=day, audience=Audience(audience), metric=Step(step), value=value, flag=_noisy(value))


def hour(day: date, value: int | None) -> HoursRow:
    return HoursRow(day=day, hour=7, audience=Audience.PEOPLE, metric=HourMetric.VISIT, value=value, flag=_noisy(value))


def product(day: date, number: int, metric: str, value: int | None) -> ProductsRow:
    return ProductsRow(day=day, product=number, metric=Interest(metric), value=value, flag=_noisy(value))


def category(day: date, number: int, metric: str, value: int | None) -> CategoriesRow:
    return CategoriesRow(day=day, category=number, metric=Interest(metric), value=value, flag=_noisy(value))


def _noisy(value: int | None) -> NoisyFlag:
    return NoisyFlag.SMALL if value is None else NoisyFlag.NOISY


def release(region: int, seq: int, kind: str, day: date, rows: Sequence[Row], part: int = 1, parts: int = 1) -> Release:
    ordered = tuple(sorted(rows, key=order_of))
    return Release(region=region, seq=seq, kind=Kind(kind), day=day, part=part, parts=parts, rows=ordered)


def world() -> dict[int, list[Release]]:
    """Three days of region 1, the last without its second part of visitors; two of region 2; none of region 3."""
    ours = [
        release(1, 1, "money", FIRST, [
            money(FIRST, "orders", 40), money(FIRST, "revenue", 800_000), money(FIRST, "refunds", None),
            money(FIRST, "revenue", 500_000, 1), money(FIRST, "revenue", None, 13),
            money(FIRST, "orders", 30, 1), money(FIRST, "orders", None, 13),
        ]),
        release(1, 2, "behaviour", FIRST, [
            visitors(FIRST, "visit", 1000), visitors(FIRST, "view", 700), visitors(FIRST, "add", 200),
            visitors(FIRST, "checkout", 90), visitors(FIRST, "buy", None), visitors(FIRST, "visit", 5000, "automation"),
            hour(FIRST, 80), product(FIRST, 1, "view", 300), product(FIRST, 1, "add", 60),
        ], 1, 2),
        release(1, 3, "behaviour", FIRST, [
            product(FIRST, 2, "view", 120), product(FIRST, 3, "view", None), category(FIRST, 1, "view", 450),
        ], 2, 2),
        release(1, 4, "money", SECOND, [
            money(SECOND, "orders", 25), money(SECOND, "revenue", 150_050), money(SECOND, "refunds", 5_000),
            money(SECOND, "revenue", 150_050, 13), money(SECOND, "orders", 25, 13),
        ]),
        release(1, 5, "behaviour", SECOND, [
            visitors(SECOND, "visit", None), product(SECOND, 1, "view", 100), product(SECOND, 2, "view", None),
        ]),
        release(1, 6, "correction", FIRST + timedelta(days=7), [
            delta(FIRST, "orders", 20), delta(FIRST, "revenue", 14_000), delta(FIRST, "revenue", 14_000, 1),
            delta(FIRST, "orders", 20, 1),
        ]),
        release(1, 7, "money", THIRD, [money(THIRD, "orders", 50), money(THIRD, "revenue", 900_000)]),
        release(1, 8, "behaviour", THIRD, [visitors(THIRD, "visit", 4000), product(THIRD, 1, "view", 999)], 1, 2),
    ]  # fmt: skip
    theirs = [
        release(2, 1, "money", FIRST, [
            money(FIRST, "orders", 33, currency="CHF"), money(FIRST, "revenue", 330_000, currency="CHF"),
            money(FIRST, "orders", None), money(FIRST, "revenue", None),
        ]),
        release(2, 2, "behaviour", FIRST, [visitors(FIRST, "visit", 660)]),
        release(2, 3, "correction", SECOND + timedelta(days=7), [delta(FIRST, "orders", 21)], 1, 2),
    ]  # fmt: skip
    return {1: ours, 2: theirs}


@contextmanager
def headquarters(cluster: Cluster) -> Iterator[Cluster]:
    """The database of the pages with all of it, and the login that may read it."""
    for role in ROLES:
        cluster.admin(f"CREATE ROLE {role} LOGIN")
    cluster.admin(f"CREATE DATABASE {NAME} OWNER headquarters")
    try:
        upgrade(cluster.dsn(NAME), "headquarters")
        for number, releases in world().items():
            receive(cluster, number, releases)
        yield cluster
    finally:
        cluster.admin(f"DROP DATABASE {NAME} WITH (FORCE)")
        for role in ROLES:
            cluster.admin(f"DROP ROLE {role}")


def receive(cluster: Cluster, region: int, releases: Sequence[Release]) -> None:
    """Take releases of a region as headquarters' server does; each of them has to be taken."""
    key = signer(region)
    batch = Batch(session=SESSION, releases=tuple(key.seal(each) for each in releases))

    async def work(database: Database) -> None:
        async with database.write() as connection:
            await headquarters_rows.begin(connection, region, SESSION)
            register = Register({region: [key.public]})
            _, refused = await headquarters_rows.receive(connection, batch, register, region, of_catalogue())
            assert refused is None, refused

    with_database(cluster.service_dsn(NAME, TAKES), work, TAKES)
