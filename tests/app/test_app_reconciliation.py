"""The provider's settlements against the ledger: every planted difference is found, and nothing else."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from postgres_cluster import Cluster
from running_shop import ADMIN_TOKEN
from shop_processes import CALL_KEY, SEALED, Process, migrate

from app.database.pool import STATEMENT_SECONDS
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.paths import REPOSITORY

pytestmark = pytest.mark.requirement("reconciliation against the payment provider finds every difference")

LEDGER = "ledger_reconciled"


@dataclass(frozen=True)
class Books:
    """A payments service and a simulated provider with books of their own."""

    cluster: Cluster
    service: Process
    psp: Process
    file: Path

    @property
    def variables(self) -> dict[str, str]:
        return {
            "LEDGER_DSN": self.cluster.service_dsn(LEDGER),
            "PSP_URL": self.psp.url,
            "SHOP_ENVIRONMENT": "lab",
            "PAYMENTS_CALL_KEY": CALL_KEY,
        }

    def break_provider(self, **faults: int) -> None:
        headers = {"authorization": f"Bearer {ADMIN_TOKEN}"}
        url = f"{self.psp.url}/admin/faults"
        httpx.put(url, json=faults, headers=headers, trust_env=False).raise_for_status()

    def pay(self, amount_minor: int = 500, token: str = "tok_visa") -> str:
        key = f"order-{uuid4().hex}"
        answer = httpx.post(
            f"{self.service.url}/v1/payments",
            headers={"idempotency-key": key},
            json={"reference": "EU-1", "amount_minor": amount_minor, "currency": "EUR", "token": token},
            trust_env=False,
            auth=SEALED,
            timeout=20,
        )
        assert answer.status_code in {201, 202}
        return key

    def state(self, key: str) -> str:
        return str(self.cluster.query(LEDGER, "SELECT state FROM payments.payment WHERE key = %s", key)[0][0])

    def reconcile(self) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-m", "app", "reconcile"],
            cwd=REPOSITORY, text=True, capture_output=True, env={**os.environ, **self.variables}, timeout=60,
            check=True,
        )  # fmt: skip
        document: dict[str, Any] = json.loads(done.stdout)
        return document


@pytest.fixture(scope="module")
def books(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Books]:
    cluster.admin(f"CREATE DATABASE {LEDGER} OWNER ledger")
    assert migrate("ledger", cluster, name_there=LEDGER).returncode == 0
    file = tmp_path_factory.mktemp("books") / "books.sqlite"
    psp = Process("psp", {"PSP_STATE_FILE": str(file), "PSP_ADMIN_TOKEN": ADMIN_TOKEN})
    variables = {"LEDGER_DSN": cluster.service_dsn(LEDGER), "PSP_URL": psp.url}
    service = Process("payments", {**variables, "PAYMENTS_RESOLVE_SECONDS": "0.2", "PAYMENTS_RECONCILE_SECONDS": "1"})
    yield Books(cluster, service, psp, file)
    service.stop()
    psp.stop()


def test_every_planted_difference_is_found_and_nothing_else(books: Books) -> None:
    for _ in range(5):
        books.pay()
    assert books.reconcile()["differences"] == []
    planted: set[tuple[str, str]] = set()

    for fault, kind in (("other_amount", "amount"), ("other_currency", "currency"), ("double", "doubled")):
        books.break_provider(**{fault: 1})
        planted.add((kind, books.pay()))
    books.break_provider()

    stray = f"order-{uuid4().hex}"
    httpx.post(
        f"{books.psp.url}/v1/charges", headers={"idempotency-key": stray}, trust_env=False,
        json={"reference": "EU-9", "amount_minor": 7, "currency": "EUR", "token": "tok_visa"},
    ).raise_for_status()  # fmt: skip
    planted.add(("charge without payment", stray))

    lost, other_reference = books.pay(), books.pay()
    with sqlite3.connect(books.file) as provider:
        provider.execute("DELETE FROM charge WHERE key = ?", (lost,))
        provider.execute("UPDATE charge SET reference = 'EU-2' WHERE key = ?", (other_reference,))
    planted |= {("payment without charge", lost), ("reference", other_reference)}

    declined = f"order-{uuid4().hex}"
    old = f"order-{uuid4().hex}"
    for key, state in ((declined, "declined"), (old, "unknown")):
        books.cluster.query(
            LEDGER,
            "INSERT INTO payments.payment (id, key, fingerprint, reference, amount_minor, currency, token, state, "
            "due_at, created_at) VALUES (gen_random_uuid(), %s, '', 'EU-3', 9, 'EUR', 'tok_visa', %s, "
            "now() + interval '1 day', now() - interval '1 hour')",
            key,
            state,
        )
    httpx.post(
        f"{books.psp.url}/v1/charges", headers={"idempotency-key": declined}, trust_env=False,
        json={"reference": "EU-3", "amount_minor": 9, "currency": "EUR", "token": "tok_visa"},
    ).raise_for_status()  # fmt: skip
    planted |= {("charge of a declined payment", declined), ("state", old)}

    found = books.reconcile()
    assert {(each["kind"], each["key"]) for each in found["differences"]} == planted
    assert len(found["differences"]) == len(planted)
    assert all(each["action"] for each in found["differences"])

    wait_until(
        lambda: f"payments_reconciliation_differences {len(planted)}" in metrics(books),
        what="the service's own comparison to find them too",
        seconds=30,
        explain=lambda: metrics(books),
    )
    assert '"reconciliation difference"' in books.service.log()


def metrics(books: Books) -> str:
    return httpx.get(f"{books.service.url}/metrics", trust_env=False).text


def test_a_charge_that_is_declined_uses_up_no_wrong_amount(books: Books) -> None:
    books.break_provider(other_amount=1, other_currency=1)
    declined = books.pay(700, token="tok_declined")
    assert books.state(declined) == "declined"  # no money moved, so none of it can be wrong
    with sqlite3.connect(books.file) as provider:
        assert provider.execute("SELECT fault FROM played WHERE key = ?", (declined,)).fetchall() == []
    wrong = books.pay(700)
    books.break_provider()
    with sqlite3.connect(books.file) as provider:
        assert provider.execute("SELECT fault FROM played WHERE key = ?", (wrong,)).fetchall() == [("amount",)]


def test_what_the_provider_puts_right_settles_by_itself(books: Books) -> None:
    books.break_provider(other_amount=1)
    key = books.pay(800)
    books.break_provider()
    assert books.state(key) == "unknown"
    charge = httpx.get(f"{books.psp.url}/v1/charges/by-key/{key}", trust_env=False).json()
    assert charge["amount_minor"] == 799
    httpx.put(
        f"{books.psp.url}/admin/charges/{charge['id']}", json={"amount_minor": 800, "currency": "EUR"},
        headers={"authorization": f"Bearer {ADMIN_TOKEN}"}, trust_env=False,
    ).raise_for_status()  # fmt: skip
    wait_until(lambda: books.state(key) == "captured", what="the corrected charge to be booked", seconds=60)


def test_a_settlement_of_many_pages_is_read_to_its_end(books: Books) -> None:
    now = "2001-02-03T04:05:06.000000+00:00"
    with sqlite3.connect(books.file) as provider:
        provider.executemany(
            "INSERT INTO charge VALUES (?, ?, 'R', 5, 'EUR', 'tok_visa', 'captured', NULL, ?, ?)",
            [(f"ch_{number}", f"key-of-page-{number:08}", now, now) for number in range(2500)],
        )
    lines: list[str] = []
    after = ""
    while after is not None:
        params = {"after": after} if after else {}
        page = httpx.get(f"{books.psp.url}/v1/settlements/2001-02-03", params=params, trust_env=False).json()
        lines += [line["charge"] for line in page["lines"]]
        after = page["next"]
    assert len(lines) == len(set(lines)) == 2500


def test_faults_of_the_simulated_provider_are_for_those_who_have_its_token(books: Books) -> None:
    url = f"{books.psp.url}/admin/faults"
    for headers in ({}, {"authorization": "Bearer x"}, {"authorization": "Bearer other"}):
        assert httpx.get(url, headers=headers, trust_env=False).status_code == 401
        assert httpx.put(url, json={"refuse": 9}, headers=headers, trust_env=False).status_code == 401


def test_an_operator_waits_longer_for_the_ledger_than_a_page_does(books: Books) -> None:
    books.pay()
    with psycopg.connect(books.cluster.dsn(LEDGER)) as migration:
        migration.execute("LOCK TABLE payments.payment IN ACCESS EXCLUSIVE MODE")
        release = threading.Timer(STATEMENT_SECONDS + 1, migration.rollback)
        release.start()
        document = books.reconcile()
        release.join()
    assert document["payments"] > 0
