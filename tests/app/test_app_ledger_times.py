"""When something happened in the ledger is said by the database: nobody in a service's pod dates it elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from postgres_cluster import Cluster
from shop_processes import migrate

pytestmark = pytest.mark.requirement("the ledger cannot be changed by anybody whose password is in a pod")

LEDGER = "ledger_times"
PAYMENT = (
    "INSERT INTO payments.payment (id, key, fingerprint, reference, amount_minor, currency, token, state, due_at) "
    "VALUES (%s, %s, '', 'T', 500, 'EUR', 'tok_visa', 'created', now() + interval '1 day')"
)
ELSEWHERE = ("2000-01-01", "2100-01-01", "-infinity", "infinity")
IS_NOW = "abs(extract(epoch FROM clock_timestamp() - {})) < 60"


@pytest.fixture(scope="module")
def service(cluster: Cluster) -> Iterator[psycopg.Connection[Any]]:
    """The payments service's own login, at a ledger of its own."""
    cluster.admin(f"CREATE DATABASE {LEDGER} OWNER ledger")
    assert migrate("ledger", cluster, name_there=LEDGER).returncode == 0
    with psycopg.connect(cluster.service_dsn(LEDGER), autocommit=True) as connection:
        yield connection


def captured(service: psycopg.Connection[Any], when: str) -> str:
    """Book a payment of which the service says that it was captured at `when`; return its id."""
    payment, transfer = str(uuid4()), str(uuid4())
    with service.transaction():
        service.execute(PAYMENT, (payment, f"test-{payment}"))
        service.execute(
            "UPDATE payments.payment SET state = 'captured', charge_id = id::text, changed_at = %s WHERE id = %s",
            (when, payment),
        )
        service.execute("INSERT INTO ledger.transfer (id, payment_id, kind) VALUES (%s, %s, 'capture')",
                        (transfer, payment))  # fmt: skip
        for position, (account, amount) in enumerate((("psp-receivable", 500), ("order-sales", -500)), 1):
            service.execute("INSERT INTO ledger.entry VALUES (%s, %s, %s, 'EUR', %s)",
                            (transfer, position, account, amount))  # fmt: skip
    return payment


def is_now(service: psycopg.Connection[Any], column: str, payment: str) -> bool:
    row = service.execute(f"SELECT {IS_NOW.format(column)} FROM payments.payment WHERE id = %s", (payment,)).fetchone()
    assert row
    return bool(row[0])


@pytest.mark.parametrize("when", ELSEWHERE)
def test_a_capture_is_of_now(service: psycopg.Connection[Any], when: str) -> None:
    payment = captured(service, when)
    assert is_now(service, "changed_at", payment)
    before = service.execute("SELECT changed_at FROM payments.payment WHERE id = %s", (payment,)).fetchone()
    service.execute("UPDATE payments.payment SET changed_at = %s WHERE id = %s", (when, payment))
    assert service.execute("SELECT changed_at FROM payments.payment WHERE id = %s", (payment,)).fetchone() == before


@pytest.mark.parametrize("when", ELSEWHERE)
def test_what_is_given_up_and_given_back_is_of_now(service: psycopg.Connection[Any], when: str) -> None:
    payment, transfer = captured(service, "2000-01-01"), str(uuid4())
    service.execute("UPDATE payments.payment SET void_asked_at = %s WHERE id = %s", (when, payment))
    assert is_now(service, "void_asked_at", payment)
    with service.transaction():
        service.execute("UPDATE payments.payment SET refunded_at = %s WHERE id = %s", (when, payment))
        service.execute("INSERT INTO ledger.transfer (id, payment_id, kind) VALUES (%s, %s, 'refund')",
                        (transfer, payment))  # fmt: skip
        for position, (account, amount) in enumerate((("order-sales", 500), ("psp-receivable", -500)), 1):
            service.execute("INSERT INTO ledger.entry VALUES (%s, %s, %s, 'EUR', %s)",
                            (transfer, position, account, amount))  # fmt: skip
    assert is_now(service, "refunded_at", payment)
    assert is_now(service, "changed_at", payment)


@pytest.mark.parametrize("when", ELSEWHERE)
def test_a_comparison_cannot_be_put_off_for_ever(service: psycopg.Connection[Any], when: str) -> None:
    service.execute("UPDATE payments.reconciliation SET claimed_at = %s, finished_at = %s", (when, when))
    told = f"SELECT {IS_NOW.format('claimed_at')} AND {IS_NOW.format('finished_at')} FROM payments.reconciliation"
    assert service.execute(told).fetchone() == (True,)


def test_a_person_who_puts_something_right_says_when_it_was(cluster: Cluster, service: psycopg.Connection[Any]) -> None:
    payment = captured(service, "2000-01-01")
    with psycopg.connect(cluster.dsn(LEDGER), autocommit=True) as owner:
        owner.execute("UPDATE payments.payment SET changed_at = '2001-02-03' WHERE id = %s", (payment,))
    row = service.execute("SELECT extract(year FROM changed_at) FROM payments.payment WHERE id = %s", (payment,))
    assert row.fetchone() == (2001,)
