"""What a restore needs from an archive: found and judged before anything is started."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from runbooks.restore.archives import bases_in, status_of, wal_of
from runbooks.restore.sealed import PieceError, fetch_opened
from runbooks.restore.stretches import ended
from runbooks.restore.told import Status
from runbooks.restore.wal_files import Run, begins_along, branches, position_of, run_from
from shopsphere.clients.archive import Bucket, Kept
from shopsphere.estate.archive_names import SEGMENT_BYTES, Segment, is_history

UNFOLDED = 8
"""A base backup that does not tell its own size is taken for this many times what gzip made of it."""


@dataclass(frozen=True)
class Wanted:
    """What an operator asks for.

    Attributes:
        to: the time; None for all that is there.
        site: whose bucket; empty for any.
        base: label of the base backup; empty for any.
        system: the database's identifier; empty for any.
    """

    to: datetime | None
    site: str = ""
    base: str = ""
    system: str = ""


@dataclass(frozen=True)
class Pieces:
    """A base backup and all WAL files that lead on from it.

    Attributes:
        bucket: where they are.
        system: the database's identifier.
        base: what there is to know about the base backup.
        wal: objects of WAL, by the file names that PostgreSQL asks for.
        run: how far they go.
        timeline: that they end on.
        lacking: what is there and cannot be reached, or should be there: an end before the time is then no end.
        age: how many base backups of this database in this bucket are newer.
        covered_at: until when everything is there, as the collector says; None for not known.
        position: where WAL ends as the collector says; empty where it is not known for this timeline.
    """

    bucket: Bucket
    system: str
    base: dict[str, Any]
    wal: dict[str, Kept]
    run: Run
    timeline: int
    lacking: tuple[str, ...] = ()
    age: int = 0
    covered_at: datetime | None = None
    position: str = field(default="")

    @property
    def bytes_needed(self) -> int:
        """Room that the restore may take (bytes): the base backup is there packed as a tar and unpacked for a moment.

        PostgreSQL copies each WAL file that it reads.
        """
        sealed = int(self.base["bytes"])
        plain = int(self.base.get("unpacked_bytes") or sealed * UNFOLDED)
        return sealed + 2 * plain + len(self.wal) * 2 * SEGMENT_BYTES

    @property
    def name(self) -> str:
        """How it is told apart from others."""
        return f"{self.bucket.name}, base backup {self.base['label']}"

    def covers(self, to: datetime | None) -> bool:
        """Whether the collector says that all until a time is there."""
        return to is not None and self.covered_at is not None and self.covered_at >= to and not self.lacking


def find_pieces(bucket: Bucket, to: datetime | None, identity: Path) -> Pieces:
    """Return what is best to go to a time, from one bucket.

    Raises:
        PieceError: no base backup ended before the time, or WAL that is needed is missing; it is named.
        ArchiveError: the archive does not answer.
    """
    found, problems = find_all(bucket, Wanted(to), identity)
    if not found:
        raise PieceError("; ".join(problems))
    return in_order(found, to)[0]


def find_all(bucket: Bucket, wanted: Wanted, identity: Path) -> tuple[list[Pieces], list[str]]:
    """Return every base backup that may lead to a time with its WAL, and what keeps others from it.

    Raises:
        ArchiveError: the archive does not answer.
    """
    found: list[Pieces] = []
    problems: list[str] = []
    unread: list[str] = []
    for system in [each for each in bucket.systems() if wanted.system in {"", each}]:
        every, wrong = bases_in(bucket, system)
        unread += [f"{bucket.name}: {each}" for each in wrong]
        bases = [each for each in every if wanted.to is None or ended(each) < wanted.to]
        chosen = [each for each in enumerate(reversed(bases)) if wanted.base in {"", each[1]["label"]}]
        if not chosen:
            continue
        files, status = wal_of(bucket, system), status_of(bucket, system)
        first = min(int(base["timeline"]) for _, base in chosen)
        histories = _histories(bucket, files, first, identity, problems.append)
        for age, base in chosen:
            pieces = _pieces(bucket, system, base, age, files, histories, status)
            if problem := _problem(pieces, files, wanted.to):
                problems.append(problem)
            else:
                found.append(pieces)
    if not found and not problems:
        when = f"that ended before {wanted.to}" if wanted.to else "at all"
        named = f" named {wanted.base}" if wanted.base else ""
        problems.append(f"{bucket.name}: no base backup{named} {when}")
    return found, [*problems, *unread]


def in_order(found: Iterable[Pieces], to: datetime | None) -> list[Pieces]:
    """Return the best first.

    First what has no hole, then what its collector says to reach the time, then the newest database of the name. Where
    nobody says that the time is reached, the one whose WAL goes furthest. The newer the base backup, the less WAL.
    """
    every = list(found)
    newest: dict[str, str] = {}
    for each in every:
        newest[each.system] = max(newest.get(each.system, ""), str(each.base["ended"]))

    def rank(each: Pieces) -> tuple[Any, ...]:
        end = each.run.end
        furthest = (0, 0, 0) if each.covers(to) or end is None else (end.timeline, end.number, _bytes(each.position))
        return (
            not each.lacking, each.covers(to), newest[each.system], -each.age, furthest, str(each.base["ended"])
        )  # fmt: skip

    return sorted(every, key=rank, reverse=True)


def end_of_base(base: Mapping[str, Any]) -> Segment:
    """Return the segment in which the WAL of a base backup ends.

    Raises:
        PieceError: it does not say.
    """
    found = Segment.of(str(base.get("first_segment", "")))
    if found is None:
        raise PieceError(f"base backup {base.get('label')} does not say where its WAL ends")
    return found


def follow(
    names: Sequence[str], base: Mapping[str, Any], histories: Mapping[int, Mapping[int, str]], newest: Segment | None
) -> tuple[int, Run, tuple[str, ...]]:
    """Return the timeline that a base backup leads to, its WAL files, and what is lacking to go on.

    Args:
        names: of all WAL files that are there.
        base: what is told of the base backup.
        histories: of each timeline, where the earlier ones ended.
        newest: what the collector says it has sent last.
    """
    first = end_of_base(base)
    timelines = {each.timeline for each in map(Segment.of, names) if each and each.timeline > first.timeline}
    lacking: list[str] = []
    timeline = first.timeline
    for each in sorted(timelines, reverse=True):
        if each not in histories:
            lacking.append(f"{each:08X}.history")
        elif position_of(histories[each].get(first.timeline, "0/0")) < position_of(str(base["end"])):
            lacking.append(f"a way from timeline {first.timeline} to {each}, which began before the base backup ended")
        else:
            timeline = each
            break
    begins = begins_along(timeline, histories.get(timeline, {}), first)
    run = run_from(names, first, begins, newest)
    return timeline, run, (*(each.name for each in run.missing), *lacking)


def _pieces(
    bucket: Bucket,
    system: str,
    base: dict[str, Any],
    age: int,
    files: dict[str, Kept],
    histories: Mapping[int, Mapping[int, str]],
    status: Status,
) -> Pieces:
    timeline, run, lacking = follow(list(files), base, histories, status.newest)
    earlier = {timeline, *histories.get(timeline, {})}
    wal = {name: kept for name, kept in files.items() if is_history(name) and int(name[:8], 16) in earlier}
    wal |= {found.name: files[name] for name in run.names if (found := Segment.of(name))}
    return Pieces(
        bucket,
        system,
        base,
        wal,
        run,
        timeline,
        lacking,
        age,
        status.covered_at,
        status.position if status.timeline == timeline else "",
    )


def _problem(pieces: Pieces, files: Mapping[str, Kept], to: datetime | None) -> str:
    """Return what certainly keeps pieces from a time: a hole before something that was sent before the time."""
    missing = [each.name for each in pieces.run.missing]
    if not missing:
        return ""
    behind = [files[name].written for name in pieces.run.after]
    if pieces.run.names and not (to and any(each <= to for each in behind)):
        return ""
    more = f" and {pieces.run.lost - 5} more" if pieces.run.lost > 5 else ""  # noqa: PLR2004
    return f"{pieces.name}: WAL is missing: {', '.join(missing[:5])}{more}"


def _histories(
    bucket: Bucket, files: Mapping[str, Kept], first: int, identity: Path, say: Callable[[str], None]
) -> dict[int, dict[int, str]]:
    """Fetch the histories of the timelines after a base backup's."""
    found: dict[int, dict[int, str]] = {}
    with tempfile.TemporaryDirectory() as place:
        for name, kept in files.items():
            if is_history(name) and int(name[:8], 16) > first:
                plain = Path(place) / name
                try:
                    fetch_opened(bucket, kept.key, plain, identity)
                except PieceError as error:
                    say(str(error))
                else:
                    found[int(name[:8], 16)] = branches(plain.read_text(errors="replace"))
    return found


def _bytes(position: str) -> int:
    return position_of(position) if position else 0
