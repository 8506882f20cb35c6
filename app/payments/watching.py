"""What an operator sees of payments that wait: a log line each minute, and /metrics."""

from __future__ import annotations

from app.database import Queries
from app.gauges import gauges
from app.unsettled import Unsettled, say

_UNSETTLED = """
SELECT count(*) AS payments, count(problem) AS with_problem,
    coalesce(extract(epoch FROM now() - min(CASE state WHEN 'captured' THEN void_asked_at ELSE created_at END)),
        0)::float AS oldest_seconds
FROM payments.payment WHERE state IN ('created', 'unknown')
    OR (state = 'captured' AND void_asked_at IS NOT NULL AND refunded_at IS NULL)
"""
_RECONCILED = """
SELECT extract(epoch FROM now() - finished_at)::float AS seconds_ago, jsonb_array_length(differences) AS differences
FROM payments.reconciliation
"""


async def unsettled(ledger: Queries) -> Unsettled:
    """Count the payments whose outcome is not known, and those that are still to be given back."""
    return Unsettled(*await ledger.fetchrow(_UNSETTLED))


async def say_unsettled(ledger: Queries) -> None:
    """Log what waits; as an error when a person has to look."""
    say("payments", await unsettled(ledger))


async def metrics(ledger: Queries) -> str:
    """Return the figures in Prometheus' text format."""
    found = await unsettled(ledger)
    last = await ledger.fetchrow(_RECONCILED)
    values: dict[str, float | None] = {
        "payments_unsettled": found.count,
        "payments_unsettled_with_problem": found.with_problem,
        "payments_unsettled_oldest_seconds": found.oldest_seconds,
        "payments_reconciled_seconds_ago": last and last["seconds_ago"],
        "payments_reconciliation_differences": last and last["differences"],
    }
    return gauges(values)
