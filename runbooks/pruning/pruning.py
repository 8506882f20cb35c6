"""Removes from one bucket what may go, and writes down what can be restored from what stays.

Each run decides anew from what is listed, so that one that was ended in the middle is simply followed by the next.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from runbooks.pruning.choosing import BASE, BROKEN_OFF, WAL, Choice, Keeping, ListingError, choose
from runbooks.pruning.holding import Holding, holding_of
from runbooks.restore.stretches import KeptRecord, Stretch, stretches_of
from shopsphere.clients.archive import ArchiveError
from shopsphere.clients.owned_archive import MOST_AT_ONCE, OwnedBucket, Version
from shopsphere.estate.archive_names import kept_key, status_key
from shopsphere.foundation.errors import ShopSphereError, one_line, told

MOST_REMOVED = 200_000
"""Versions that one run removes from a bucket; the next one goes on."""
MOST_SECONDS = 1800.0
"""For so long one run removes from a bucket; the next one goes on."""


@dataclass
class Pruned:
    """What was removed from a bucket, or would be.

    Attributes:
        bucket: its name.
        labels: of base backups.
        wal: WAL files, whole ones and parts, by versions.
        others: old versions of documents, and what broke off.
        uploads: that broke off.
        versions: all of that.
        bytes: of all of it.
        stretches: between which times what stays leads, of the newest database.
        unread: base backups whose documents cannot be used, and why; they do not count.
        stopped: why more is left to remove; empty where nothing is.
    """

    bucket: str
    labels: list[str] = field(default_factory=list)
    wal: int = 0
    others: int = 0
    uploads: int = 0
    versions: int = 0
    bytes: int = 0
    stretches: tuple[Stretch, ...] = ()
    unread: list[str] = field(default_factory=list)
    stopped: str = ""

    def count(self, choice: Choice, version: Version) -> None:
        """Count a version."""
        folder, _, name = version.key.removeprefix(f"{choice.held.system}/").rpartition("/")
        label = name.partition(".")[0]
        self.versions += 1
        self.bytes += version.size
        if folder == WAL:
            self.wal += 1
        elif folder == BASE and (choice.whole or label in choice.labels):
            if label not in self.labels:
                self.labels.append(label)
        else:
            self.others += 1

    def lines(self, *, execute: bool) -> Iterator[str]:
        """Say it."""
        verb = "removed" if execute else "would remove"
        some = f" ({self.labels[0]} to {self.labels[-1]})" if self.labels else ""
        bases = f"{len(self.labels)} base backups{some}"
        rest = f"{self.wal} WAL files, {self.others} other versions, {self.uploads} uploads that broke off"
        yield f"{self.bucket}: {verb} {bases}, {rest}: {self.bytes / 2**20:.1f} MiB"
        if self.stopped:
            yield f"{self.bucket}: {self.stopped}; the next run goes on"
        for wrong in self.unread:
            yield f"{self.bucket}: does not count as a base backup: {wrong}"
        for each in self.stretches:
            yield f"{self.bucket}: stays: {each.text}"


def prune(
    bucket: OwnedBucket,
    keeping: Keeping,
    now: datetime,
    *,
    execute: bool,
    monotonic: Callable[[], float] = time.monotonic,
) -> Pruned:
    """Remove what may go, or only say what would.

    Args:
        bucket: in its owner's hands.
        keeping: what is to stay.
        now: the time.
        execute: whether anything is removed and written.
        monotonic: replaceable in tests.

    Raises:
        ListingError: what is listed does not fit together; nothing was removed.
        ArchiveError: the archive does not answer, or refused; what was removed by then is gone.
    """
    ends = monotonic() + MOST_SECONDS
    held = [holding_of(bucket, each) for each in bucket.systems()]
    newest = max((each for each in held if each.newest), key=lambda each: each.newest or now, default=None)
    try:
        choices = choose(held, keeping, now)
    except ListingError as error:
        if execute and newest:
            _note(bucket, newest, remaining(newest), now, one_line(error))
        raise
    pruned = Pruned(bucket.name)
    pruned.uploads = _end_uploads(bucket, choices[0].until, execute=execute)
    for choice in choices:
        if choice.held is newest:
            pruned.unread = [f"{each.label}: {each.wrong}" for each in newest.bases if each.wrong]
            pruned.stretches = remaining(choice.held, choice.labels)
            if execute:
                # Before anything goes: whoever is ended in the middle leaves no word of what is not there any more.
                _note(bucket, newest, pruned.stretches, now)
        _remove_chosen(bucket, choice, pruned, lambda: monotonic() > ends, execute=execute)
    return pruned


def _end_uploads(bucket: OwnedBucket, until: datetime, *, execute: bool) -> int:
    old = [each for each in bucket.uploads() if each.begun < until - BROKEN_OFF]
    for each in old if execute else ():
        bucket.end_upload(each)
    return len(old)


def _remove_chosen(
    bucket: OwnedBucket, choice: Choice, pruned: Pruned, is_late: Callable[[], bool], *, execute: bool
) -> None:
    waiting: list[Version] = []
    for version in _going(bucket, choice):
        if pruned.versions >= MOST_REMOVED or is_late():
            pruned.stopped = f"stopped after {MOST_REMOVED} versions or {MOST_SECONDS / 60:.0f} minutes"
            break
        pruned.count(choice, version)
        waiting.append(version)
        if len(waiting) == MOST_AT_ONCE:
            _remove(bucket, waiting, execute=execute)
            waiting = []
    _remove(bucket, waiting, execute=execute)


def remaining(held: Holding, going: Sequence[str] = ()) -> tuple[Stretch, ...]:
    """Return the stretches of a database that stay, without some of its base backups."""
    bases = [each.facts for each in held.whole if each.label not in going]
    return stretches_of(bases, held.wal, None, held.covered_at)


def _going(bucket: OwnedBucket, choice: Choice) -> Iterator[Version]:
    """Yield what goes: documents of base backups, base backups, WAL, the rest; of one object, old versions first.

    A base backup whose document is there is looked for, so the document goes first; and the newest version last, so
    that no older one comes in its place.
    """
    system = choice.held.system
    some = (f"{system}/{BASE}/", f"{system}/{WAL}/", status_key(system), kept_key(system))
    for prefix in (f"{system}/",) if choice.whole else some:
        own: list[Version] = []
        for each in bucket.versions(prefix):
            if own and own[0].key != each.key:
                yield from _of_one(choice, own)
                own = []
            own.append(each)
        yield from _of_one(choice, own)


def _of_one(choice: Choice, versions: Sequence[Version]) -> Iterator[Version]:
    times: list[datetime | None] = [None, *(each.written for each in versions)]
    going = [each for each, replaced in zip(versions, times, strict=False) if choice.goes(each, replaced)]
    yield from reversed(going)


def _remove(bucket: OwnedBucket, versions: Sequence[Version], *, execute: bool) -> None:
    if execute:
        bucket.remove(versions)


def _note(bucket: OwnedBucket, held: Holding, stretches: tuple[Stretch, ...], now: datetime, problem: str = "") -> None:
    """Write down what stays, for those who may read: `shopsphere backups`, `ready` and the figures."""
    begun = [each.written for each in held.bases]
    pruned_at = None if problem else now
    with suppress(ArchiveError, ValueError):
        before = KeptRecord.of(bucket.facts(kept_key(held.system)))
        begun += [before.begun] if before.begun else []
        pruned_at = pruned_at or before.pruned_at
    record = KeptRecord(now, min(begun, default=now), stretches, problem, pruned_at)
    bucket.put_facts(kept_key(held.system), record.as_json())


def prune_all(buckets: Sequence[OwnedBucket], keeping: Keeping, now: datetime, *, execute: bool) -> Iterator[str]:
    """Prune one bucket after the other, and yield what there is to say; whatever one holds, it hides no other.

    Raises:
        ShopSphereError: a line of each that was refused or failed, after all others.
    """
    refused: list[str] = []
    for each in buckets:
        try:
            yield from prune(each, keeping, now, execute=execute).lines(execute=execute)
        except Exception as error:  # noqa: BLE001 - whatever a bucket holds, the others have theirs to remove
            refused.append(f"{each.name}: {told(error)}")
    if refused:
        raise ShopSphereError("\n".join(refused))
