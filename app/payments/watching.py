"""What an operator sees of payments that wait: a log line each minute, and /metrics."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from app.database import Queries

SAY_EVERY_SECONDS = 60.0
LONG_SECONDS = 300.0
"""A payment that waits longer is for a person."""
_UNSETTLED = """
SELECT count(*) AS payments, count(problem) AS with_problem,
       coalesce(extract(epoch FROM now() - min(created_at)), 0)::float AS oldest_seconds
FROM payments.payment WHERE state IN ('created', 'unknown')
"""
_RECONCILED = """
SELECT extract(epoch FROM now() - finished_at)::float AS seconds_ago, jsonb_array_length(differences) AS differences
FROM payments.reconciliation
"""


@dataclass(frozen=True, slots=True)
class Unsettled:
    """Payments whose outcome is not known; `with_problem` wait for a person."""

    payments: int
    with_problem: int
    oldest_seconds: float


async def unsettled(ledger: Queries) -> Unsettled:
    """Count what waits."""
    return Unsettled(*await ledger.fetchrow(_UNSETTLED))


async def say_unsettled(ledger: Queries) -> None:
    """Log what waits; as an error when a person has to look."""
    found = await unsettled(ledger)
    log = structlog.get_logger("unsettled")
    told = log.error if found.with_problem or found.oldest_seconds > LONG_SECONDS else log.info
    told(
        "unsettled payments",
        payments=found.payments,
        with_problem=found.with_problem,
        oldest_seconds=round(found.oldest_seconds),
    )


async def metrics(ledger: Queries) -> str:
    """Return the figures in Prometheus' text format."""
    found = await unsettled(ledger)
    last = await ledger.fetchrow(_RECONCILED)
    values: dict[str, float | None] = {
        "payments_unsettled": found.payments,
        "payments_unsettled_with_problem": found.with_problem,
        "payments_unsettled_oldest_seconds": found.oldest_seconds,
        "payments_reconciled_seconds_ago": last and last["seconds_ago"],
        "payments_reconciliation_differences": last and last["differences"],
    }
    return "".join(f"# TYPE {name} gauge\n{name} {value:g}\n" for name, value in values.items() if value is not None)
