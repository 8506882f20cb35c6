"""What both databases and the provider have on record, as plain values."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from postgres_cluster import Cluster

TWIN = "\ttwin"
"""Ends the key of a charge that the provider took a second time."""
ORDERS = """
SELECT id::text, number, email, state, (goods_minor + shipping_minor)::bigint, currency FROM orders."order"
"""
PAYMENTS = """
SELECT p.key, p.state, p.charge_id, p.amount_minor, p.currency, count(DISTINCT t.id),
    coalesce(sum(e.amount_minor) FILTER (WHERE e.account = 'psp-receivable' AND e.currency = p.currency), 0)::bigint
FROM payments.payment p
LEFT JOIN ledger.transfer t ON t.payment_id = p.id LEFT JOIN ledger.entry e ON e.transfer_id = t.id
GROUP BY p.id
"""
STOCK = """
SELECT count(*) FROM inventory.stock s LEFT JOIN (
    SELECT l.sku, sum(l.quantity) AS sold FROM orders.line l JOIN orders."order" o ON o.id = l.order_id
    WHERE o.state <> 'declined' GROUP BY l.sku
) AS taken ON taken.sku = s.sku WHERE s.free <> %s - coalesce(taken.sold, 0)
"""
CHARGES = "SELECT id, key, reference, status, amount_minor, currency FROM charge"
PENDING_ORDERS = """
SELECT 'order-' || replace(id::text, '-', '') FROM orders."order" WHERE state = 'pending_payment'
"""
PENDING_PAYMENTS = "SELECT key FROM payments.payment WHERE state IN ('created', 'unknown')"


@dataclass(frozen=True)
class Order:
    """An order; `mark` is what its form had in place of an address."""

    id: str
    number: str
    mark: str
    state: str
    total_minor: int
    currency: str

    @property
    def key(self) -> str:
        """Return the key of its payment."""
        return f"order-{self.id.replace('-', '')}"


@dataclass(frozen=True)
class Payment:
    """A payment; `booked_minor` is what the ledger's entries say that the provider owes for it."""

    key: str
    state: str
    charge: str | None
    amount_minor: int
    currency: str
    transfers: int
    booked_minor: int


@dataclass(frozen=True)
class Charge:
    """A charge in the provider's own books."""

    id: str
    key: str
    reference: str
    status: str
    amount_minor: int
    currency: str


@dataclass(frozen=True)
class Books:
    """All three; `wrong_stock` is the number of articles whose stock is not what was there less what was sold."""

    orders: Sequence[Order]
    payments: Mapping[str, Payment]
    charges: Sequence[Charge]
    wrong_stock: int = field(default=0)


def read(cluster: Cluster, provider: Path, stock: int) -> Books:
    """Read everything, each table once."""
    return Books(
        [Order(*row) for row in cluster.query("commerce", ORDERS)],
        {row[0]: Payment(*row) for row in cluster.query("ledger", PAYMENTS)},
        [Charge(*row) for row in asked(provider, CHARGES)],
        int(cluster.query("commerce", STOCK, stock)[0][0]),
    )


def pending(cluster: Cluster) -> set[str]:
    """Return the keys of all orders and payments without an outcome."""
    orders, payments = cluster.query("commerce", PENDING_ORDERS), cluster.query("ledger", PENDING_PAYMENTS)
    return {row[0] for row in [*orders, *payments]}


def played(provider: Path) -> set[tuple[str, str]]:
    """Return what the provider noted that it did wrong: the fault and the key of the charge."""
    return set(asked(provider, "SELECT fault, key FROM played"))


def asked(provider: Path, question: str) -> list[tuple[Any, ...]]:
    """Return rows of the provider's file."""
    books = sqlite3.connect(provider)
    try:
        return books.execute(question).fetchall()
    finally:
        books.close()
