"""What the archive has of a pair's databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from runbooks.metrics.metric import Sample
from runbooks.metrics.registry import (
    BACKUP_ENDED,
    BACKUPS_PRUNED,
    LOG_ARCHIVED,
    RESTORABLE_FROM,
    RESTORABLE_SHORT,
)
from runbooks.metrics.source import Source
from runbooks.readiness.p12_backups import is_awaited, window_short
from runbooks.readiness.pair_view import PairView
from runbooks.restore.stretches import whole_time
from shopsphere.clients.archive import ArchiveError

NEVER = 0.0
"""Told of what is not there at all, so that its age is too large for every rule."""


def ask(view: PairView, _site: str) -> Iterator[Sample]:
    """Tell of each database what the site that is further behind has sent: either bucket should be enough.

    Raises:
        ArchiveError: a bucket could not be looked at.
    """
    found, now = view.access.backups(), datetime.now(UTC)
    problem = next((each.problem for each in found if each.problem), "")
    if problem:
        raise ArchiveError(problem)
    for database in dict.fromkeys(each.database for each in found):
        own = [each for each in found if each.database == database]
        bases = [each.base_at.timestamp() if each.base_at and not each.missing else NEVER for each in own]
        covered = [each.covered_at.timestamp() if each.covered_at else NEVER for each in own]
        whole = whole_time(stretch for each in own for stretch in each.stretches)
        short = window_short(own, now) or timedelta(0)
        pruned = [each.pruned_at.timestamp() if each.pruned_at else NEVER for each in own]
        yield RESTORABLE_FROM.sample(whole[0].timestamp() if whole else NEVER, database=database)
        yield RESTORABLE_SHORT.sample(short.total_seconds(), database=database)
        if not is_awaited(own, now):
            yield BACKUPS_PRUNED.sample(min(pruned), database=database)
        yield BACKUP_ENDED.sample(min(bases), database=database)
        yield LOG_ARCHIVED.sample(min(covered), database=database)


SOURCE = Source(
    "backups",
    60,
    10,
    ask,
    (BACKUP_ENDED, LOG_ARCHIVED, RESTORABLE_FROM, RESTORABLE_SHORT, BACKUPS_PRUNED),
)
