"""A region's database and headquarters', brought to their schema in this process, and orders in the one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, datetime, time, timedelta, timezone
from typing import TypeVar
from uuid import UUID, uuid4

import psycopg
from alembic import command
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from app.database import Database
from app.migrations.run import alembic_configuration

SHELVES = {1: ("t-shirts", "apparel"), 2: ("watches", "electronics"), 3: ("caps", "apparel")}
"""Products of the tests: number, category and kind."""
NOON = time(12, tzinfo=timezone(timedelta(0)))
T = TypeVar("T")


def upgrade(dsn: str, tree: str) -> None:
    """Bring a database to the newest schema of a tree, as its owner, without the catalogue's seed."""
    engine = create_engine(f"postgresql+psycopg://{dsn.split('://', 1)[1]}", poolclass=NullPool)
    options = alembic_configuration(tree)
    with engine.connect() as connection:
        options.attributes["connection"] = connection
        command.upgrade(options, "head")
        connection.commit()


def stock(dsn: str) -> None:
    """Put the products of the tests on the shelves."""
    with psycopg.connect(dsn) as connection:
        for number, (slug, kind) in SHELVES.items():
            connection.execute("INSERT INTO catalogue.category VALUES (%s, %s, '', '', %s)", (slug, kind, number))
            connection.execute(
                "INSERT INTO catalogue.product (id, slug, category, name, tagline, description, details, position) "
                "VALUES (%s, %s, %s, '', '', '', '{}', %s)",
                (number, f"product-{number}", slug, number),
            )
            connection.execute("INSERT INTO catalogue.variant VALUES (%s, %s, '', '', 1)", (f"sku-{number}", number))


def order(
    connection: psycopg.Connection,
    day: date,
    email: str,
    goods: dict[int, int],
    *,
    state: str = "paid",
    lapse: str | None = None,
    customer: UUID | None = None,
) -> UUID:
    """Write an order of a day; `goods` are prices (minor units) by product."""
    identity = uuid4()
    connection.execute(
        'INSERT INTO orders."order" (id, number, session_id, customer_id, state, currency, goods_minor, '
        "shipping_minor, payment_token, email, name, street, postcode, city, country, placed_at) "
        "VALUES (%s, %s, gen_random_uuid(), %s, 'pending_payment', 'EUR', %s, 590, '', %s, %s, 'Long Lane 1', '1', "
        "'Cork', 'IE', %s)",
        (identity, identity.hex, customer, sum(goods.values()), email, f"Name of {email}", datetime.combine(day, NOON)),
    )
    for place, (product, price) in enumerate(goods.items(), 1):
        connection.execute(
            "INSERT INTO orders.line VALUES (%s, %s, %s, '', 1, %s, '{}')",
            (identity, place, f"sku-{product}", price),
        )
    if state != "pending_payment":
        settle(connection, identity, state, lapse)
    return identity


def settle(connection: psycopg.Connection, identity: UUID, state: str, lapse: str | None = None) -> None:
    """End the waiting of an order."""
    connection.execute('UPDATE orders."order" SET state = %s WHERE id = %s', (state, identity))
    if lapse:
        connection.execute('UPDATE orders."order" SET lapse = %s WHERE id = %s', (lapse, identity))


def with_database(dsn: str, work: Callable[[Database], Awaitable[T]], role: str) -> T:
    """Return what a coroutine makes of a database."""

    async def run() -> T:
        database = Database(dsn, role=role, application="export-tests", size=4)
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())
