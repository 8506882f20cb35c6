"""What documents of an archive tell, read once: whoever holds a site's account can write anything into them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shopsphere.estate.archive_names import Segment

UNUSABLE = (KeyError, TypeError, ValueError, OverflowError)
"""What reading a value that is none raises."""
YEARS = range(2000, 9000)
"""Of times that can be reckoned with."""
_POSITION = re.compile(r"[0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8}")


def time_of(value: object) -> datetime:
    """Return the time of a text or of a number of seconds since 1970, in UTC.

    Raises:
        ValueError: it is none, names no zone, or is one that nothing can be reckoned from.
    """
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value)
            if found.tzinfo is None:
                raise ValueError(f"{value} names no zone")
            found = found.astimezone(UTC)
        else:
            found = datetime.fromtimestamp(float(value), UTC)  # type: ignore[arg-type]
    except (TypeError, OverflowError, OSError) as error:
        raise ValueError(f"{value!r:.40} is no time") from error
    if found.year not in YEARS:
        raise ValueError(f"{value!r:.40} is no time of these centuries")
    return found


def position_in(value: object) -> str:
    """Return a position in WAL as PostgreSQL writes it (`16/B374D848`).

    Raises:
        ValueError: it is none.
    """
    if not isinstance(value, str) or not _POSITION.fullmatch(value):
        raise ValueError(f"{value!r:.40} is no position")
    return value


def _segment_in(value: object) -> Segment:
    found = Segment.of(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"{value!r:.40} is no segment")
    return found


def _number_in(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{value!r:.40} is no number")
    return value


NEEDED: Mapping[str, Callable[[object], object]] = {
    "started": time_of,
    "ended": time_of,
    "timeline": _number_in,
    "first_segment": _segment_in,
    "end": position_in,
    "bytes": _number_in,
}
"""What every base backup says of itself."""
OPTIONAL: Mapping[str, Callable[[object], object]] = {
    "start": position_in, "unpacked_bytes": lambda value: value is None or _number_in(value), "sha256": str
}  # fmt: skip
"""What it may say, and then in this form."""


def what_is_wrong(facts: Mapping[str, Any], label: str) -> str:
    """Return what keeps a base backup's document from being used; empty for nothing.

    Args:
        facts: what is told.
        label: of the base backup, by its object's name.
    """
    if facts.get("label") != label:
        return f"label: {facts.get('label')!r:.40} and not {label}"
    for name, reading in {**NEEDED, **OPTIONAL}.items():
        if name not in facts:
            if name in NEEDED:
                return f"{name}: not told"
            continue
        try:
            reading(facts[name])
        except UNUSABLE as error:
            return f"{name}: {error}"
    return ""


@dataclass(frozen=True)
class Status:
    """What a collector said of itself last; what cannot be read counts as not said.

    Attributes:
        covered_at: until when all that the database wrote is there, by the collector's clock.
        newest: segment that it has sent last.
        timeline: that the database was on; 0 for not said.
        position: up to which its WAL is there.
        role: whether the database led or followed.
        gap: that is open; empty for none.
    """

    covered_at: datetime | None = None
    newest: Segment | None = None
    timeline: int = 0
    position: str = ""
    role: str = ""
    gap: str = ""

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Status:
        """Return what a document says."""
        covered, newest, timeline, position = None, None, 0, ""
        if told.get("covered_at"):
            with suppress(*UNUSABLE):
                covered = time_of(told["covered_at"])
        with suppress(*UNUSABLE):
            newest = _segment_in(told["newest"])
        with suppress(*UNUSABLE):
            timeline = _number_in(told["timeline"])
        with suppress(*UNUSABLE):
            position = position_in(told["position"])
        gap = str(told.get("base_wanted") or "a gap, as the collector says") if told.get("open_gap") else ""
        return cls(covered, newest, timeline, position, str(told.get("role", "")), gap)
