"""An order's states: what the types allow is what the database allows, and nothing else."""

import inspect
import typing
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from postgres_cluster import Cluster

from app.orders.states import STATES

pytestmark = pytest.mark.requirement("order states: illegal transitions cannot be represented")


def _transitions() -> set[tuple[str, str]]:
    """Read the transitions off the types: each public method leads to the state that it returns."""
    found = set()
    for state in STATES.values():
        for _, method in inspect.getmembers(state, inspect.isfunction):
            if not method.__name__.startswith("_"):
                found.add((state.name, typing.get_type_hints(method)["return"].name))
    return found


@pytest.fixture(scope="module")
def connection(cluster: Cluster) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(cluster.dsn("commerce"), autocommit=True) as connection:
        yield connection


def test_types_and_database_hold_the_same_table(connection: psycopg.Connection[Any]) -> None:
    rows = connection.execute("SELECT from_state, to_state FROM orders.transition").fetchall()
    assert set(rows) == _transitions()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wishes=st.lists(st.sampled_from(sorted(STATES)), max_size=12))
def test_database_follows_the_types_on_any_walk(connection: psycopg.Connection[Any], wishes: list[str]) -> None:
    order, state = uuid4(), "pending_payment"
    _insert(connection, order, state)
    for wish in wishes:
        allowed = wish == state or (state, wish) in _transitions()
        try:
            connection.execute('UPDATE orders."order" SET state = %s WHERE id = %s', (wish, order))
        except psycopg.errors.CheckViolation:
            assert not allowed
        else:
            assert allowed
            state = wish
        assert connection.execute('SELECT state FROM orders."order" WHERE id = %s', (order,)).fetchone() == (state,)


@pytest.mark.parametrize("state", sorted(set(STATES) - {"pending_payment"}))
def test_orders_start_unpaid(connection: psycopg.Connection[Any], state: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        _insert(connection, uuid4(), state)


def _insert(connection: psycopg.Connection[Any], order: UUID, state: str) -> None:
    connection.execute(
        'INSERT INTO orders."order" (id, number, session_id, state, currency, goods_minor, shipping_minor, '
        "payment_token, email, name, street, postcode, city, country, placed_at) "
        "VALUES (%s, %s, %s, %s, 'EUR', 1, 0, 'tok_test', '', '', '', '', '', '', now() + interval '1 year')",
        (order, order.hex, uuid4(), state),
    )
