"""Carts that were there before carts had owners, and pods of the release before that still write while they end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from postgres_cluster import Cluster
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

import app.migrations

pytestmark = pytest.mark.requirement("deploys without downtime: old pods work on the new schema, old carts are kept")

# What the release before asks for when something is added, shown and moved at a sign-in.
OLD_ADD = (
    "INSERT INTO carts.line (id, session_id, sku, quantity, customisation) VALUES (%s, %s, %s, %s, '{}') "
    "ON CONFLICT (session_id, sku, customisation) DO UPDATE "
    "SET quantity = least(carts.line.quantity + excluded.quantity, 20)"
)
OLD_SHOW = "SELECT sku, quantity FROM carts.line WHERE session_id = %s ORDER BY sku"
OLD_MOVE = "UPDATE carts.line SET session_id = %s WHERE session_id = %s"
OF_CART = (
    "SELECT l.sku, l.quantity FROM carts.line l JOIN carts.cart k ON k.id = l.cart_id "
    "WHERE k.session_id = %(owner)s OR k.customer_id = %(owner)s ORDER BY l.sku"
)


def _upgrade(dsn: str, revision: str) -> None:
    configuration = Config()
    configuration.set_main_option("script_location", str(Path(app.migrations.__file__).parent / "commerce"))
    engine = create_engine(f"postgresql+psycopg://{dsn.split('://', 1)[1]}", poolclass=NullPool)
    with engine.connect() as connection:
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, revision)
        connection.commit()


@pytest.fixture(scope="module")
def connection() -> Iterator[psycopg.Connection[Any]]:
    """A database of the release before, with two articles."""
    cluster = Cluster()
    try:
        _upgrade(cluster.dsn("commerce"), "0002")
        with psycopg.connect(cluster.dsn("commerce"), autocommit=True) as connection:
            connection.execute("INSERT INTO catalogue.category VALUES ('t', 'apparel', 'T', 'T', 1)")
            connection.execute(
                "INSERT INTO catalogue.product (id, slug, category, name, tagline, description, details, position) "
                "VALUES (1, 'tee', 't', 'Tee', '', '', '[]', 1)"
            )
            for place, sku in enumerate(("1-a", "1-b")):
                connection.execute("INSERT INTO catalogue.variant VALUES (%s, 1, %s, 'M', %s)", (sku, sku, place))
            yield connection
    finally:
        cluster.remove()


def _session(connection: psycopg.Connection[Any], customer: UUID | None = None) -> UUID:
    session = uuid4()
    connection.execute(
        "INSERT INTO customers.session (id, customer_id, expires_at) VALUES (%s, %s, now() + interval '1 day')",
        (session, customer),
    )
    return session


def _add(connection: psycopg.Connection[Any], session: UUID, sku: str, quantity: int) -> None:
    connection.execute(OLD_ADD, (uuid4(), session, sku, quantity))


def _cart(connection: psycopg.Connection[Any], owner: UUID) -> list[tuple[Any, ...]]:
    return connection.execute(OF_CART, {"owner": owner}).fetchall()


def test_carts_of_before_are_kept_and_old_pods_go_on(connection: psycopg.Connection[Any]) -> None:
    customer = uuid4()
    connection.execute(
        "INSERT INTO customers.customer (id, email, name, password_hash) VALUES (%s, 'a@example.org', 'A', '')",
        (customer,),
    )
    guest, laptop, phone = _session(connection), _session(connection, customer), _session(connection, customer)
    for session, sku, quantity in ((guest, "1-a", 2), (laptop, "1-a", 15), (laptop, "1-b", 1), (phone, "1-a", 8)):
        _add(connection, session, sku, quantity)
    _upgrade(_dsn(connection), "head")
    assert _cart(connection, guest) == [("1-a", 2)]
    assert _cart(connection, customer) == [("1-a", 20), ("1-b", 1)]

    # Old pods add to carts, also to that of somebody who has none yet, and show them.
    stranger = _session(connection)
    _add(connection, stranger, "1-b", 1)
    _add(connection, stranger, "1-b", 2)
    assert connection.execute(OLD_SHOW, (stranger,)).fetchall() == _cart(connection, stranger) == [("1-b", 3)]

    # A guest signs in at an old pod: the lines are then in the cart of the customer.
    newcomer = uuid4()
    connection.execute(
        "INSERT INTO customers.customer (id, email, name, password_hash) VALUES (%s, 'b@example.org', 'B', '')",
        (newcomer,),
    )
    signed_in = _session(connection, newcomer)
    connection.execute(OLD_MOVE, (signed_in, stranger))
    assert _cart(connection, newcomer) == [("1-b", 3)]
    assert _cart(connection, stranger) == []

    # The session may go; the customer's cart stays.
    connection.execute("DELETE FROM customers.session WHERE id = %s", (laptop,))
    assert _cart(connection, customer) == [("1-a", 20), ("1-b", 1)]


def _dsn(connection: psycopg.Connection[Any]) -> str:
    found = connection.info
    return f"postgresql://{found.user}@{found.host}:{found.port}/{found.dbname}"
