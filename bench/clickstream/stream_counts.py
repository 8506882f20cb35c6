"""What the database of a region says of clicks: numbers by name, so that two looks can be compared.

`kind/view`, `shelf/t-shirts/view` and `product/moon-tee/view` are events of persons by minute tables,
`balance/counted/events` is what became of everything. A difference of two looks is what was counted between them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from shopsphere.foundation.errors import ShopSphereError

Ask = Callable[[str], list[str]]
"""Gives the lines that a statement has in the region's database, columns with a bar between them."""
STILL_SECONDS = 2.5
"""A worker writes once a second."""
MINUTE_MS = 60_000
DEFAULT_PARTITIONS = 6
"""Of a log of which nothing was counted yet."""
_OF = "insight.minute_count WHERE sender = 'person' AND minute BETWEEN to_timestamp({0}) AND to_timestamp({1})"
_COUNTS = (
    f"SELECT concat_ws('/', 'kind', kind), sum(events) FROM {_OF} GROUP BY 1",
    f"SELECT concat_ws('/', 'shelf', category, kind), sum(events) FROM {_OF} GROUP BY 1",
    "SELECT concat_ws('/', 'product', slug, kind), sum(events) FROM insight.minute_product each "
    "JOIN catalogue.product product ON product.id = each.product "
    "WHERE minute BETWEEN to_timestamp({0}) AND to_timestamp({1}) GROUP BY 1",
    *(
        f"SELECT concat_ws('/', 'balance', outcome, '{unit}'), sum({unit}) FROM insight.balance "
        "WHERE day >= to_timestamp({0})::date - 1 GROUP BY 1"
        for unit in ("records", "batches", "events")
    ),
)
_PLACES = (
    "SELECT coalesce(sum(next), 0), coalesce(sum(greatest(seen_end - next, 0)), 0), coalesce(max(partition) + 1, 0) "
    "FROM insight.source_offset"
)
_LOOKS = (
    "SELECT session, slug, at FROM insight.session_look look JOIN catalogue.product product "
    "ON product.id = look.product WHERE at BETWEEN {0} AND {1}"
)


class NotStillError(ShopSphereError):
    """Something is counted all the time, so that nothing can be compared."""


@dataclass(frozen=True)
class Window:
    """Whole minutes.

    Attributes:
        first: that belongs to it (s since 1970).
        last: that belongs to it.
    """

    first: int
    last: int

    @classmethod
    def of(cls, begin_ms: float, end_ms: float) -> Window:
        """Return the minutes in which something of a load can be counted."""
        return cls(int(begin_ms // MINUTE_MS) * 60, int(end_ms // MINUTE_MS + 1) * 60)


def counts(ask: Ask, window: Window) -> dict[str, int]:
    """Return all numbers; what is not there is nothing."""
    lines = ask(" UNION ALL ".join(_COUNTS).format(window.first, window.last))
    return {name: int(number) for name, _, number in (line.partition("|") for line in lines)}


@dataclass(frozen=True)
class Places:
    """How far is counted.

    Attributes:
        counted: records.
        behind: records that are known and not counted.
        partitions: that anything is known of; 0 for none.
    """

    counted: int
    behind: int
    partitions: int


def places(ask: Ask) -> Places:
    """Return how far is counted, of all logs together."""
    (line,) = ask(_PLACES)
    return Places(*(int(each) for each in line.split("|")))


def await_stillness(ask: Ask, *, seconds: float = 60, rest: Callable[[float], None] = time.sleep) -> Places:
    """Wait until all that is known is counted and nothing more comes; return how far that is.

    Raises:
        NotStillError: something came all the time.
    """
    until = time.monotonic() + seconds
    found = places(ask)
    while True:
        rest(STILL_SECONDS)
        before, found = found, places(ask)
        if before == found and not found.behind:
            return found
        if time.monotonic() > until:
            raise NotStillError.build(
                "clicks are counted all the time",
                expected=f"{STILL_SECONDS} s without a click before a load, and nothing behind",
                found=f"{found.counted - before.counted} records in that time, {found.behind} behind",
                action="wait until nobody else clicks, and until the worker has caught up",
            )


@dataclass(frozen=True)
class Look:
    """A session's last look at a product (s since 1970)."""

    session: int
    product: str
    at: int


def looks(ask: Ask, window: Window) -> Iterator[Look]:
    """Yield the looks of some minutes, whoever's they are."""
    for line in ask(_LOOKS.format(window.first, window.last + 60)):
        session, product, at = line.split("|")
        yield Look(int(session), product, int(at))


def categories(ask: Ask) -> dict[str, str]:
    """Return the category of each product."""
    lines = ask("SELECT slug, category FROM catalogue.product")
    return dict(line.split("|", 1) for line in lines)


def await_sessions(ask: Ask, sessions: set[int], *, seconds: float) -> set[int]:
    """Wait until each of some sessions has looked at something; return those that have not."""
    left = set(sessions)

    def are_there() -> bool:
        if left:
            wanted = ",".join(map(str, sorted(left)))
            left.difference_update(
                int(each)
                for each in ask(f"SELECT DISTINCT session FROM insight.session_look WHERE session IN ({wanted})")
            )
        return not left

    until = time.monotonic() + seconds
    while not are_there() and time.monotonic() < until:
        time.sleep(1)
    return left
