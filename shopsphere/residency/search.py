"""Looking for needles in a stream of any length, in bounded memory: windows that overlap by the longest needle."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ahocorasick_rs import BytesAhoCorasick, Implementation

from shopsphere.residency.containers import BEGINNINGS, Container, ContainerError
from shopsphere.residency.forms import Needle

DEEPEST = 3
"""Containers within containers."""
OPEN_AT_ONCE = 32
"""Containers within one stream."""
INFLATED = 1 << 28
"""Bytes that may come out of all containers of one stream."""
POSITIONS_KEPT = 3
"""Of each token and form."""
_GROUPED_BY = 8
_BROKEN_OFF = re.compile(rb"(?:=\r?|\r|=?\r?\n)\Z")
_LONGEST_BREAK = len(b"=\r\n")


@dataclass
class Found:
    """What a stream held.

    Attributes:
        counts: how often, by token and form.
        positions: the first ones (byte of the stream, and the way into containers), by token and form.
        octets: bytes that were looked at, without what came out of containers.
        opened: containers that were opened.
        left_shut: containers that could not be opened to their end, because one of the bounds above was reached.
    """

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    positions: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    octets: int = 0
    opened: int = 0
    left_shut: int = 0

    def add(self, other: Found, *, within: str = "") -> None:
        """Take in what another stream held; `within` says where that stream is."""
        for key, count in other.counts.items():
            self.counts[key] += count
            self._note(key, other.positions[key], within)
        self.opened += other.opened
        self.left_shut += other.left_shut
        if not within:
            self.octets += other.octets

    def take_larger(self, other: Found, *, within: str) -> None:
        """Take in another view of the same stream: what both show is there once."""
        for key, count in other.counts.items():
            if count > self.counts[key]:
                self._note(key, other.positions[key], within)
                self.counts[key] = count

    def note(self, key: tuple[str, str], position: str) -> None:
        """Count one."""
        self.counts[key] += 1
        self._note(key, [position], "")

    def _note(self, key: tuple[str, str], positions: Sequence[str], within: str) -> None:
        kept = self.positions.setdefault(key, [])
        kept += [f"{within}{each}" for each in positions][: POSITIONS_KEPT - len(kept)]


class Anchored:
    """Needles by how they begin, so that one look serves all that begin in the same way."""

    def __init__(self, needles: Iterable[Needle]) -> None:
        self.needles = tuple(needles)
        groups: defaultdict[tuple[bool, bytes], list[Needle]] = defaultdict(list)
        for each in self.needles:
            groups[each.folded, each.octets[:_GROUPED_BY]].append(each)
        self.longest = max((len(each.octets) for each in self.needles), default=1)
        self._exact, self._folded = (
            _Beginnings([each for (is_folded, _), each in groups.items() if is_folded is folded])
            for folded in (False, True)
        )

    def broken(self) -> Anchored:
        """Return those that programs break over lines."""
        return Anchored(each for each in self.needles if each.breakable)

    def matches(self, window: bytes, known: int) -> Iterator[tuple[int, Needle]]:
        """Yield where each needle is that does not end within the first `known` bytes."""
        if not window.strip(b"\0"):
            return  # write-ahead logs and data files are zeros for the most part
        for beginnings, view in ((self._exact, window), (self._folded, window.lower())):
            for at, group in beginnings.places(view):
                for each in group:
                    if at + len(each.octets) > known and view.startswith(each.octets, at):
                        yield at, each


class _Beginnings:
    """Groups of needles, each by what all of its needles begin with: all are looked for in one pass."""

    def __init__(self, groups: Sequence[Sequence[Needle]]) -> None:
        self._groups = groups
        texts = [_common_beginning([each.octets for each in group]) for group in groups]
        self._automaton = BytesAhoCorasick(texts, implementation=Implementation.DFA)

    def places(self, octets: bytes) -> Iterator[tuple[int, Sequence[Needle]]]:
        """Yield where a group's needles may begin."""
        for group, at, _ in self._automaton.find_matches_as_indexes(octets, overlapping=True):
            yield at, self._groups[group]


def _common_beginning(all_octets: Sequence[bytes]) -> bytes:
    """Return the bytes with which all begin."""
    least, most = min(all_octets), max(all_octets)
    length = next((at for at, byte in enumerate(least) if byte != most[at]), len(least))
    return least[:length]


