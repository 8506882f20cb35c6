"""P12: both databases are in the archive: a base backup of the last day, WAL of the last minutes, no gap, all days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from runbooks.readiness.pair_view import PairView
from runbooks.restore.archives import Backup
from runbooks.restore.stretches import moment, whole_time
from shopsphere.foundation.finding import Finding, fails, passes, together, unknown

NAME = "Backups of both databases are complete and recent"
BASE_YOUNGER_THAN = timedelta(hours=26)
"""A base backup is taken daily; two hours are for one that takes long."""
WAL_YOUNGER_THAN = timedelta(minutes=5)
"""WAL is sent every 10 s, and what the archive has is told each minute."""
LEADING_IN = timedelta(hours=26)
"""So much longer than the promised days an archive has to be there: base backups are taken daily."""
LOOKED_WITHIN = timedelta(days=3)
"""Retention looks daily."""
INSTALLED_WITHIN = timedelta(days=8)
"""So much longer than the promised days a base backup may be there before retention has to be: nothing is short yet."""
AHEAD = timedelta(minutes=5)
"""A time that is this much later than now is of a wrong clock: its age says nothing, and it would look young long."""


def ask(view: PairView) -> Finding:
    """Look into the buckets of both sites."""
    if view.access.topology.archive_of(view.pair.primary) is None:
        return fails(
            f"jurisdiction {view.pair.jurisdiction} has no archive: a mistake that replication copies stays",
            "add `archive` to it in topology.yaml (docs/backups.md)",
        )
    found = view.once("the buckets", view.access.backups)
    return judge(view.pair.name, found, datetime.now(UTC))


def judge(pair: str, found: Sequence[Backup], now: datetime) -> Finding:
    """Judge what there is of each database at each site."""
    databases = dict.fromkeys(each.database for each in found)
    windows = (_window(pair, [each for each in found if each.database == name], now) for name in databases)
    return together([*(_judged(pair, each, now) for each in found), *(each for each in windows if each)])


def _judged(pair: str, backup: Backup, now: datetime) -> Finding:
    subject = f"{backup.database} of {backup.site}"
    action = f"`shopsphere backups {pair}`; the log of pod archive-{backup.database} at {backup.site} says why"
    if backup.problem:
        return unknown(f"{subject}: {backup.problem}")
    if backup.base_at is None or backup.covered_at is None:
        return fails(f"{subject}: no base backup" if backup.base_at is None else f"{subject}: no WAL", action)
    if backup.missing:
        return fails(f"{subject}: WAL is missing ({backup.missing[0]})", action)
    problem = _age_problem(now - backup.base_at, now - backup.covered_at)
    if problem:
        return fails(f"{subject}: {problem}", action)
    hours = max(0.0, (now - backup.base_at).total_seconds() / 3600)
    seconds = max(0.0, (now - backup.covered_at).total_seconds())
    unread = f"; {backup.unread[0]}, so that it does not count" if backup.unread else ""
    return passes(f"{subject}: base backup {hours:.0f} h, WAL {seconds:.0f} s old{unread}")


def _window(pair: str, backups: Sequence[Backup], now: datetime) -> Finding | None:
    """Judge whether a database can be brought to any time that is promised; None while the archive is younger."""
    if any(each.problem for each in backups):
        return None
    name, days = backups[0].database, backups[0].kept_days
    looked = max((each.looked_at for each in backups if each.looked_at), default=None)
    if looked is None:
        return _without_retention(backups, now)
    short = window_short(backups, now)
    if short is None:
        return None
    action = f"`shopsphere backups {pair}`; at the archive's host: the log of shopsphere-prune-backups"
    if not -AHEAD <= now - looked <= LOOKED_WITHIN:
        days_ago = (now - looked).total_seconds() / 86400
        last = f"{days_ago:.0f} days ago" if days_ago > 0 else f"{-days_ago:.1f} days from now, by its clock"
        return fails(f"{name}: retention looked {last}, so that what can be restored is not known", action)
    whole = whole_time(stretch for each in backups for stretch in each.stretches)
    if short and whole:
        holes = [f"{gap.missing} at {each.site}" for each in backups for gap in each.stretches if gap.missing]
        gone = f"; missing: {', '.join(holes)}" if holes else ""
        since = f"{moment(whole[0])}, {(now - whole[0]).total_seconds() / 86400:.1f} days back and not {days}"
        return fails(f"{name}: can be restored since {since}{gone}", action)
    return passes(f"{name}: any time of {days} days can be restored")


def _without_retention(backups: Sequence[Backup], now: datetime) -> Finding | None:
    """Judge a database at whose archive retention never looked; None where there is no backup, or nothing promised."""
    late = _retention_late(backups, now)
    if late is None:
        return None
    host = f"archive-{backups[0].jurisdiction or '<jurisdiction>'}"
    action = (
        f"at the archive's host: what `shopsphere install-files {host} --into FOLDER` writes, then "
        "`systemctl enable --now shopsphere-prune-backups.timer` (docs/backups.md)"
    )
    said = f"{backups[0].database}: retention looked never"
    if late <= timedelta(0):
        return passes(f"{said}; this fails in {-late.total_seconds() / 86400:.0f} days: {action}")
    return fails(f"{said}, so that what can be restored is not known", action)


def is_awaited(backups: Sequence[Backup], now: datetime) -> bool:
    """Whether retention never looked at a database's archive and need not have yet."""
    late = _retention_late(backups, now)
    return late is not None and late <= timedelta(0) and not any(each.looked_at for each in backups)


def _retention_late(backups: Sequence[Backup], now: datetime) -> timedelta | None:
    """Return for how long retention should have been there; None where there is no backup, or nothing promised."""
    promised = timedelta(days=max((each.kept_days for each in backups), default=0))
    begun = min((each.begun for each in backups if each.begun), default=None)
    return now - begun - promised - INSTALLED_WITHIN if promised and begun else None


def window_short(backups: Sequence[Backup], now: datetime) -> timedelta | None:
    """Return by how much less of a database's past can be restored than is promised; zero for nothing less.

    Either site's bucket is enough. None while the archive has not been there for so long, or nobody knows it; and while
    retention, which alone knows of more than the newest base backup, never looked and need not have yet.

    Args:
        backups: of one database, at each site.
        now: the time.
    """
    promised = timedelta(days=max((each.kept_days for each in backups), default=0))
    begun = min((each.begun for each in backups if each.begun), default=None)
    if not promised or begun is None or now - begun < promised + LEADING_IN or is_awaited(backups, now):
        return None
    whole = whole_time(stretch for each in backups for stretch in each.stretches)
    short = promised - (now - whole[0]) if whole else promised
    return max(timedelta(0), short)


def _age_problem(base: timedelta, wal: timedelta) -> str:
    for what, age in (("base backup", base), ("WAL", wal)):
        if age < -AHEAD:
            return f"the time of the newest {what} is {-age.total_seconds() / 60:.0f} min in the future"
    if base >= BASE_YOUNGER_THAN:
        return f"the newest base backup is {base.total_seconds() / 3600:.0f} h old"
    if wal >= WAL_YOUNGER_THAN:
        return f"the newest WAL is {wal.total_seconds() / 60:.0f} min old"
    return ""
