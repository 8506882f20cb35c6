"""What must hold of the books after a run, judged from the provider's file and from both databases."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from shopsphere.foundation.paths import REPOSITORY

if TYPE_CHECKING:
    from running import Bench, Sold

PENDING_SECONDS = 300.0
ORDERS = """
SELECT 'order-' || replace(id::text, '-', ''), id::text, state, (goods_minor + shipping_minor)::bigint, currency
FROM orders."order"
"""
BOOKED = """
SELECT p.key, p.state, p.charge_id, p.amount_minor, p.currency,
    (SELECT count(*) FROM ledger.transfer t WHERE t.payment_id = p.id),
    (SELECT coalesce(sum(e.amount_minor), 0)::bigint FROM ledger.transfer t JOIN ledger.entry e ON e.transfer_id = t.id
     WHERE t.payment_id = p.id AND e.account = 'psp-receivable' AND e.currency = p.currency)
FROM payments.payment p
"""
STOCK = """
SELECT count(*) FROM inventory.stock s WHERE s.free <> %s - coalesce((
    SELECT sum(l.quantity) FROM orders.line l JOIN orders."order" o ON o.id = l.order_id
    WHERE l.sku = s.sku AND o.state <> 'declined'), 0)
"""
CHARGES = "SELECT key, id, status, amount_minor, currency FROM charge"
TWIN = "\ttwin"


def judge(bench: Bench, sold: Sold) -> dict[str, Any]:
    """Wait for the books to settle, compare, have the provider correct itself, and say what is wrong."""
    violations: list[str] = []
    planted = _played(bench)
    wrong = {key for fault, key in planted if fault in {"amount", "currency"}}
    settled = _wait(bench, lambda pending: pending == wrong)
    if settled is None:
        violations.append(f"pending, and not one of the wrong charges: {sorted(_pending(bench) ^ wrong)[:5]}")
    time.sleep(1)
    found = {(each["kind"], each["key"]) for each in _reconcile(bench)}
    violations += [f"not found by the reconciliation: {each}" for each in sorted(planted - found)]
    violations += [f"found by the reconciliation, and never planted: {each}" for each in sorted(found - planted)]
    _correct(bench, wrong)
    cured = _wait(bench, lambda pending: not pending)
    pending = _pending(bench)
    return {
        "planted": dict(Counter(fault for fault, _ in planted)),
        "found": len(found),
        "settled_seconds": settled,
        "cured_seconds": cured,
        "pending": len(pending),
        **_judge_books(bench, sold, violations + [f"pending after {PENDING_SECONDS:.0f} s: {key}" for key in pending]),
    }


def _judge_books(bench: Bench, sold: Sold, violations: list[str]) -> dict[str, Any]:
    orders = {row[0]: row[1:] for row in bench.cluster.query("commerce", ORDERS)}
    booked = {row[0]: row[1:] for row in bench.cluster.query("ledger", BOOKED)}
    captured: Counter[str] = Counter()
    charged: dict[str, tuple[str, int, str]] = {}
    for key, identity, status, amount, currency in _books(bench, CHARGES):
        if status == "captured" and not key.endswith(TWIN):
            captured[key] += 1
            charged[key] = (identity, amount, currency)
    known = {identity for identity, *_ in orders.values()}
    lost = [order for order in sold.journal.orders if order not in known]
    repeated = [order for order, count in Counter(sold.journal.orders).items() if count > 1]
    doubled = [key for key, count in captured.items() if count > 1]
    doubled += [key for key, payment in booked.items() if payment[4] > 1]
    unrecorded = [
        key
        for key, (identity, amount, currency) in charged.items()
        if booked.get(key, ())[:4] != ("captured", identity, amount, currency) or booked[key][5] != amount
    ]
    unpaid = [
        key
        for key, (_, state, total, currency) in orders.items()
        if (state == "paid") != (key in charged) or (key in charged and charged[key][1:] != (total, currency))
    ]
    wrong_stock = bench.cluster.query("commerce", STOCK, 10**6)[0][0]
    counts = {
        "lost": len(lost), "doubled": len(doubled), "charged_without_record": len(unrecorded),
        "order_unlike_charge": len(unpaid), "same_order_for_two_customers": len(repeated), "wrong_stock": wrong_stock,
    }  # fmt: skip
    violations += [f"{name.replace('_', ' ')}: {count}" for name, count in counts.items() if count]
    return {"orders_in_all": len(orders), "states": dict(Counter(order[1] for order in orders.values())), **counts,
            "violations": violations}  # fmt: skip


def _played(bench: Bench) -> set[tuple[str, str]]:
    return set(_books(bench, "SELECT fault, key FROM played"))


def _books(bench: Bench, question: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(bench.books) as books:
        return books.execute(question).fetchall()


def _pending(bench: Bench) -> set[str]:
    """Return the keys of all orders and payments without an outcome."""
    orders = {row[0] for row in bench.cluster.query("commerce", f"{ORDERS} WHERE state = 'pending_payment'")}
    open_payments = "SELECT key FROM payments.payment WHERE state IN ('created', 'unknown')"
    return orders | {row[0] for row in bench.cluster.query("ledger", open_payments)}


def _wait(bench: Bench, is_settled: Any) -> float | None:
    """Return how long it took (s) until what is pending is as it should be; None if it never was."""
    begin = time.monotonic()
    while time.monotonic() - begin < PENDING_SECONDS:
        if is_settled(_pending(bench)):
            return round(time.monotonic() - begin, 1)
        time.sleep(0.5)
    return None


def _reconcile(bench: Bench) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "app", "reconcile", "--days", "2"],
        cwd=REPOSITORY, text=True, capture_output=True, timeout=1800, check=True,
        env={**os.environ, **bench.payments_variables()},
    )  # fmt: skip
    found: list[dict[str, Any]] = json.loads(done.stdout)["differences"]
    return found


def _correct(bench: Bench, wrong: set[str]) -> None:
    """Have the provider put right what it charged wrongly, as its people would when they are called."""
    orders = {row[0]: row[1:] for row in bench.cluster.query("commerce", ORDERS)}
    for key, identity, *_ in _books(bench, CHARGES):
        if key in wrong:
            _, _, total, currency = orders[key]
            bench.admin("PUT", f"/admin/charges/{identity}", {"amount_minor": total, "currency": currency})
