"""`shop conversion`: whether those who are shown recommendations buy more, by the orders of an experiment's days.

Who takes part: sessions that began on one of its days, and whose cookie came back, so that a page was shown in a group.
What counts: orders of these sessions, placed on one of its days and not declined. There is a verdict only after the
last day, which was said before the first, and only while all sessions of these days are still there.
"""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from app.database import AT_A_DESK, Database, Queries
from app.errors import ShopError
from app.recommendations.conversion import CONFIDENCE, Comparison, Interval, compared
from app.recommendations.trial import WITH, WITHOUT, Trial
from app.settings import StorefrontSettings

_VISITORS = """
SELECT s.id FROM customers.session s
WHERE s.created_at >= $1 AND s.created_at < $2 AND (
    s.expires_at > s.created_at + make_interval(days => $3)
    OR EXISTS (SELECT FROM orders."order" o WHERE o.session_id = s.id)
)
"""
_ORDERS = """
SELECT session_id FROM orders."order"
WHERE placed_at >= $1 AND placed_at < $2 AND state NOT IN ('pending_payment', 'declined')
"""
DIGITS = 6


def show_conversion(settings: StorefrontSettings) -> str:
    """Return the figures as a JSON document.

    Raises:
        ShopError: no experiment is said.
        DatabaseUnavailableError: the database did not answer.
    """
    if settings.trial is None:
        raise ShopError.build(
            "there is no experiment whose figures could be shown",
            expected="its name, share and days in SHOP_RECOMMENDATIONS_TRIAL",
            found="none",
            action="run it in a pod of the storefront, or set the variable to what the storefront's was",
        )
    return asyncio.run(_show(settings, settings.trial))


async def _show(settings: StorefrontSettings, trial: Trial) -> str:
    dsn, other = settings.commerce_dsn, settings.other_commerce_dsn
    commerce = Database(dsn, role="shop_app", application="conversion", size=1, patience=AT_A_DESK, other_dsn=other)
    retention = settings.region.retention
    try:
        comparison = await comparison_of(commerce, trial, retention.unused_session_days)
    finally:
        await commerce.close()
    return json.dumps(document(trial, comparison, datetime.now(UTC), retention.session_days), indent=2)


async def comparison_of(commerce: Queries, trial: Trial, unused_days: int) -> Comparison:
    """Return what an experiment says so far; `unused_days` is what a session has whose cookie never came back."""
    days = trial.begins, trial.ends
    visitors = await commerce.fetch(_VISITORS, *days, unused_days)
    orders = await commerce.fetch(_ORDERS, *days)
    return compared(trial.experiment, (row["id"] for row in visitors), (row["session_id"] for row in orders))


def document(trial: Trial, comparison: Comparison, now: datetime, session_days: int) -> dict[str, Any]:
    """Return the figures with what may be said of them now."""
    return {
        "experiment": trial.experiment.name,
        "from": trial.first.isoformat(),
        "until": trial.last.isoformat(),
        "confidence": CONFIDENCE,
        "groups": {
            name: {
                "percent": trial.experiment.shares[name],
                "visitors": group.visitors,
                "buyers": group.buyers,
                "rate": None if group.rate is None else round(group.rate, DIGITS),
                "interval": _told(group.interval),
            }
            for name, group in comparison.groups.items()
        },
        "difference": _told(comparison.difference(WITH, WITHOUT)),
        "groups_as_planned": comparison.is_split_as_planned,
        "orders_of_nobody_who_took_part": comparison.strangers,
        "verdict": _verdict(trial, comparison, now, session_days),
    }


def _verdict(trial: Trial, comparison: Comparison, now: datetime, session_days: int) -> str:
    if now < trial.ends:
        return f"too early: the last day is {trial.last}; who looks before and stops at what pleases is misled"
    if now > trial.begins + timedelta(days=session_days):
        return f"too late: sessions are kept for {session_days} days, and the first of these are gone"
    if not comparison.is_split_as_planned:
        return "not known: the groups have other sizes than planned, so that some visitors were not counted"
    found = comparison.verdict(WITH, WITHOUT)
    return {"more": "those who are shown recommendations buy more", "less": "they buy less"}.get(found, found)


def _told(interval: Interval) -> list[float]:
    return [round(interval.low, DIGITS), round(interval.high, DIGITS)]
