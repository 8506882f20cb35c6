"""What may be counted of a ledger: at least what was acknowledged, at most what was sent and not refused, each once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from stream_ledger import MARKER, Entry, Fate

from app.insight.counting import DAY_MS, LOOKS
from app.insight.rows import session_of

CLOCKS_MS = 1_000
"""How far a collector's clock may be from that of the player: in the lab it is the same one."""


@dataclass
class LookBounds:
    """When a session's last look at a product may be (ms since 1970).

    Attributes:
        least: of those that were acknowledged; -1 for none.
        most: of all.
    """

    least: int = -1
    most: int = -1


@dataclass
class Bounds:
    """What may be counted.

    Attributes:
        least: of each number, by its name (stream_counts).
        most: the same.
        looks: by session and product.
        sessions: of all tabs.
        marks: sessions of acknowledged marks.
        batches: by what is known of them.
        events: the same.
        again: tries beyond the first of a batch, and those of which nobody knows.
        gaps: tabs whose acknowledged batches have no number in between, or one twice.
    """

    least: Counter[str] = field(default_factory=Counter)
    most: Counter[str] = field(default_factory=Counter)
    looks: defaultdict[tuple[int, str], LookBounds] = field(default_factory=lambda: defaultdict(LookBounds))
    sessions: set[int] = field(default_factory=set)
    marks: set[int] = field(default_factory=set)
    batches: Counter[Fate] = field(default_factory=Counter)
    events: Counter[Fate] = field(default_factory=Counter)
    again: int = 0
    gaps: list[str] = field(default_factory=list)


def names_of(kind: str, name: str, category_of: Mapping[str, str]) -> list[str]:
    """Return the names of all numbers in which an event is counted."""
    is_of_product = kind in {"view", "add", "remove"}
    category = category_of.get(name, "") if is_of_product else name
    found = [f"kind/{kind}", f"shelf/{category}/{kind}"]
    return [*found, f"product/{name}/{kind}"] if is_of_product and name in category_of else found


def bounds_of(entries: Iterable[Entry], category_of: Mapping[str, str]) -> Bounds:
    """Return the bounds of a ledger.

    Args:
        entries: its batches.
        category_of: category of each product that the database knows.
    """
    found = Bounds()
    numbers: defaultdict[str, list[int]] = defaultdict(list)
    for entry in entries:
        found.batches[entry.fate] += 1
        found.events[entry.fate] += len(entry.events)
        found.again += sum(entry.answers.values()) - 1
        if entry.fate is Fate.ACKNOWLEDGED:
            numbers[entry.tab].append(entry.number)
        if entry.fate is not Fate.REFUSED:
            _add(found, entry, category_of)
    found.gaps = [tab for tab, own in numbers.items() if sorted(own) != list(range(len(own)))]
    return found


def _add(found: Bounds, entry: Entry, category_of: Mapping[str, str]) -> None:
    is_certain = entry.fate is Fate.ACKNOWLEDGED
    sides = (found.least, found.most) if is_certain else (found.most,)
    for side in sides:
        side["balance/counted/batches"] += 1
        side["balance/counted/events"] += len(entry.events)
    for kind, name, at in entry.events:
        for number in names_of(kind, name, category_of):
            for side in sides:
                side[number] += 1
        if kind in LOOKS and name in category_of:
            _look(found, entry, name, at, is_certain=is_certain)


def _look(found: Bounds, entry: Entry, product: str, at: int, *, is_certain: bool) -> None:
    """Note a look. Its moment is that of the collector less its age, so it is later by what the way took."""
    begin, end = at - CLOCKS_MS, at + entry.longest + CLOCKS_MS
    days = sorted({begin // DAY_MS, end // DAY_MS})
    for day in days:
        session = session_of(entry.tab, day)
        found.sessions.add(session)
        bounds = found.looks[session, product]
        bounds.most = max(bounds.most, end)
        if is_certain and len(days) == 1:
            bounds.least = max(bounds.least, begin)
            if entry.part == MARKER:
                found.marks.add(session)
