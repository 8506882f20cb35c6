"""An archive's bucket in memory, with versions as the gateway keeps them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from shopsphere.clients.archive import ArchiveAccess, ArchiveError, Kept, document_in
from shopsphere.clients.owned_archive import OwnedBucket, Upload, Version
from shopsphere.estate.archive_names import Segment, base_facts_key, base_key, status_key, wal_key

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
SYSTEM = "7001"


def ago(days: float) -> datetime:
    """Return the time so many days before NOW."""
    return NOW - timedelta(days=days)


class VersionedBucket(OwnedBucket):
    """Keeps versions; `breaks_after` removals it ends as a killed process would."""

    def __init__(self, name: str = "commerce-frankfurt") -> None:
        super().__init__(ArchiveAccess("https://none", "none", "none", None), name)
        self.held: list[Version] = []
        self.contents: dict[tuple[str, str], bytes] = {}
        self.now = NOW
        self.breaks_after: int | None = None
        self.removed: list[str] = []
        self.on_their_way: list[Upload] = []

    def put(self, key: str, content: bytes | int, written: datetime | None = None) -> None:
        """Keep a version of an object: its bytes, or only their number."""
        size = content if isinstance(content, int) else len(content)
        self.held = [replace(each, is_newest=False) if each.key == key else each for each in self.held]
        made = Version(key, f"v{len(self.held)}-{len(self.contents)}", size, written or self.now)
        self.held.append(made)
        self.contents[made.key, made.version] = b"" if isinstance(content, int) else content

    def versions(self, prefix: str) -> Iterator[Version]:
        """Yield them as the gateway does."""
        own = [each for each in self.held if each.key.startswith(prefix)]
        return iter(sorted(own, key=lambda each: (each.key, not each.is_newest, -each.written.timestamp())))

    def listed(self, prefix: str, after: str = "") -> Iterator[Kept]:
        """Yield what a reader sees."""
        for each in self.versions(prefix):
            if each.is_newest and not each.is_mark and each.key > after:
                yield Kept(each.key, each.size, each.written)

    def systems(self) -> list[str]:
        """Return the identifiers of databases."""
        return sorted({each.key.partition("/")[0] for each in self.held if each.is_newest})

    def facts(self, key: str) -> dict[str, Any]:
        """Return the newest version of a document."""
        for each in self.held:
            if each.key == key and each.is_newest:
                return self.facts_of(each)
        raise ArchiveError(f"no {key}")

    def facts_of(self, version: Version) -> dict[str, Any]:
        """Return one version of a document."""
        try:
            return document_in(self.contents[version.key, version.version])
        except ValueError as error:
            raise ArchiveError(version.key) from error

    def remove(self, versions: Sequence[Version]) -> None:
        """Remove versions; the next older one becomes the newest."""
        for each in versions:
            if self.breaks_after is not None and len(self.removed) >= self.breaks_after:
                raise KeyboardInterrupt
            self.held = [other for other in self.held if (other.key, other.version) != (each.key, each.version)]
            self.removed.append(each.key)
            left = [other for other in self.held if other.key == each.key]
            if left and not any(other.is_newest for other in left):
                self.held[self.held.index(left[-1])] = replace(left[-1], is_newest=True)

    def uploads(self) -> list[Upload]:
        """Return what is on its way."""
        return list(self.on_their_way)

    def end_upload(self, upload: Upload) -> None:
        """Forget it."""
        self.on_their_way.remove(upload)

    def put_facts(self, key: str, facts: Mapping[str, Any]) -> None:
        """Write a document."""
        self.put(key, json.dumps(facts).encode())

    def fetch(self, key: str, target: Path) -> None:
        """Write an object into a file."""
        target.write_bytes(next(self.contents[each.key, each.version] for each in self.held if each.key == key))

    def base(
        self, days: float, number: int, *, timeline: int = 1, system: str = SYSTEM, whole: bool = True, start: int = 0
    ) -> str:
        """Keep a base backup of so many days ago whose WAL ends in a segment; return its label."""
        written = ago(days)
        label = f"{written:%Y%m%dT%H%M%SZ}"
        facts = {
            "label": label, "timeline": timeline, "started": ago(days + 0.01).isoformat(), "ended": written.isoformat(),
            "start": f"0/{start or number:X}000028", "end": f"0/{number:X}000100",
            "first_segment": Segment(timeline, number).name, "bytes": 1000, "sha256": "x",
        }  # fmt: skip
        self.put(base_key(system, label), 1000 if whole else 999, written)
        self.put(base_facts_key(system, label), json.dumps(facts).encode(), written)
        return label

    def status(self, covered_at: datetime = NOW, written: datetime | None = None) -> None:
        """Keep what a collector says of itself."""
        told = {"covered_at": covered_at.timestamp(), "newest": ""}
        self.put(status_key(SYSTEM), json.dumps(told).encode(), written)

    def wal(self, numbers: Mapping[int, float] | range, *, timeline: int = 1, system: str = SYSTEM) -> None:
        """Keep segments, each of so many days ago; of a range, one a day up to now."""
        ages = numbers if isinstance(numbers, Mapping) else {each: numbers.stop - 1 - each for each in numbers}
        for number, days in ages.items():
            self.put(wal_key(system, Segment(timeline, number).name), 100, ago(days))

    def labels(self, system: str = SYSTEM) -> list[str]:
        """Return the labels of base backups that a reader sees whole or in part."""
        keys = {each.key for each in self.held if each.key.startswith(f"{system}/base/")}
        return sorted({key.rpartition("/")[2].partition(".")[0] for key in keys})

    def names(self, system: str = SYSTEM) -> list[str]:
        """Return the names of WAL files."""
        return sorted({each.key.rpartition("/")[2][:-7] for each in self.held if each.key.startswith(f"{system}/wal/")})
