"""Orders against payments: every planted difference is found, and nothing else, though each side sees only its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from postgres_cluster import Cluster
from shop_processes import CALL_KEY, FACTS, SEALED, SECRET, Process, migrate
from shopper import Shopper, order_of
from test_app_settling import insert_pending

from app.orders.payments_client import payment_key
from app.statements import AT_ONCE
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.paths import REPOSITORY

pytestmark = pytest.mark.requirement("reconciliation of orders with payments finds every difference")

COMMERCE, LEDGER = "commerce_compared", "ledger_compared"


@dataclass(frozen=True)
class Sides:
    """A storefront and a payments service with databases of their own."""

    cluster: Cluster
    storefront: Process
    payments: Process
    psp: Process
    shop_variables: dict[str, str]
    payments_variables: dict[str, str]

    def run(self, *command: str, variables: dict[str, str], code: int = 0) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-m", "app", *command],
            cwd=REPOSITORY, text=True, capture_output=True, timeout=120, check=False,
            env={**os.environ, "SHOP_ENVIRONMENT": "lab", "PAYMENTS_CALL_KEY": CALL_KEY, **variables},
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        document: dict[str, Any] = json.loads(done.stdout.strip().rpartition("\n")[2] or "{}")
        return document

    def compare(self, **variables: str) -> dict[str, Any]:
        return self.run("reconcile-orders", variables={**self.shop_variables, **variables})

    def commerce(self, statement: str, *arguments: object) -> None:
        self.cluster.query(COMMERCE, statement, *arguments)

    def ledger(self, statement: str, *arguments: object) -> None:
        self.cluster.query(LEDGER, statement, *arguments)

    def pay(self, order: str, state: str = "") -> None:
        """Take the payment of an inserted order; or only write down one in a state that keeps no money."""
        key = f"order-{order.replace('-', '')}"
        if state:
            self.ledger(
                "INSERT INTO payments.payment (id, key, fingerprint, reference, amount_minor, currency, token, state, "
                "due_at) VALUES (gen_random_uuid(), %s, '', %s, 500, 'EUR', 'tok_visa', %s, now() + interval '1 day')",
                key,
                f"EU-{order[:8]}",
                state,
            )
            return
        httpx.post(
            f"{self.payments.url}/v1/payments", headers={"idempotency-key": key}, trust_env=False, auth=SEALED,
            json={"reference": f"EU-{order[:8]}", "amount_minor": 500, "currency": "EUR", "token": "tok_visa"},
        ).raise_for_status()  # fmt: skip

    def insert(self, *, paid: bool = False) -> str:
        """Write an order that nobody will settle."""
        order = insert_pending(self.cluster, goods_minor=500, database=COMMERCE)
        self.commerce("UPDATE orders.\"order\" SET settle_due_at = now() + interval '1 day' WHERE id = %s", order)
        if paid:
            self.commerce("UPDATE orders.\"order\" SET state = 'paid' WHERE id = %s", order)
        return order

    def buy(self) -> str:
        return order_of(Shopper(self.storefront.url).buy())

    def age(self) -> None:
        """Let everything until now be five minutes old."""
        self.commerce("UPDATE orders.\"order\" SET placed_at = now() - interval '5 minutes'")
        self.ledger(
            "UPDATE payments.payment SET created_at = now() - interval '5 minutes', changed_at = now() - interval '5 "
            "minutes'"
        )


@pytest.fixture(scope="module")
def sides(cluster: Cluster, rendered: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sides]:
    for owner, name in (("commerce", COMMERCE), ("ledger", LEDGER)):
        cluster.admin(f"CREATE DATABASE {name} OWNER {owner}")
        assert migrate(owner, cluster, name_there=name).returncode == 0
    psp = Process("psp", {"PSP_STATE_FILE": str(tmp_path_factory.mktemp("psp") / "books.sqlite")})
    payments_variables = {"LEDGER_DSN": cluster.service_dsn(LEDGER), "PSP_URL": psp.url}
    payments = Process("payments", payments_variables)
    shop_variables = {
        "COMMERCE_DSN": cluster.service_dsn(COMMERCE), "SHOP_SESSION_SECRET": SECRET, "PAYMENTS_URL": payments.url,
        "SHOP_RENDERED": str(rendered), "SHOP_REGION_FACTS": FACTS,
    }  # fmt: skip
    storefront = Process("serve", {**shop_variables, "SHOP_RECONCILE_SECONDS": "1"})
    yield Sides(cluster, storefront, payments, psp, shop_variables, payments_variables)
    for process in (storefront, payments, psp):
        process.stop()


def key_of(order: str) -> str:
    return f"order-{order.replace('-', '')}"


def metrics(sides: Sides) -> str:
    return httpx.get(f"{sides.storefront.url}/metrics", trust_env=False).text


def test_every_planted_difference_is_found_and_nothing_else(sides: Sides) -> None:
    for _ in range(2):
        sides.buy()
    sides.age()
    assert sides.compare()["differences"] == []
    planted: set[tuple[str, str]] = set()

    lost = sides.buy()  # its site was lost before the order had reached the other one
    sides.commerce("DELETE FROM orders.line WHERE order_id = %s", lost)
    sides.commerce('DELETE FROM orders."order" WHERE id = %s', lost)
    lost_before_the_charge = str(uuid4())
    sides.pay(lost_before_the_charge, "created")
    planted |= {("payment without order", lost), ("payment without order", lost_before_the_charge)}

    for column, value, kind in (
        ("goods_minor", "goods_minor + 1", "order amount"),
        ("currency", "'USD'", "order currency"),
        ("number", "'EU-OTHER'", "order number"),
    ):
        order = sides.buy()
        sides.commerce(f'UPDATE orders."order" SET {column} = {value} WHERE id = %s', order)
        planted.add((kind, order))

    planted |= {
        ("order without payment", sides.insert(paid=True)),
        ("order whose payment was never asked for", sides.insert()),
    }
    for state, paid, kind in (
        ("", False, "order not settled"),
        ("declined", True, "order paid without money"),
        ("unknown", True, "order paid without money"),
    ):
        order = sides.insert(paid=paid)
        sides.pay(order, state)
        planted.add((kind, order))
    over = sides.insert()
    sides.pay(over)
    sides.commerce("UPDATE orders.\"order\" SET state = 'declined' WHERE id = %s", over)
    planted.add(("money of an order that is over", over))

    for state in ("declined", ""):  # nothing to find: no money without an order, no payment of an order that is over
        order = sides.insert() if not state else str(uuid4())
        if state:
            sides.pay(order, state)
        else:
            sides.commerce("UPDATE orders.\"order\" SET state = 'declined' WHERE id = %s", order)
    sides.age()
    sides.insert()  # on its way now
    sides.pay(str(uuid4()), "created")

    found = sides.compare()
    assert {(each["kind"], each["key"]) for each in found["differences"]} == {
        (kind, key_of(order)) for kind, order in planted
    }
    assert found["found"] == len(found["differences"]) == len(planted)
    assert all(each["action"] for each in found["differences"])

    wait_until(
        lambda: f"orders_reconciliation_differences {len(planted)}\n" in metrics(sides),
        what="the shop's own comparison to find them too",
        seconds=30,
        explain=lambda: metrics(sides),
    )
    assert "orders_reconciliation_oldest_seconds 3" in metrics(sides)
    assert '"order difference"' in sides.storefront.log()
    assert '"orders reconciled"' in sides.storefront.log()


def test_money_without_an_order_is_given_back_by_a_person(sides: Sides) -> None:
    lost = sides.buy()
    sides.commerce("DELETE FROM orders.line WHERE order_id = %s", lost)
    sides.commerce('DELETE FROM orders."order" WHERE id = %s', lost)
    sides.age()
    assert key_of(lost) in {each["key"] for each in sides.compare()["differences"]}
    for _ in range(2):
        done = sides.run("void-payment", key_of(lost), variables=sides.payments_variables)
        assert done["state"] == "refunded"
    assert key_of(lost) not in {each["key"] for each in sides.compare()["differences"]}
    charge = httpx.get(f"{sides.psp.url}/v1/charges/by-key/{key_of(lost)}", trust_env=False).json()
    assert charge["status"] == "refunded"
    with_provider = sides.run("reconcile", variables=sides.payments_variables)
    assert key_of(lost) not in {each["key"] for each in with_provider["differences"]}
    sides.run("void-payment", key_of(str(uuid4())), variables=sides.payments_variables, code=1)


def test_many_orders_are_compared_to_their_end(sides: Sides) -> None:
    before = sides.compare()
    many = 2 * AT_ONCE + 50
    sides.commerce(
        'INSERT INTO orders."order" (id, number, session_id, state, currency, goods_minor, shipping_minor, '
        "payment_token, email, name, street, postcode, city, country, placed_at) SELECT "
        "lpad(to_hex(n), 32, '0')::uuid, 'EU-M' || n, gen_random_uuid(), 'pending_payment', 'EUR', 500, 0, '', '', '', "
        "'', '', '', 'DE', now() - interval '10 minutes' FROM generate_series(1, %s) AS n",
        many,
    )
    sides.commerce("UPDATE orders.\"order\" SET state = 'paid' WHERE number LIKE 'EU-M%%'")
    sides.ledger(
        "INSERT INTO payments.payment (id, key, fingerprint, reference, amount_minor, currency, token, state, "
        "charge_id, due_at, created_at) SELECT gen_random_uuid(), 'order-' || lpad(to_hex(n), 32, '0'), '', "
        "'EU-M' || n, 500, 'EUR', 'tok_visa', 'captured', 'ch-m' || n, now(), now() - interval '10 minutes' "
        "FROM generate_series(1, %s) AS n WHERE n <> 333",
        many,
    )
    after = sides.compare()
    assert after["orders"] - before["orders"] == many
    assert after["payments"] - before["payments"] == many - 1
    assert after["found"] - before["found"] == 1
    new = [each for each in after["differences"] if each not in before["differences"] and "EU-M" in each["order"]]
    assert [each["order"] for each in new] == ["EU-M333"]


def test_silence_of_payments_is_not_agreement(sides: Sides) -> None:
    sides.run(
        "reconcile-orders", variables={**sides.shop_variables, "PAYMENTS_URL": "http://127.0.0.1:9"}, code=1
    )  # fmt: skip


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/statements?since=x&until=y", None),
        ("/v1/statements?since=2026-01-01&until=2026-01-02", None),
        ("/v1/statements?since=2026-01-01T00:00:00Z&until=2026-01-02T00:00:00Z&after=x", None),
        ("/v1/statements/by-keys", {"keys": "x"}),
        ("/v1/statements/by-keys", {"keys": ["short"]}),
        ("/v1/statements/by-keys", {"keys": [payment_key(uuid4())] * (AT_ONCE + 1)}),
        ("/v1/statements/by-keys", {"keys": [], "more": 1}),
    ],
)
def test_questions_that_make_no_sense_are_refused(sides: Sides, path: str, body: object) -> None:
    verb = "GET" if body is None else "POST"
    answer = httpx.request(verb, f"{sides.payments.url}{path}", json=body, trust_env=False, auth=SEALED)
    assert answer.status_code == 422


def test_a_statement_says_nothing_of_card_or_customer(sides: Sides) -> None:
    order = sides.buy()
    answer = httpx.post(
        f"{sides.payments.url}/v1/statements/by-keys", json={"keys": [key_of(order)]}, trust_env=False, auth=SEALED
    ).json()  # fmt: skip
    assert [set(each) for each in answer["payments"]] == [
        {"key", "reference", "amount_minor", "currency", "state", "settled_seconds", "age_seconds"}
    ]
