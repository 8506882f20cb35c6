"""What one bucket holds of one database, every version of it, as its owner lists it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from runbooks.restore.archives import DOCUMENT, status_of
from runbooks.restore.stretches import ended
from runbooks.restore.told import what_is_wrong
from shopsphere.clients.archive import ArchiveError
from shopsphere.clients.owned_archive import OwnedBucket, Version
from shopsphere.estate.archive_names import PARTIAL, SEALED, Segment, base_key


@dataclass(frozen=True)
class BaseBackup:
    """A base backup.

    Attributes:
        label: its name.
        written: when it was complete, by the archive's clock.
        facts: what is told of it, as it was written first; empty where that cannot be used.
        is_whole: whether some version of it has the size that is told.
        wrong: why what is told of it cannot be used; empty where it can.
    """

    label: str
    written: datetime
    facts: Mapping[str, Any]
    is_whole: bool
    wrong: str = ""

    @property
    def first(self) -> Segment | None:
        """The segment in which its own WAL ends: what comes after it is needed from here on."""
        return Segment.of(str(self.facts.get("first_segment", "")))

    @property
    def from_number(self) -> int | None:
        """The number of the first segment that it may need, that of its beginning; None where it does not say."""
        first = self.first
        if first is None or "start" not in self.facts:
            return first.number if first else None
        return min(first.number, Segment.at(first.timeline, self.facts["start"]).number)

    @property
    def ended(self) -> datetime | None:
        """When it ended, by its collector's clock; None where that cannot be read."""
        return ended(self.facts) if self.facts else None

    @property
    def at(self) -> datetime:
        """When it was complete, by the later of both clocks: what either of them takes for young stays."""
        return max(self.written, self.ended or self.written)


@dataclass
class Holding:
    """What is there of one database.

    Attributes:
        system: its identifier.
        bases: its base backups, the oldest first.
        wal: when each WAL file was sent first, by its name.
        newest: when the last object of it was sent.
        covered_at: until when all is here, as its collector says by its own clock; None where it does not.
    """

    system: str
    bases: list[BaseBackup] = field(default_factory=list)
    wal: dict[str, datetime] = field(default_factory=dict)
    newest: datetime | None = None
    covered_at: datetime | None = None

    @property
    def said(self) -> datetime | None:
        """The newest time that its collectors speak of, by their own clocks; None for none.

        Of a base backup the earlier one of both clocks counts: one that was taken while a clock was wrong is old news
        as soon as another one is there.
        """
        times = [min(each.written, each.ended) for each in self.bases if each.ended]
        return max([*times, *([self.covered_at] if self.covered_at else [])], default=None)

    @property
    def latest(self) -> datetime | None:
        """When it was written last, by the latest of all clocks; None where nothing of it is there."""
        times = [each.at for each in self.bases]
        return max([*times, *(each for each in (self.newest, self.covered_at) if each)], default=None)

    @property
    def whole(self) -> list[BaseBackup]:
        """Base backups that are there in full."""
        return [each for each in self.bases if each.is_whole]


def holding_of(bucket: OwnedBucket, system: str) -> Holding:
    """List one database.

    Raises:
        ArchiveError: the archive does not tell.
    """
    held = Holding(system, covered_at=status_of(bucket, system).covered_at)
    packed: dict[str, list[Version]] = {}
    for each in bucket.versions(f"{system}/base/"):
        packed.setdefault(each.key, []).append(each)
        _note(held, each)
    for key, versions in packed.items():
        if key.endswith(DOCUMENT) and (real := [each for each in versions if not each.is_mark]):
            held.bases.append(_base_backup(bucket, system, real[-1], packed))
    held.bases.sort(key=lambda each: each.at)
    gone: set[str] = set()
    for each in bucket.versions(f"{system}/wal/"):
        name = wal_name(each.key)
        if each.is_mark:
            gone |= {name} if each.is_newest else set()
        elif name not in gone:
            held.wal[name] = min(each.written, held.wal.get(name, each.written))
        _note(held, each)
    return held


def wal_name(key: str) -> str:
    """Return the name of the file in an object of WAL."""
    return key.rpartition("/")[2].removesuffix(SEALED)


def is_replaced(name: str, wal: Iterable[str]) -> bool:
    """Whether a file is a part of a segment that is there whole.

    Args:
        name: of the file.
        wal: names of the files that are there; a dictionary or set.
    """
    return name.endswith(PARTIAL) and name.removesuffix(PARTIAL) in wal


def _base_backup(
    bucket: OwnedBucket, system: str, first: Version, packed: Mapping[str, Iterable[Version]]
) -> BaseBackup:
    """Read what was written first: whoever holds a site's account can write over it, and not remove it."""
    label = first.key.rpartition("/")[2].removesuffix(DOCUMENT)
    try:
        facts = bucket.facts_of(first)
        wrong = what_is_wrong(facts, label)
    except ArchiveError as error:
        if not isinstance(error.__cause__, ValueError):
            raise
        wrong = "no document"
    if wrong:
        return BaseBackup(label, first.written, {}, is_whole=False, wrong=wrong)
    sizes = [each.size for each in packed.get(base_key(system, label), ()) if not each.is_mark]
    return BaseBackup(label, first.written, facts, facts["bytes"] in sizes)


def _note(held: Holding, version: Version) -> None:
    if not version.is_mark:
        held.newest = max(version.written, held.newest or version.written)
