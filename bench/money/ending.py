"""After the last order: wait until the books have settled, compare, have the provider correct itself, judge."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import books
from judging import Promises, in_words, wrongs
from running import STOCK, Shop
from selling import Sold

from shopsphere.foundation.paths import REPOSITORY

PENDING_SECONDS = 300.0


def end(shop: Shop, sold: Sold) -> dict[str, Any]:
    """Return what is found, and what of it is wrong."""
    violations: list[str] = []
    planted = books.played(shop.books)
    wrong = {key for fault, key in planted if fault in {"amount", "currency"}}
    settled = _wait(shop, lambda pending: pending == wrong)
    if settled is None:
        odd = sorted(books.pending(shop.cluster) ^ wrong)
        violations.append(f"pending, and not one of the wrong charges, or the reverse: {len(odd)}, as {odd[:5]}")
    found = {(each["kind"], each["key"]) for each in _reconcile(shop)}
    violations += [f"not found by the reconciliation: {each}" for each in sorted(planted - found)]
    violations += [f"found by the reconciliation, and never planted: {each}" for each in sorted(found - planted)]
    _correct(shop, wrong)
    cured = _wait(shop, lambda pending: not pending)
    pending = books.pending(shop.cluster)
    violations += [f"pending after {PENDING_SECONDS:.0f} s: {key}" for key in sorted(pending)]
    journal = sold.journal
    seen = books.read(shop.cluster, shop.books, STOCK)
    broken = wrongs(seen, Promises(journal.marks, journal.orders, journal.turned_away))
    return {
        "planted": dict(Counter(fault for fault, _ in planted)),
        "found": len(found),
        "settled_seconds": settled,
        "cured_seconds": cured,
        "pending": len(pending),
        "orders_in_all": len(seen.orders),
        "states": dict(Counter(order.state for order in seen.orders)),
        **{rule: len(cases) for rule, cases in broken.items()},
        "violations": violations + in_words(broken),
    }


def _wait(shop: Shop, is_settled: Callable[[set[str]], bool]) -> float | None:
    """Return how long it took (s) until what is pending is as it should be; None if it never was."""
    begin = time.monotonic()
    while time.monotonic() - begin < PENDING_SECONDS:
        if is_settled(books.pending(shop.cluster)):
            return round(time.monotonic() - begin, 1)
        time.sleep(0.5)
    return None


def _reconcile(shop: Shop) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "app", "reconcile", "--days", "2"],
        cwd=REPOSITORY, text=True, capture_output=True, timeout=1800, check=False,
        env={**os.environ, **shop.payments_variables()},
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"the comparison ended with code {done.returncode}: {done.stderr or done.stdout}")
    found: list[dict[str, Any]] = json.loads(done.stdout)["differences"]
    return found


def _correct(shop: Shop, wrong: set[str]) -> None:
    """Have the provider put right what it charged wrongly, as its people would when they are called."""
    seen = books.read(shop.cluster, shop.books, STOCK)
    orders = {order.key: order for order in seen.orders}
    for charge in seen.charges:
        if charge.key in wrong:
            right = {"amount_minor": orders[charge.key].total_minor, "currency": orders[charge.key].currency}
            shop.provider.ask("PUT", f"/admin/charges/{charge.id}", right)
