"""Compares orders with payments: as a job at the active site, and when an operator asks.

The storefront compares, because it may ask the payments service while that may not read orders: what crosses is what
crosses for each payment anyway, and only differences leave the site. A page of each side is in memory at a time.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

import structlog

from app.bounded_http import NoAnswerError
from app.database import Database
from app.loops import STANDBY_SECONDS
from app.orders import reconciling_rows as rows
from app.orders.comparing import GRACE_SECONDS, Difference, of_order, without_order
from app.orders.payments_client import order_of_key
from app.orders.statements_client import StatementsClient

JOB_DAYS = 2
"""Today and yesterday; the job runs many times a day."""
MOST_LOGGED = 200
"""Differences that the job logs."""
MOST_TOLD = 1000
"""Differences that a report has in full; more of them are one problem, and are counted."""


@dataclass
class Report:
    """What a comparison found; `orders` and `payments` are how many were looked at."""

    first: date
    last: date
    orders: int = 0
    payments: int = 0
    found: int = 0
    oldest_seconds: float | None = None
    differences: list[Difference] = field(default_factory=list)

    def add(self, differences: list[Difference]) -> None:
        """Count differences, and keep them while there is room."""
        self.found += len(differences)
        self.differences += differences[: MOST_TOLD - len(self.differences)]
        for each in differences:
            self.oldest_seconds = max(self.oldest_seconds or 0.0, each.age_seconds)

    def document(self) -> dict[str, object]:
        """Return it as plain values."""
        return {
            "first_day": self.first.isoformat(),
            "last_day": self.last.isoformat(),
            "orders": self.orders,
            "payments": self.payments,
            "found": self.found,
            "differences": [difference.document() for difference in self.differences],
        }


class OrderReconciler:
    """Compares days."""

    def __init__(self, commerce: Database, statements: StatementsClient) -> None:
        self._commerce = commerce
        self._statements = statements
        self._log = structlog.get_logger("order-reconciliation")

    async def when_due(self, every_seconds: float) -> float | None:
        """Compare the last days if no process has done so for `every_seconds`; the active site only.

        Raises:
            DatabaseUnavailableError: the database did not answer; the next turn goes on.
        """
        if await self._commerce.is_standby():
            return STANDBY_SECONDS
        async with self._commerce.write() as connection:
            if not await rows.claim(connection, every_seconds):
                return None
        try:
            report = await self.compare(JOB_DAYS)
        except NoAnswerError as error:
            self._log.error("order reconciliation failed", problem=str(error))
            return None
        for difference in report.differences[:MOST_LOGGED]:
            self._log.error("order difference", **difference.document())
        async with self._commerce.write() as connection:
            await rows.keep(connection, report.orders, report.payments, report.found, report.oldest_seconds)
        told = self._log.error if report.found else self._log.info
        told(
            "orders reconciled",
            orders=report.orders,
            payments=report.payments,
            differences=report.found,
            oldest_seconds=round(report.oldest_seconds or 0),
        )
        return None

    async def compare(self, days: int) -> Report:
        """Compare the last `days` days (UTC), today included, but for what is on its way now.

        Each side is read before the other: an order is committed before its payment is asked for, so a payment whose
        order is not there afterwards has none; and a payment is settled before its order is.

        Raises:
            NoAnswerError: the payments service did not answer.
            DatabaseUnavailableError: the database did not answer.
        """
        now = datetime.now(UTC)
        report = Report(now.date() - timedelta(days=days - 1), now.date())
        since, until = datetime.combine(report.first, time.min, UTC), now - timedelta(seconds=GRACE_SECONDS)
        async for orders in rows.between(self._commerce, since, until):
            report.orders += len(orders)
            payments = await self._statements.of_keys([order.key for order in orders])
            for order in orders:
                report.add(of_order(order, payments.get(order.key)))
            await asyncio.sleep(0)
        async for page in self._statements.between(since, until):
            report.payments += len(page)
            named = {payment.key: order_of_key(payment.key) for payment in page}
            there = await rows.known(self._commerce, [order for order in named.values() if order is not None])
            for payment in page:
                if named[payment.key] not in there:
                    report.add(without_order(payment))
            await asyncio.sleep(0)
        return report
