"""A restored database takes the place of the live one while customers go on, on real servers."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from ledger_server import inventory
from replaced_pair import ACTIVE, PAIR, ReplacedPair

from runbooks.engine import StepFailedError
from runbooks.putting_in_place.instance import Instance
from runbooks.putting_in_place.swapping import statements
from shopsphere.estate.databases import COMMERCE
from shopsphere.foundation.clock import wait_until

pytestmark = pytest.mark.requirement("a mistake that replication copied is taken out of the live database")

PERSON = ("Ada Lovelace", "1 Main St", "10115", "Berlin")


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ReplacedPair]:
    monkeypatch.setattr("shopsphere.clients.web.takes_forms", lambda _door: True)
    made = ReplacedPair(COMMERCE, tmp_path / "records")
    yield made
    made.remove()


def customer(pair: ReplacedPair) -> uuid.UUID:
    made = uuid.uuid4()
    pair.live.query(
        "commerce", "INSERT INTO customers.customer (id, email, name, password_hash) VALUES (%s, %s, %s, 'x')",
        made, f"{made}@example.org", PERSON[0],
    )  # fmt: skip
    return made


def session(pair: ReplacedPair, whose: uuid.UUID | None = None) -> uuid.UUID:
    made = uuid.uuid4()
    pair.live.query(
        "commerce",
        "INSERT INTO customers.session (id, customer_id, expires_at) VALUES (%s, %s, now() + interval '1 day')",
        made, whose,
    )  # fmt: skip
    return made


def order(pair: ReplacedPair, whose: uuid.UUID | None = None, *, state: str = "pending_payment") -> uuid.UUID:
    made = uuid.uuid4()
    pair.live.query(
        "commerce",
        'INSERT INTO orders."order" (id, number, session_id, customer_id, state, currency, goods_minor, shipping_minor,'
        " payment_token, email, name, street, postcode, city, country)"
        " VALUES (%s, %s, %s, %s, 'pending_payment', 'EUR', 100, 0, 't', 'a@example.org', %s, %s, %s, %s, 'DE')",
        made, f"S-{made.hex[:10]}", uuid.uuid4(), whose, *PERSON,
    )  # fmt: skip
    for each in {"pending_payment": (), "paid": ("paid",), "dispatched": ("paid", "in_production", "dispatched")}[state]:
        pair.live.query("commerce", 'UPDATE orders."order" SET state = %s WHERE id = %s', each, made)
    return made


def ids(pair: ReplacedPair, table: str) -> set[uuid.UUID]:
    return {each for (each,) in pair.live.query("commerce", f"SELECT id FROM {table}")}


class Customers:
    """Services' logins that place orders all the time, and come again when they are put out."""

    def __init__(self, pair: ReplacedPair) -> None:
        self.pair = pair
        self.good: list[float] = []
        self.bad: list[tuple[float, str]] = []
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._go_on) for _ in range(3)]
        for each in self._threads:
            each.start()

    def _go_on(self) -> None:
        held: psycopg.Connection[Any] | None = None
        while not self._ended.is_set():
            try:
                held = held or psycopg.connect(self.pair.live.service_dsn("commerce"), autocommit=True, connect_timeout=10)
                held.execute(
                    "INSERT INTO customers.session (id, expires_at) VALUES (gen_random_uuid(), now() + interval '1 day')"
                )
                self.good.append(time.monotonic())
            except psycopg.Error as error:
                self.bad.append((time.monotonic(), str(error)))
                held = None
            time.sleep(0.01)
        if held:
            held.close()

    def end(self) -> None:
        self._ended.set()
        for each in self._threads:
            each.join()


def test_a_dropped_table_comes_back_while_customers_go_on(pair: ReplacedPair) -> None:
    kept = [order(pair) for _ in range(3)]
    copy = pair.copy_now()
    pair.live.query("commerce", "DROP TABLE orders.line, orders.\"order\" CASCADE")
    customers = Customers(pair)
    try:
        wait_until(lambda: len(customers.good) > 20, what="customers", seconds=60)
        pair.call(named=copy.name)
        swapped = time.monotonic()
        wait_until(lambda: len([each for each in customers.good if each > swapped]) > 20, what="customers", seconds=60)
    finally:
        customers.end()
    assert ids(pair, 'orders."order"') == set(kept)
    assert customers.bad, "somebody was put out"
    assert customers.bad[-1][0] - customers.bad[0][0] < 10
    before = [name for name in pair.names() if name.startswith("commerce_before_")]
    assert len(before) == 1
    assert pair.names() == {"commerce", *before}
