"""Whether any bucket leads to a time: asked of what is listed, before anything is fetched or made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from runbooks.restore.archives import bases_of, status_of, wal_of
from runbooks.restore.stretches import Stretch, ended, is_left, is_lost, moment, stretches_of
from shopsphere.clients.archive import Bucket
from shopsphere.estate.archive_names import Segment
from shopsphere.foundation.errors import UsageError

AHEAD = timedelta(minutes=5)
"""So much later than now a time may be: clocks differ."""


def require_reachable(buckets: Sequence[Bucket], system: str, to: datetime | None, now: datetime) -> None:
    """Refuse a time that surely no base backup of any bucket leads to; the rest is tried.

    Args:
        buckets: of the database at each site.
        system: the database's identifier; empty for any.
        to: the time; None for all that is there.
        now: the time it is.

    Raises:
        UsageError: it is before everything, in a hole of each bucket, or in the future; it has what can be restored.
        ArchiveError: an archive does not answer.
    """
    if to is None:
        return
    known = [(bucket, stretch) for bucket in buckets for stretch in _all_stretches(bucket, system)]
    if to <= now + AHEAD and not is_lost(to, [each for _, each in known]):
        return
    lines = [f"{bucket.name}: {each.text}" for bucket, each in known]
    raise UsageError.build(
        f"{moment(to)} cannot be restored, and nothing was fetched or made",
        expected="\n            ".join(lines) or "a base backup, and there is none",
        found=f"{moment(to)}, "
        + ("which is to come" if to > now + AHEAD else "which is before all that, or in a hole"),
        action="name a time of these",
    )


def _all_stretches(bucket: Bucket, system: str) -> Iterator[Stretch]:
    for each in bucket.systems():
        if system in {"", each}:
            bases, status = bases_of(bucket, each), status_of(bucket, each)
            written = {name: kept.written for name, kept in wal_of(bucket, each).items()}
            yield from stretches_of(bases, written, status.newest, status.covered_at)
            yield from _left_behind(bases, written)


def _left_behind(bases: Sequence[dict[str, Any]], written: dict[str, datetime]) -> Iterator[Stretch]:
    """Yield what lies on a timeline that ended: nothing leads on from there, and it may still be what is wanted."""
    for each in bases:
        first = Segment.of(str(each.get("first_segment", "")))
        if first and is_left(first, written):
            own = [when for name, when in written.items() if name.startswith(f"{first.timeline:08X}")]
            yield Stretch(ended(each), max(own, default=ended(each)), first.name)
