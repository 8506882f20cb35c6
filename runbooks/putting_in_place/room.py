"""Whether every instance has room for one more database, and for the log that loading it writes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from runbooks.engine.errors import BlockedError
from runbooks.putting_in_place.instance import Instance
from runbooks.readiness.p10_headroom import DISK_SHARE
from runbooks.readiness.p12_backups import WAL_YOUNGER_THAN
from runbooks.restore.archives import Backup
from shopsphere.clients.postgres_capacity import Volume, ask_volumes
from shopsphere.clients.questions import ADMINISTRATION

LOG_SHARE = 2.0
"""Bytes of log that a byte of data may lead to: rows, their indexes, and whole pages after a checkpoint."""
LOG_SETTINGS = """
SELECT json_build_object('most', pg_size_bytes(current_setting('max_wal_size')),
  'kept', pg_size_bytes(current_setting('wal_keep_size')))
"""
SPOOL_BYTES = int(1.5 * 2**30)
"""Log that a collector keeps while the archive does not take it; then the oldest goes (docs/backups.md)."""


def require_room(instance: Instance, bytes_needed: int) -> str:
    """Return in words what room an instance has; refuse where the load would fill it.

    Raises:
        BlockedError: it would.
        ClusterError: the instance does not answer.
    """
    told = instance.ask(ADMINISTRATION, LOG_SETTINGS)
    # Never more of it is there at once than it may grow to, and what is kept for a follower.
    log = min(int(bytes_needed * LOG_SHARE), int(told["most"]) + int(told["kept"]))
    found = ask_volumes(instance.cluster, instance.namespace, instance.pod)
    data, wal = found[0], found[-1]
    one = data == wal
    for volume, needed in ((data, bytes_needed + (log if one else 0)), (wal, log)):
        if after(volume, needed) >= DISK_SHARE:
            raise BlockedError.because(
                f"{instance.name}: {mib(needed)} MiB more would make its volume {after(volume, needed):.0%} full; "
                f"{mib(volume.free)} MiB are free",
                action="give it a larger volume, or remove what was kept before (--drop); below "
                f"{DISK_SHARE:.0%} it goes on",
            )
    return f"{instance.name}: {mib(data.free)} MiB free"


def after(volume: Volume, needed: int) -> float:
    """Return the share of a volume that is taken when so much more is there."""
    return (volume.used + needed) / max(1, volume.used + volume.free)


def mib(number: int) -> int:
    """Return bytes in MiB."""
    return round(number / 2**20)


def archive_warning(backups: Sequence[Backup], bytes_needed: int, now: datetime | None = None) -> str:
    """Return what the archive of the active site would suffer; empty for nothing.

    Args:
        backups: of the database, at the active site.
        bytes_needed: that are to be loaded.
        now: the time.
    """
    now = now or datetime.now(UTC)
    for each in backups:
        age = now - each.covered_at if each.covered_at else None
        if each.problem or age is None or age > WAL_YOUNGER_THAN:
            late = each.problem or (f"WAL is {age.total_seconds() / 60:.0f} min behind" if age else "no WAL is there")
            most = bytes_needed * LOG_SHARE
            lost = (
                "; more than its collector can keep: expect a gap, and a new base backup" if most > SPOOL_BYTES else ""
            )
            return f"warning: the archive does not take what {each.site} writes ({late}){lost}"
    return ""
