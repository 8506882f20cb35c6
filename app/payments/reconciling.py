"""Compares the provider's settlements with our payments: as a job, and when an operator asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import structlog

from app.bounded_http import READ_PAUSES, NoAnswerError
from app.database import Database
from app.payments import reconciling_rows as rows
from app.payments.answers import Kind
from app.payments.comparing import Booked, Difference, of_line, of_payment, without_charge
from app.payments.provider import MOST_PAGES, Provider, SettlementLine

JOB_DAYS = 2
"""Today and yesterday; the job runs many times a day."""
MOST_KEPT = 200
"""Differences that are logged and kept; more of them are one problem, and the count is kept in full."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a comparison found; `charges` and `payments` are how many were looked at."""

    first: date
    last: date
    charges: int
    payments: int
    differences: tuple[Difference, ...]

    def document(self) -> dict[str, object]:
        """Return it as plain values."""
        return {
            "first_day": self.first.isoformat(),
            "last_day": self.last.isoformat(),
            "charges": self.charges,
            "payments": self.payments,
            "differences": [difference.document() for difference in self.differences],
        }


class Reconciler:
    """Compares days."""

    def __init__(self, ledger: Database, provider: Provider) -> None:
        self._ledger = ledger
        self._provider = provider
        self._log = structlog.get_logger("reconciliation")

    async def when_due(self, every_seconds: float) -> None:
        """Compare the last days if no process has done so for `every_seconds`; the active site only."""
        if await self._ledger.is_standby():
            return
        async with self._ledger.write() as connection:
            if not await rows.claim(connection, every_seconds):
                return
        try:
            report = await self.compare(JOB_DAYS)
        except NoAnswerError as error:
            self._log.error("reconciliation failed", problem=str(error))
            return
        for difference in report.differences[:MOST_KEPT]:
            self._log.error("reconciliation difference", **difference.document())
        async with self._ledger.write() as connection:
            await rows.keep(connection, report.charges, report.payments, _kept(report))
        self._log.info(
            "reconciled", charges=report.charges, payments=report.payments, differences=len(report.differences)
        )

    async def compare(self, days: int) -> Report:
        """Compare the last `days` days (UTC), today included.

        A charge at the end of one day may be booked on the next, so the provider is asked for a day more on both sides.

        Raises:
            NoAnswerError: the provider did not answer.
            DatabaseUnavailableError: the ledger did not answer.
        """
        until = datetime.now(UTC)
        first, last = until.date() - timedelta(days=days - 1), until.date()
        found: list[Difference] = []
        settled: set[str] = set()
        named: set[str] = set()
        charges = 0
        for offset in range(-1, days + 1):
            day = first + timedelta(days=offset)
            async for lines in self._lines(day):
                settled.update(line.charge for line in lines)
                if not first <= day <= last:
                    continue
                charges += len(lines)
                known = await rows.by_keys(self._ledger, [line.key for line in lines])
                for line in lines:
                    differing = of_line(line, known.get(line.key))
                    found += differing
                    named.update(line.key for _ in differing)
                await asyncio.sleep(0)
        payments = 0
        async for booked in rows.since(self._ledger, first, until):
            payments += len(booked)
            for payment in booked:
                if payment.key not in named:
                    found += of_payment(payment)
                if payment.charge is not None and payment.charge not in settled:
                    found += await self._look_for(payment)
        return Report(first, last, charges, payments, tuple(found))

    async def _look_for(self, payment: Booked) -> list[Difference]:
        """Ask for a charge that these days' settlements lack: it may have been captured long before it was booked."""
        known = await rows.payment(self._ledger, payment.key)
        if known is None:
            return []
        outcome = await self._provider.find_voided(known)
        for pause in READ_PAUSES:
            if not outcome.is_silence:
                break
            await asyncio.sleep(pause)
            outcome = await self._provider.find_voided(known)
        right = Kind.REFUNDED if payment.is_refunded else Kind.CAPTURED
        if outcome.kind is right and outcome.charge == payment.charge:
            return []
        return [without_charge(payment, outcome.reason or outcome.kind.value)]

    async def _lines(self, day: date) -> AsyncIterator[tuple[SettlementLine, ...]]:
        after: str | None = None
        for _ in range(MOST_PAGES):
            page = await self._provider.settlement(day.isoformat(), after)
            yield page.lines
            after = page.after
            if after is None:
                return
        raise NoAnswerError(f"settlement of {day}: more than {MOST_PAGES} pages")


def _kept(report: Report) -> list[dict[str, object]]:
    return [difference.document() for difference in report.differences[:MOST_KEPT]]
