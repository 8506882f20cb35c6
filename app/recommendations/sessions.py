"""Where the looks of an index come from: the region's own database, in which the worker writes what visitors look at.

This is the one module that knows the worker's table; the index wants a session, a product's number and a moment of each
look. It is read an hour at a time, the newest first, so that no question is long and none holds the database's past.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from app.database import Queries
from app.recommendations.bounds import DAY_SECONDS
from app.recommendations.building import Limits
from app.recommendations.clicks import Clicks

HOUR_SECONDS = 3600
_LOOKS = "SELECT session, product, at FROM insight.session_look WHERE at >= $1 AND at < $2"


class SessionSource(Protocol):
    """Tells what was looked at in which session."""

    async def clicks(self, now: int, limits: Limits) -> Clicks:
        """Return the newest looks before a moment (s since 1970), enough for an index with these limits.

        Raises:
            DatabaseUnavailableError: it cannot be told now.
        """


class StoredSessions:
    """The looks in the region's database."""

    def __init__(self, commerce: Queries) -> None:
        self._commerce = commerce

    async def clicks(self, now: int, limits: Limits) -> Clicks:
        """Return the newest looks; it ends with the hour that has more than the index takes."""
        parts, looks = [Clicks.of(())], 0
        until, oldest = now + HOUR_SECONDS, now - limits.days * DAY_SECONDS  # by a clock that is ahead, some are later
        while until > oldest and looks <= limits.looks:
            since = max(until - HOUR_SECONDS, oldest)
            rows = await self._commerce.fetch(_LOOKS, since, until)
            parts.append(_columns(rows))
            looks, until = looks + len(rows), since
        return Clicks(
            np.concatenate([each.keys for each in parts]),
            np.concatenate([each.products for each in parts]),
            np.concatenate([each.times for each in parts]),
        )


def _columns(rows: Sequence[Any]) -> Clicks:
    keys = np.array([row["session"] for row in rows], np.uint64)
    products = np.array([row["product"] for row in rows], np.int32)
    return Clicks(keys, products, np.array([row["at"] for row in rows], np.int64))
