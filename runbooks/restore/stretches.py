"""Between which times a database can be brought back: from a base backup on, as far as its WAL has no hole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from runbooks.restore.told import time_of
from runbooks.restore.wal_files import begins_listed, run_from
from shopsphere.estate.archive_names import Segment


@dataclass(frozen=True)
class Stretch:
    """Times without a hole, in one bucket: any time between its ends can be restored.

    Attributes:
        begins: when the base backup ended that it begins with.
        ends: until when all is there; before a hole, when the last file before it was sent.
        last: segment that it ends with.
        missing: segment after it that is not there; empty where nothing is missing.
        lost_by: since when the hole is there at the latest; None for no hole, or nothing behind it.
    """

    begins: datetime
    ends: datetime
    last: str
    missing: str = ""
    lost_by: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it in plain values."""
        return {
            "begins": self.begins.isoformat(),
            "ends": self.ends.isoformat(),
            "last": self.last,
            "missing": self.missing,
            "lost_by": self.lost_by.isoformat() if self.lost_by else None,
        }

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Stretch:
        """Return the stretch of a document.

        Raises:
            ValueError: it is none.
        """
        try:
            begins, ends = (time_of(told[each]) for each in ("begins", "ends"))
            lost = time_of(told["lost_by"]) if told.get("lost_by") else None
            return cls(begins, ends, str(told["last"]), str(told["missing"]), lost)
        except KeyError as error:
            raise ValueError(f"no {error}") from error

    @property
    def text(self) -> str:
        """Its ends, for people; a hole with its name."""
        hole = f", then {self.missing} is missing" if self.missing else ""
        return f"{moment(self.begins)} to {moment(self.ends)}{hole}"


@dataclass(frozen=True)
class KeptRecord:
    """What retention wrote down when it looked at all of one database in one bucket.

    Attributes:
        looked_at: when; None for never.
        begun: since when there are backups.
        stretches: between which times what it kept leads.
        problem: why it removed nothing; empty where everything fitted together.
        pruned_at: when everything did so last; None for never.
    """

    looked_at: datetime | None = None
    begun: datetime | None = None
    stretches: tuple[Stretch, ...] = ()
    problem: str = ""
    pruned_at: datetime | None = None

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> KeptRecord:
        """Return the record of a document.

        Raises:
            ValueError: it is none.
        """
        try:
            looked_at, begun = (time_of(told[each]) for each in ("looked_at", "begun"))
            stretches = tuple(Stretch.of(each) for each in told["stretches"])
            pruned_at = time_of(told["pruned_at"]) if told["pruned_at"] else None
        except (KeyError, TypeError) as error:
            raise ValueError(f"no record of retention: {error}") from error
        return cls(looked_at, begun, stretches, str(told.get("problem", "")), pruned_at)

    def as_json(self) -> dict[str, Any]:
        """Return it in plain values."""
        return {
            "looked_at": self.looked_at.isoformat() if self.looked_at else None,
            "begun": self.begun.isoformat() if self.begun else None,
            "stretches": [each.as_json() for each in self.stretches],
            "problem": self.problem,
            "pruned_at": self.pruned_at.isoformat() if self.pruned_at else None,
        }


def moment(when: datetime) -> str:
    """Return a time for people."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def stretches_of(
    bases: Iterable[Mapping[str, Any]],
    written: Mapping[str, datetime],
    newest: Segment | None,
    covered_at: datetime | None,
) -> tuple[Stretch, ...]:
    """Return the stretches of one database in one bucket, the oldest first.

    Where timelines began is told by the names alone, as the histories are encrypted.

    Args:
        bases: what is told of the base backups that are whole.
        written: when each WAL file was sent, by its name.
        newest: segment that the collector says it has sent last.
        covered_at: until when all is there, as the collector says.
    """
    found: list[Stretch] = []
    reached: Segment | None = None
    for base in sorted(bases, key=ended):
        first = Segment.of(str(base.get("first_segment", "")))
        if first is None or (reached and first.number <= reached.number) or is_left(first, written):
            continue
        run = run_from(written, first, begins_listed(written, first), newest)
        if run.end is None:
            if not run.missing:  # nothing came after it yet
                found.append(Stretch(ended(base), max(ended(base), covered_at or ended(base)), first.name))
            continue
        reached = run.end
        last = written[run.names[-1]]
        ends = last if run.missing or covered_at is None else covered_at
        behind = min((written[each] for each in run.after), default=None)
        missing = run.missing[0].name if run.missing else ""
        found.append(Stretch(ended(base), max(ends, ended(base)), run.end.name, missing, behind if missing else None))
    return tuple(found)


def grown(
    recorded: Sequence[Stretch],
    newest_base: Mapping[str, Any] | None,
    written: Mapping[str, datetime],
    newest: Segment | None,
    covered_at: datetime | None,
) -> tuple[Stretch, ...]:
    """Return the stretches as they are now, from what they were when somebody listed everything.

    Args:
        recorded: what they were.
        newest_base: what is told of the newest base backup.
        written: as of `stretches_of`, from the last recorded segment or that base backup's first one on.
        newest: as of `stretches_of`.
        covered_at: as of `stretches_of`.
    """
    before = list(recorded)
    last = Segment.of(before[-1].last) if before and not before[-1].missing else None
    if last is not None:
        run = run_from(written, last, begins_listed(written, last), newest)
        if not run.missing:
            ends = max(before[-1].begins, covered_at or before[-1].ends)
            before[-1] = replace(before[-1], ends=ends, last=(run.end or last).name)
            return tuple(before)
        behind = min((written[each] for each in run.after), default=None)
        ends = max([before[-1].ends, *(written[each] for each in run.names[-1:])])
        before[-1] = Stretch(before[-1].begins, ends, (run.end or last).name, run.missing[0].name, behind)
    first = Segment.of(str(newest_base.get("first_segment", ""))) if newest_base else None
    reached = Segment.of(before[-1].last) if before else None
    if newest_base is None or first is None or (reached and first.number <= reached.number):
        return tuple(before)
    return (*before, *stretches_of([newest_base], written, newest, covered_at))


def is_left(first: Segment, names: Iterable[str]) -> bool:
    """Whether a segment's timeline had ended before it, as a later one began earlier: nothing leads on from there."""
    later = (each for each in map(Segment.of, names) if each and each.timeline > first.timeline)
    return any(each.number < first.number for each in later)


def whole_time(stretches: Iterable[Stretch]) -> tuple[datetime, datetime] | None:
    """Return between which times any time can be restored up to the newest, from one bucket or another."""
    joined = list(_joined(stretches))
    return max(joined, key=lambda each: each[1], default=None)


def is_lost(to: datetime, stretches: Iterable[Stretch]) -> bool:
    """Whether a time can surely not be restored: before everything, or in a hole, of each bucket."""
    return not any(each.begins < to and (each.lost_by is None or to < each.lost_by) for each in stretches)


def ended(base: Mapping[str, Any]) -> datetime:
    """Return when a base backup ended: it leads to later times alone."""
    return time_of(base["ended"])


def _joined(stretches: Iterable[Stretch]) -> Iterator[tuple[datetime, datetime]]:
    begins: datetime | None = None
    ends = datetime.min.replace(tzinfo=UTC)
    for each in sorted(stretches, key=lambda each: each.begins):
        if begins is not None and each.begins > ends:
            yield begins, ends
            begins = None
        begins = begins or each.begins
        ends = max(ends, each.ends)
    if begins is not None:
        yield begins, ends
