"""`shop index-sessions`: makes the index anew and writes it to its file, as a process of its own.

The recommender starts it, so that neither its processor time nor its 400 MiB are those of the process that answers: it
runs at the lowest priority, and all it took is given back at its end.
"""

from __future__ import annotations

import asyncio
import os
import time

from app.database import AT_A_DESK, Database
from app.errors import ShopError
from app.recommendations.building import LIMITS, Limits, build
from app.recommendations.catalogue import ROLE
from app.recommendations.index_file import save
from app.recommendations.sessions import SessionSource, StoredSessions
from app.recommendations.settings import RecommendSettings

LOWEST_PRIORITY = 19


def index_sessions(settings: RecommendSettings) -> dict[str, float]:
    """Write an index of the newest sessions to its file; return what it holds and how long it took (s).

    Raises:
        ShopError: the database did not answer, or the file cannot be written; the file that was there is as it was.
    """
    os.nice(LOWEST_PRIORITY)
    began = time.monotonic()
    try:
        sessions, looks = asyncio.run(_index(settings))
    except OSError as error:
        raise ShopError.build(
            "the index of sessions cannot be written",
            expected=f"room for {LIMITS.most_bytes} bytes at {settings.index_file}",
            found=str(error),
            action="look at the volume of RECOMMEND_INDEX_FILE; until then the index of before is used",
        ) from error
    return {"sessions": sessions, "looks": looks, "seconds": round(time.monotonic() - began, 2)}


async def _index(settings: RecommendSettings) -> tuple[int, int]:
    dsn, other = settings.commerce_dsn, settings.other_commerce_dsn
    commerce = Database(dsn, role=ROLE, application="index", size=1, patience=AT_A_DESK, other_dsn=other)
    try:
        return await write_index(settings, StoredSessions(commerce), LIMITS)
    finally:
        await commerce.close()


async def write_index(settings: RecommendSettings, source: SessionSource, limits: Limits) -> tuple[int, int]:
    """Write an index of what a source tells; return how many sessions and looks it has."""
    now = int(time.time())
    index = build(await source.clicks(now, limits), now, limits)
    save(index, settings.index_file)
    return index.sessions, len(index.session_products)
