"""Names of WAL files and of what is kept in a bucket: the reader's side.

The collector has the same table in app/archive/names.py, because its image holds app/ alone; a test compares the two.

Everything of one database lies below its system identifier, which PostgreSQL makes at `initdb`: two databases that
had one name after each other are never mixed.

    <system>/wal/<file>.gz.age                 a whole segment, or the history of a timeline
    <system>/wal/<file>.partial.gz.age         what there is of the newest segment
    <system>/base/<time>.tar.gz.age            a base backup, with the WAL that it needs to be consistent
    <system>/base/<time>.json                  what there is to know about it; written last, so that it is whole
    <system>/status.json                       until when everything is here
    <system>/kept.json                         what the archive's owner keeps: between which times nothing is missing
"""

from __future__ import annotations

import re
from dataclasses import dataclass

SEGMENT_BYTES = 16 * 1024 * 1024
"""CloudNativePG's and PostgreSQL's default size of a segment."""
SEGMENTS_PER_FILE_ID = 0x100000000 // SEGMENT_BYTES
SEALED = ".gz.age"
PARTIAL = ".partial"
_SEGMENT = re.compile(r"^([0-9A-F]{8})([0-9A-F]{8})(000000[0-9A-F]{2})$")
_HISTORY = re.compile(r"^[0-9A-F]{8}\.history$")


@dataclass(frozen=True, order=True)
class Segment:
    """A WAL segment, in the order in which segments come about.

    Attributes:
        timeline: it grows with each promotion.
        number: position in the log, in segments.
    """

    timeline: int
    number: int

    @classmethod
    def of(cls, name: str) -> Segment | None:
        """Return the segment that a file is named after; None for other files."""
        found = _SEGMENT.match(name.removesuffix(PARTIAL))
        if not found:
            return None
        timeline, log, part = (int(each, 16) for each in found.groups())
        return cls(timeline, log * SEGMENTS_PER_FILE_ID + part)

    @classmethod
    def at(cls, timeline: int, position: str) -> Segment:
        """Return the segment that holds a position as PostgreSQL writes it (`16/B374D848`)."""
        high, _, low = position.partition("/")
        return cls(timeline, int(high, 16) * SEGMENTS_PER_FILE_ID + int(low, 16) // SEGMENT_BYTES)

    @property
    def name(self) -> str:
        """Its file's name."""
        log, part = divmod(self.number, SEGMENTS_PER_FILE_ID)
        return f"{self.timeline:08X}{log:08X}{part:08X}"


def is_history(name: str) -> bool:
    """Whether a file tells where timelines branched off."""
    return bool(_HISTORY.match(name))


def wal_key(system: str, name: str) -> str:
    """Return the key of a WAL file, whole or partial."""
    return f"{system}/wal/{name}{SEALED}"


def base_key(system: str, label: str) -> str:
    """Return the key of a base backup."""
    return f"{system}/base/{label}.tar{SEALED}"


def base_facts_key(system: str, label: str) -> str:
    """Return the key of what there is to know about a base backup."""
    return f"{system}/base/{label}.json"


def status_key(system: str) -> str:
    """Return the key of what the collector says about itself."""
    return f"{system}/status.json"


def kept_key(system: str) -> str:
    """Return the key of what retention says about what it keeps; the archive's owner writes it, on its host."""
    return f"{system}/kept.json"
