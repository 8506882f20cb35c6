"""What may go and what has to stay, decided from a listing; nothing is removed here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from runbooks.pruning.holding import BaseBackup, Holding, is_replaced, wal_name
from runbooks.restore.stretches import is_left, moment
from runbooks.restore.wal_files import begins_listed, run_from
from shopsphere.clients.owned_archive import Version
from shopsphere.estate.archive_names import PARTIAL, Segment, kept_key, status_key
from shopsphere.foundation.errors import ShopSphereError

SUPERSEDED = timedelta(hours=1)
"""For so long an old version of what is written again and again stays: of the newest segment, and of documents."""
BROKEN_OFF = timedelta(days=3)
"""A base backup that has been on its way for longer is none any more."""
CLOCKS_DIFFER = timedelta(days=1)
"""By more than this the archive's clock and what collectors say by theirs do not fit together."""
BASE, WAL = "base", "wal"


class ListingError(ShopSphereError):
    """What a bucket lists does not fit together, so that nothing of it is removed."""


@dataclass(frozen=True)
class Keeping:
    """What an owner wants.

    Attributes:
        days: any time of so many days can be restored.
        base_backups: so many whole ones stay, however old.
    """

    days: int
    base_backups: int


@dataclass(frozen=True)
class Choice:
    """What of one database may go.

    Attributes:
        held: what there is.
        edge: what was sent later than this stays.
        labels: base backups that go, the oldest first.
        cut: number of the first segment that stays; None for all.
        whole: whether all of it goes: another database has had its name since before the edge.
        until: the time that is counted back from.
    """

    held: Holding
    edge: datetime
    labels: tuple[str, ...]
    cut: int | None
    whole: bool
    until: datetime

    @property
    def superseded(self) -> datetime:
        """Old versions that were replaced before this time go."""
        return self.until - SUPERSEDED

    def goes(self, version: Version, replaced_at: datetime | None) -> bool:
        """Whether a version goes.

        Args:
            version: of any object of the database.
            replaced_at: when the next newer version of it was sent; None for the newest.
        """
        if self.whole:
            return True
        folder, _, name = version.key.removeprefix(f"{self.held.system}/").rpartition("/")
        is_old = replaced_at is not None and replaced_at < self.superseded
        if folder == BASE:
            return self._base_goes(name, version)
        if folder == WAL:
            return self._wal_goes(wal_name(version.key), version, is_old=is_old)
        written_often = version.key in {status_key(self.held.system), kept_key(self.held.system)}
        return is_old and written_often

    def _base_goes(self, name: str, version: Version) -> bool:
        label = name.partition(".")[0]
        if label in self.labels:
            return True
        known = {each.label for each in self.held.bases}
        return label not in known and version.written < self.edge  # it broke off, or its document is removed already

    def _wal_goes(self, name: str, version: Version, *, is_old: bool) -> bool:
        segment = Segment.of(name)
        if segment is None:
            return False  # histories are small, and any restore may need each of them
        if self.cut is not None and segment.number < self.cut and version.written < self.edge:
            return True
        if is_replaced(name, self.held.wal):
            return self.held.wal[name.removesuffix(PARTIAL)] < self.superseded
        return is_old and name.endswith(PARTIAL)


def choose(held: Sequence[Holding], keeping: Keeping, now: datetime) -> list[Choice]:
    """Decide for all databases that had one name after each other.

    Time is counted back from the last object that came, and no later than its collector knows of: an archive that
    nothing reaches any more loses nothing, nor does one whose clock is wrong.

    Raises:
        ListingError: the newest of them has no whole base backup, a hole after it, or something that cannot be read; or
            the archive's clock is wrong, or its collector's.
    """
    known = [each for each in held if each.newest]
    if not known:
        raise _refused("no backup at all", "a base backup and its WAL", "nothing")
    newest = max(known, key=lambda each: each.newest or now)
    until = counted_from(newest, now)
    edge = until - timedelta(days=keeping.days)
    require_sound(newest, edge)
    has_enough = len(newest.whole) >= keeping.base_backups
    choices = []
    for each in known:
        stays = _staying(each, keeping, edge)
        is_over = each is not newest and has_enough and each.latest is not None and each.latest < edge
        numbers = [base.from_number for base in stays if base.from_number is not None]
        labels = {base.label for base in stays}
        choices.append(
            Choice(
                held=each,
                edge=edge,
                labels=tuple(base.label for base in each.bases if base.label not in labels),
                cut=min(numbers, default=None),
                whole=is_over,
                until=until,
            )
        )
    return choices


