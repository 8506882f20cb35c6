"""Which WAL files lead on from a base backup, along the timelines that followed each other."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate

from shopsphere.estate.archive_names import PARTIAL, SEGMENT_BYTES, SEGMENTS_PER_FILE_ID, Segment

PAGE_BYTES = 8192
LONGEST_RECORD = 2**20
"""A record of WAL may begin this far before the end of what is there and end behind it (bytes)."""
MOST_NAMED = 100
"""So many missing segments are named: a name far away in the log would make them more than any memory holds."""
_BRANCH = re.compile(r"^\s*(\d+)\s+([0-9A-F]+/[0-9A-F]+)", re.MULTILINE)


@dataclass(frozen=True)
class Run:
    """The WAL files that follow each other from a base backup on.

    Attributes:
        names: of the files that are there, up to the end or to the first hole.
        end: the newest segment of them; None for no file.
        is_partial: whether that one is not whole.
        missing: segments that should be there and are not, the oldest first; the first MOST_NAMED of them.
        after: names of what is there behind the first hole.
        lost: how many segments are missing.
    """

    names: tuple[str, ...]
    end: Segment | None
    is_partial: bool
    missing: tuple[Segment, ...]
    after: tuple[str, ...]
    lost: int = 0


def branches(history: str) -> dict[int, str]:
    """Return where each earlier timeline ended, from the text of a timeline's history file."""
    return {int(timeline): position for timeline, position in _BRANCH.findall(history)}


def begins_along(timeline: int, ends: Mapping[int, str], first: Segment) -> dict[int, int]:
    """Return the number of the segment that each timeline begins in, from that of a base backup to a later one.

    Args:
        timeline: the later one.
        ends: what `branches` tells of it.
        first: where WAL of the base backup ends.
    """
    begins = {first.timeline: first.number}
    if timeline == first.timeline:
        return begins
    chain = [each for each in sorted(ends) if each >= first.timeline]
    for own, following in zip(chain, [*chain[1:], timeline], strict=True):
        begins[following] = Segment.at(own, ends[own]).number
    return begins


def begins_listed(names: Iterable[str], first: Segment) -> dict[int, int]:
    """Return the same as far as a list of names tells it: a timeline begins with the oldest file that it has."""
    begins = {first.timeline: first.number}
    for each in filter(None, map(Segment.of, names)):
        if each.timeline > first.timeline:
            begins[each.timeline] = min(each.number, begins.get(each.timeline, each.number))
    return begins


def run_from(names: Iterable[str], first: Segment, begins: Mapping[int, int], newest: Segment | None = None) -> Run:
    """Return what leads on from a segment.

    Each segment counts on the newest timeline that has begun by then, as PostgreSQL takes it. One that is not whole
    counts only as the newest of all: anywhere else it stands for one that was lost.

    Args:
        names: of the files that are there, `.partial` ones with that ending.
        first: the segment that has to be there first.
        begins: which segment each timeline begins in.
        newest: what the collector says it has sent last.
    """
    order = sorted(begins, key=lambda each: begins[each])
    numbers, highest = [begins[each] for each in order], list(accumulate(order, max))

    def owner(number: int) -> int:
        begun = bisect_right(numbers, number)
        return highest[begun - 1] if begun else first.timeline

    def counts(each: Segment) -> bool:
        return each.number >= first.number and owner(each.number) == each.timeline

    whole: dict[int, str] = {}
    partial: dict[int, str] = {}
    for name in names:
        found = Segment.of(name)
        if found and counts(found):
            (partial if name.endswith(PARTIAL) else whole)[found.number] = name
    known = {newest.number} if newest and counts(newest) else set()
    last = max({*whole, *partial, *known}, default=first.number - 1)
    there = dict(whole)
    if last not in there and last in partial:
        there[last] = partial[last]
    listed = sorted(there)
    missing: list[int] = []
    lost, following = 0, first.number
    for number in (*listed, last + 1):
        lost += number - following
        missing += range(following, min(number, following + MOST_NAMED - len(missing)))
        following = number + 1
    stop = missing[0] if missing else last + 1
    end = stop - 1 if stop > first.number else None
    return Run(
        tuple(there[number] for number in listed if number < stop),
        None if end is None else Segment(owner(end), end),
        end is not None and there[end].endswith(PARTIAL),
        tuple(Segment(owner(number), number) for number in missing),
        tuple(there[number] for number in listed if number > stop),
        lost,
    )


def position_of(text: str) -> int:
    """Return a position as PostgreSQL writes it (`16/B374D848`) in bytes."""
    high, _, low = text.partition("/")
    return int(high, 16) * SEGMENTS_PER_FILE_ID * SEGMENT_BYTES + int(low, 16)


def is_short(replayed: str, end: Segment | None, told: str, *, is_partial: bool) -> bool:
    """Whether a recovery ended before what is there does.

    The last record of a whole segment may end in the next one, and a position at a page's end may be inside a record:
    only there the bound is looser.

    Args:
        replayed: where it ended.
        end: the newest segment that it was given.
        told: where the collector says that its WAL ends, on the same timeline; empty for not known.
        is_partial: whether the newest segment is not whole.
    """
    reached = position_of(replayed) if replayed else 0
    wanted = 0
    if end:
        wanted = (end.number + (0 if is_partial else 1)) * SEGMENT_BYTES - LONGEST_RECORD
    if told:
        position = position_of(told)
        wanted = max(wanted, position if position % PAGE_BYTES else position - LONGEST_RECORD)
    return reached < wanted