class Search:
    """One stream; `feed` it, then `finish`.

    Args:
        anchored: what is looked for.
        depth: of the container that the stream comes out of; 0 for none.
    """

    def __init__(self, anchored: Anchored, *, depth: int = 0) -> None:
        self._anchored, self._depth = anchored, depth
        self._carry, self._offset = b"", 0
        self._found = Found()
        self._open: list[_Opened] = []
        self._unbroken = _Unbroken(anchored.broken())
        self._inflated = 0

    def feed(self, octets: bytes) -> None:
        """Look at the next bytes."""
        if not octets:
            return
        for each in self._open:
            self._inflated += each.feed(octets, INFLATED - self._inflated)
        window, known = self._carry + octets, len(self._carry)
        start = self._offset - known
        for at, needle in self._anchored.matches(window, known):
            self._found.note((needle.token, needle.form), str(start + at))
        if self._depth < DEEPEST:
            self._look_for_containers(window, known, start)
        self._unbroken.feed(octets)
        self._close_ended()
        self._offset += len(octets)
        self._carry = window[-max(self._anchored.longest - 1, 4) :]

    def finish(self) -> Found:
        """Return what the stream held."""
        for each in self._open:
            each.end()
        self._close_ended()
        self._found.take_larger(self._unbroken.finish(), within="across lines, near ")
        self._found.octets = self._offset
        return self._found

    def _look_for_containers(self, window: bytes, known: int, start: int) -> None:
        for kind, beginning, opener in BEGINNINGS:
            at = window.find(beginning)
            while at >= 0:
                if at + len(beginning) > known:
                    opened = _Opened(f"{kind} at {start + at}, ", opener(), self._anchored, self._depth + 1)
                    if len(self._open) < OPEN_AT_ONCE:
                        self._inflated += opened.feed(window[at:], INFLATED - self._inflated)
                        if not opened.ended:
                            self._open.append(opened)
                        else:
                            self._take(opened)
                    else:
                        self._found.left_shut += 1
                at = window.find(beginning, at + 1)

    def _close_ended(self) -> None:
        for each in [each for each in self._open if each.ended]:
            self._open.remove(each)
            self._take(each)

    def _take(self, opened: _Opened) -> None:
        if found := opened.found():
            self._found.add(found, within=opened.where)
            self._found.opened += 1
        self._found.left_shut += opened.cut


class _Opened:
    """A container on its way through a stream; what is no container ends at its first error, without a trace."""

    def __init__(self, where: str, container: Container, anchored: Anchored, depth: int) -> None:
        self.where, self.ended, self.cut = where, False, False
        self._container, self._anchored, self._depth = container, anchored, depth
        self._search: Search | None = None

    def feed(self, octets: bytes, allowed: int) -> int:
        """Look at what comes out of the next bytes, at most `allowed`; return how many that were."""
        came = 0
        try:
            for piece in self._container.feed(octets):
                if came + len(piece) > allowed:
                    self.cut = self.ended = True
                    return came
                came += len(piece)
                if self._search is None:
                    self._search = Search(self._anchored, depth=self._depth)
                self._search.feed(piece)
        except ContainerError:
            self.ended = True
        self.ended = self.ended or self._container.ended
        return came

    def end(self) -> None:
        """The stream is over."""
        self.ended = True

    def found(self) -> Found | None:
        """Return what it held; None where nothing ever came out."""
        return self._search.finish() if self._search else None


class _Unbroken:
    """The same stream without line breaks, for forms that mail and dumps break over lines."""

    def __init__(self, anchored: Anchored) -> None:
        self._anchored, self._rest = anchored, b""
        self._carry, self._offset = b"", 0
        self._found = Found()

    def feed(self, octets: bytes) -> None:
        """Look at the next bytes."""
        text = self._rest + octets
        end = _BROKEN_OFF.search(text, max(0, len(text) - _LONGEST_BREAK))
        text, self._rest = (text[: end.start()], text[end.start() :]) if end else (text, b"")
        self._look(_without_breaks(text))

    def finish(self) -> Found:
        """Return what was there."""
        self._look(_without_breaks(self._rest))
        return self._found

    def _look(self, text: bytes) -> None:
        window, known = self._carry + text, len(self._carry)
        for at, needle in self._anchored.matches(window, known):
            self._found.note((needle.token, needle.form), str(self._offset - known + at))
        self._offset += len(text)
        self._carry = window[-(self._anchored.longest - 1) :] if self._anchored.longest > 1 else b""


def _without_breaks(text: bytes) -> bytes:
    """Return it without its ends of lines, the `=` before one and the blank after one: a pattern is slow."""
    if b"\n" not in text:
        return text
    first, *others = text.split(b"\n")
    lines = [first, *(line[1:] if line[:1] in {b" ", b"\t"} else line for line in others)]
    ended = (line.removesuffix(b"\r").removesuffix(b"=") for line in lines[:-1])
    return b"".join((*ended, lines[-1]))
