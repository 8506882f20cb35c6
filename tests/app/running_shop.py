"""The whole shop as it runs: cluster, storefront, payments and the provider."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Any

import httpx
from postgres_cluster import Cluster
from shop_processes import Process
from shopper import Shopper

ADMIN_TOKEN = "the-token-of-the-simulated-provider"


@dataclass(frozen=True)
class Shop:
    """Everything that runs."""

    cluster: Cluster
    storefront: Process
    payments: Process
    psp: Process

    def shopper(self) -> Shopper:
        """A customer with an address of their own, as the gateway would tell it."""
        shopper = Shopper(self.storefront.url)
        shopper.http.headers["x-forwarded-for"] = str(IPv6Address(secrets.randbits(128)))
        return shopper

    def order(self, identity: str) -> str:
        return str(self.cluster.query("commerce", 'SELECT state FROM orders."order" WHERE id = %s', identity)[0][0])

    def end_wait(self, identity: str) -> None:
        """Let the background loop come to an order now; for its first 8 s it leaves it to its own checkout."""
        self.cluster.query("commerce", 'UPDATE orders."order" SET settle_due_at = now() WHERE id = %s', identity)

    def payment(self, identity: str) -> list[tuple[Any, ...]]:
        return self.cluster.query(
            "ledger",
            "SELECT p.state, (SELECT count(*) FROM ledger.entry e JOIN ledger.transfer t ON t.id = e.transfer_id "
            "WHERE t.payment_id = p.id) FROM payments.payment p WHERE p.key = %s",
            f"order-{identity.replace('-', '')}",
        )

    def charges(self, identity: str) -> httpx.Response:
        return httpx.get(f"{self.psp.url}/v1/charges/by-key/order-{identity.replace('-', '')}", trust_env=False)

    def break_provider(self, **faults: int) -> None:
        httpx.put(
            f"{self.psp.url}/admin/faults",
            json=faults,
            headers={"authorization": f"Bearer {ADMIN_TOKEN}"},
            trust_env=False,
        ).raise_for_status()

    def free(self, sku: str) -> int:
        return int(self.cluster.query("commerce", "SELECT free FROM inventory.stock WHERE sku = %s", sku)[0][0])

    def set_free(self, sku: str, free: int) -> None:
        self.cluster.query("commerce", "UPDATE inventory.stock SET free = %s WHERE sku = %s", free, sku)
