"""Visitors of a shop: who does what next, as a function of a seed alone.

Each event belongs to a tab of a visitor. In a tab, things come in an order that a shop allows: nobody buys without a
checkout, checks out with an empty cart, or takes out what is not in it. Products are drawn by Zipf's law.
"""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from itertools import accumulate
from typing import Any

LEAVE = "leave"
STEPS: dict[str, dict[str, int]] = {
    "": {"list": 45, "search": 25, "view": 30},
    "list": {"view": 65, "list": 15, "search": 10, LEAVE: 10},
    "search": {"view": 60, "search": 15, "list": 10, LEAVE: 15},
    "view": {"view": 36, "add": 12, "list": 20, "search": 8, LEAVE: 24},
    "add": {"checkout": 30, "view": 35, "list": 10, "remove": 5, LEAVE: 20},
    "remove": {"view": 50, "list": 20, LEAVE: 30},
    "checkout": {"buy": 60, "view": 15, LEAVE: 25},
    "buy": {"view": 10, LEAVE: 90},
}
"""What follows what, out of 100."""
FORMS = frozenset(("add", "remove"))
"""What is told when a form is sent; everything else is a page that is shown."""
TABS = (1, 2, 3)
TAB_SHARES = (75, 20, 5)
"""Of visitors with so many tabs."""
WORDS = ("moon", "linen apron", "brass lamp", "waves hoodie", "gift for a friend", "headphones")


def tab_name(run: str, *of: str | int) -> str:
    """Return the number of a tab: the same for the same tab of the same run, and of no other one."""
    return blake2b("/".join((run, *map(str, of))).encode(), digest_size=8, person=b"clickstream").hexdigest()


@dataclass(frozen=True)
class Shelves:
    """What the shop sells.

    Attributes:
        products: names, each with its category; empty where that is not known.
        categories: their names.
    """

    products: tuple[tuple[str, str], ...]
    categories: tuple[str, ...]

    @cached_property
    def _weights(self) -> list[float]:
        return list(accumulate(1 / rank for rank in range(1, len(self.products) + 1)))

    def draw(self, chance: random.Random) -> tuple[str, str]:
        """Return a product: the first one twice as often as the second, and so on."""
        return self.products[bisect(self._weights, chance.random() * self._weights[-1])]


@dataclass
class Walk:
    """One visit in one tab."""

    cart: list[tuple[str, str]] = field(default_factory=list)
    last: str = ""
    seen: tuple[str, str] = ("", "")

    def step(self, shelves: Shelves, chance: random.Random) -> dict[str, Any]:
        """Return what happens next, as a page says it in `data-click`."""
        steps = {kind: share for kind, share in STEPS[self.last].items() if kind != LEAVE}
        (self.last,) = chance.choices(list(steps), list(steps.values()))
        return {"t": self.last, **self._about(self.last, shelves, chance)}

    def ends(self, chance: random.Random) -> bool:
        """Whether the visitor leaves now."""
        return chance.random() * 100 < STEPS[self.last].get(LEAVE, 0)

    def _about(self, kind: str, shelves: Shelves, chance: random.Random) -> dict[str, Any]:
        if kind == "list":
            return {"k": chance.choice(shelves.categories), "n": 1}
        if kind == "search":
            return {"s": chance.choice(WORDS), "n": chance.randrange(40)}
        if kind in {"checkout", "buy"}:
            pieces = {"n": len(self.cart)}
            if kind == "buy":
                self.cart.clear()
            return pieces
        if kind == "view":
            self.seen = shelves.draw(chance)
        elif kind == "add":
            self.cart.append(self.seen)
        one = self.cart.pop(chance.randrange(len(self.cart))) if kind == "remove" else self.seen
        return _named(one, with_category=kind != "remove")


def _named(product: tuple[str, str], *, with_category: bool) -> dict[str, str]:
    name, category = product
    return {"p": name, "k": category} if with_category and category else {"p": name}


@dataclass(frozen=True)
class Happening:
    """Something that a visitor does.

    Attributes:
        tab: number of the tab.
        click: what it is, without time and number.
        is_last: whether the visitor leaves the tab then.
    """

    tab: str
    click: dict[str, Any]
    is_last: bool


class Crowd:
    """All visitors.

    Args:
        shelves: what there is.
        visitors: how many are in the shop at any time; one who leaves a tab opens another one.
        seed: decides everything but the numbers of tabs.
        run: makes these numbers others than those of any other run.
    """

    def __init__(self, shelves: Shelves, visitors: int, seed: int, run: str) -> None:
        self._chance = random.Random(seed)
        products = list(shelves.products)
        self._chance.shuffle(products)
        self._shelves = Shelves(tuple(products), shelves.categories)
        self._run = run
        self._opened = 0
        tabs: Sequence[int] = self._chance.choices(TABS, TAB_SHARES, k=visitors)
        self._visitors = [[self._open() for _ in range(number)] for number in tabs]

    def _open(self) -> tuple[str, Walk]:
        self._opened += 1
        return tab_name(self._run, "tab", self._opened), Walk()

    def next(self) -> Happening:
        """Return what happens next, whoever does it."""
        tabs = self._chance.choice(self._visitors)
        place = self._chance.randrange(len(tabs))
        name, walk = tabs[place]
        click = walk.step(self._shelves, self._chance)
        is_last = walk.ends(self._chance)
        if is_last:
            tabs[place] = self._open()
        return Happening(name, click, is_last)
