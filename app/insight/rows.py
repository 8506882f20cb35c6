"""From sums to rows: names that a browser said become numbers and categories of the catalogue, tabs become sessions.

A name that the catalogue does not have is in no row, so that who invents names makes no table larger.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

from app.insight.balance import Balance, Outcome, Unit
from app.insight.counting import DAY_MS, MINUTE_MS, Sums
from app.insight.reading import PERSON, Kind, Sender

NONE = ""
"""Category of an event without one."""
MINUTES_OF_A_DAY = DAY_MS // MINUTE_MS


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What names mean.

    Attributes:
        products: number and category of each product, by its name.
        categories: names of the categories.
    """

    products: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    categories: frozenset[str] = frozenset()

    def lacks(self, sums: Sums) -> bool:
        """Whether sums have names that are not in it."""
        return any(
            product not in self.products if product is not None else category not in self.categories
            for _, _, product, category, _ in sums.events
            if product is not None or category is not None
        )


@dataclass(frozen=True, slots=True)
class Rows:
    """What is added to the tables.

    Attributes:
        minutes: events by minute (since 1970), kind, category and sender.
        products: events of persons by minute, product and kind.
        looks: when a session looked at a product for the last time (s since 1970).
        balance: what became of everything.
    """

    minutes: Counter[tuple[int, Kind, str, Sender]] = field(default_factory=Counter)
    products: Counter[tuple[int, int, Kind]] = field(default_factory=Counter)
    looks: dict[tuple[int, int], int] = field(default_factory=dict)
    balance: Balance = field(default_factory=Counter)


def session_of(tab: str, day: int) -> int:
    """Return the number of a tab's session of a day: 63 bits, as PostgreSQL and an index of sessions both take it.

    It changes at midnight (UTC), and is not the tab's own number: what a browser holds is in no table.
    """
    digest = blake2b(f"{tab}/{day}".encode(), digest_size=8, person=b"shop insight").digest()
    return int.from_bytes(digest, "big") >> 1


def rows_of(sums: Sums, catalogue: Catalogue) -> Rows:
    """Return the rows that sums add to."""
    rows = Rows(balance=Counter(sums.balance))
    for (minute, kind, name, shelf, sender), events in sums.events.items():
        product = catalogue.products.get(name) if name is not None else None
        category = product[1] if product else shelf if name is None and shelf in catalogue.categories else None
        if category is None and (name is not None or shelf is not None):
            rows.balance[minute // MINUTES_OF_A_DAY, Outcome.UNKNOWN, Unit.EVENTS] += events
        rows.minutes[minute, kind, category or NONE, sender] += events
        if product and sender == PERSON:
            rows.products[minute, product[0], kind] += events
    for (tab, day, name), at in sums.looks.items():
        if product := catalogue.products.get(name):
            key = (session_of(tab, day), product[0])
            rows.looks[key] = max(at, rows.looks.get(key, 0))
    return rows