def counted_from(held: Holding, now: datetime) -> datetime:
    """Return the time that days are counted back from.

    The time at the archive and that of its objects are of one clock, which knows nothing of its own jumps. Collectors
    have others. One that lies can only make this earlier, or keep everything.

    Args:
        held: the newest database.
        now: the time at the archive.

    Raises:
        ListingError: the clocks differ.
    """
    until = min(now, held.newest or now)
    if held.said is None:
        return until  # no document can be used, and so no base backup: it is refused for that
    if abs(until - held.said) > CLOCKS_DIFFER:
        raise _refused(
            "the archive's clock and its collector's differ, or the collector has not come to its database for long",
            f"objects of {moment(held.said)}, up to when the collector of {held.system} says that it knows",
            f"{moment(until)} by the archive's clock",
            "set the clock that is wrong; the collector's log tells what keeps it from its database",
        )
    return min(until, held.said)


def require_sound(held: Holding, edge: datetime) -> None:
    """Refuse a listing in which something is missing that could not be brought back if more went.

    A hole that a later base backup came after is over: what is before it stays as long as anything else.

    Raises:
        ListingError: it is one.
    """
    unread = [each for each in held.bases if each.wrong and each.at >= edge]
    if unread:
        raise _refused(
            "a base backup does not say what it needs",
            "a readable document beside each",
            f"{held.system}/base/{unread[0].label}.json: {unread[0].wrong}",
        )
    if not held.whole:
        found = f"{len(held.bases)} in part" if held.bases else "none"
        raise _refused(f"no base backup of {held.system} is whole", "one that is there in its full size", found)
    last = held.whole[-1]
    if last.first is None or last.from_number is None:
        raise _refused("the newest base backup does not say where its WAL ends", "first_segment", last.label)
    run = run_from(held.wal, last.first, begins_listed(held.wal, last.first))
    if run.missing:
        missing = ", ".join(each.name for each in run.missing[:3])
        raise _refused(
            f"WAL is missing after the newest base backup {last.label}", "every segment from it on", f"no {missing}"
        )


def _staying(held: Holding, keeping: Keeping, edge: datetime) -> list[BaseBackup]:
    """Return the base backups that stay: all of the days that are kept, and what leads into them."""
    young = [each for each in held.bases if each.at >= edge]
    older = [each for each in held.whole if each.at < edge]
    target = min((each.first.number for each in young if each.is_whole and each.first), default=None)
    leading: list[BaseBackup] = []
    for each in reversed(older):
        leading.append(each)
        if leads_on(each, held.wal, target):
            break
    else:
        leading = leading[:1]  # none leads into these days; the newest is the best there is
    few = keeping.base_backups - sum(each.is_whole for each in young)
    more = older[-few:] if few > len(leading) else []
    labels = {each.label for each in (*young, *leading, *more)}
    return [each for each in held.bases if each.label in labels]


def leads_on(base: BaseBackup, names: Iterable[str], target: int | None) -> bool:
    """Whether WAL goes on from a base backup to a segment without a hole.

    Args:
        base: which.
        names: of the WAL files that are there.
        target: number of the segment; None for the newest.
    """
    known = list(names)
    if base.first is None or is_left(base.first, known):
        return False
    run = run_from(known, base.first, begins_listed(known, base.first))
    if run.end is None:
        return False
    return run.end.number >= target if target is not None else not run.missing


def _refused(problem: str, expected: str, found: str, action: str = "") -> ShopSphereError:
    return ListingError.build(
        f"{problem}; nothing was removed",
        expected=expected,
        found=found,
        action=action
        or "`shopsphere backups` tells more, the collector's log why; a new base backup after it ends a hole",
    )
