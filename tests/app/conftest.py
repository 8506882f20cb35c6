"""One cluster and one of each process for all tests of the shop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from postgres_cluster import Cluster
from shop_processes import Process, migrate, serve
from shopper import Shopper

from app.media.render import render


@dataclass(frozen=True)
class Shop:
    """Everything that runs."""

    cluster: Cluster
    storefront: Process
    payments: Process
    psp: Process

    def shopper(self) -> Shopper:
        return Shopper(self.storefront.url)

    def order(self, identity: str) -> str:
        return self.cluster.query("commerce", 'SELECT state FROM orders."order" WHERE id = %s', identity)[0][0]

    def payment(self, identity: str) -> list[tuple]:
        return self.cluster.query(
            "ledger",
            "SELECT p.state, (SELECT count(*) FROM ledger.entry e JOIN ledger.transfer t ON t.id = e.transfer_id "
            "WHERE t.payment_id = p.id) FROM payments.payment p WHERE p.key = %s",
            f"order-{identity.replace('-', '')}",
        )

    def charges(self, identity: str) -> httpx.Response:
        return httpx.get(f"{self.psp.url}/v1/charges/by-key/order-{identity.replace('-', '')}", trust_env=False)

    def break_provider(self, **faults: int) -> None:
        httpx.put(f"{self.psp.url}/admin/faults", json=faults, trust_env=False).raise_for_status()

    def free(self, sku: str) -> int:
        return self.cluster.query("commerce", "SELECT free FROM inventory.stock WHERE sku = %s", sku)[0][0]

    def set_free(self, sku: str, free: int) -> None:
        self.cluster.query("commerce", "UPDATE inventory.stock SET free = %s WHERE sku = %s", free, sku)


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("rendered")
    render(directory)
    return directory


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    cluster = Cluster()
    try:
        for database in ("commerce", "ledger"):
            done = migrate(database, cluster)
            assert done.returncode == 0, done.stdout + done.stderr
        yield cluster
    finally:
        cluster.remove()


@pytest.fixture(scope="session")
def shop(cluster: Cluster, rendered: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    running: list[Process] = []
    try:
        running.append(Process("psp", {"PSP_STATE_FILE": str(tmp_path_factory.mktemp("psp") / "books.sqlite")}))
        psp = running[-1]
        running.append(
            Process(
                "payments",
                {
                    "LEDGER_DSN": cluster.dsn("ledger"),
                    "PSP_URL": psp.url,
                    "PSP_TIMEOUT_SECONDS": "0.7",
                    "PAYMENTS_RESOLVE_SECONDS": "0.3",
                },
            )
        )
        payments = running[-1]
        running.append(serve(cluster, payments.url, rendered))
        yield Shop(cluster, running[-1], payments, psp)
    finally:
        for process in reversed(running):
            process.stop()


@pytest.fixture
def shopper(shop: Shop) -> Shopper:
    return shop.shopper()
