"""A proof: all places side by side, each looked at by a program that runs where the place is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from shopsphere.foundation import bounded
from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock
from shopsphere.foundation.errors import ShopSphereError, one_line, told
from shopsphere.residency.looking import PlaceReport
from shopsphere.residency.place_links import Links
from shopsphere.residency.places import PlaceSpec
from shopsphere.residency.searcher import Request
from shopsphere.residency.tokens import Planting

AFTERWARDS = 60.0
"""Seconds that a program may take beyond the time after which it begins no further place, for the one under way."""
BEFORE_ORDERS = 5.0
BETWEEN_ORDERS = 4.0
_NO_ORDER = "no customer has ordered while the links were listened to"


@dataclass(frozen=True)
class Searched:
    """Places of one jurisdiction at one host.

    Attributes:
        at: the host's name.
        jurisdiction: to which the places belong; empty where they belong to none.
        places: in the order in which they are looked at; links come first.
    """

    at: str
    jurisdiction: str
    places: tuple[PlaceSpec, ...] = ()


Search = Callable[[Request, float], Sequence[PlaceReport]]
"""Carries a request to its host and returns what was seen there, within seconds."""


@dataclass
class Orders:
    """Customers who order while the links are listened to.

    Attributes:
        order: makes one order of each jurisdiction's planted customer.
        seconds: for how long orders are begun.
        made: how many rounds the shops took.
        problems: what kept others from being made.
        clock: replaceable in tests.
    """

    order: Callable[[], object]
    seconds: float
    made: int = 0
    problems: list[str] = field(default_factory=list)
    clock: Clock = SYSTEM_CLOCK

    def run(self) -> None:
        """Order until the time is over."""
        end = self.clock.monotonic() + self.seconds
        self.clock.sleep(min(BEFORE_ORDERS, self.seconds / 2))
        while self.clock.monotonic() < end:
            try:
                self.order()
                self.made += 1
            except ShopSphereError as error:
                self.problems.append(one_line(error))
            self.clock.sleep(BETWEEN_ORDERS)


def prove(
    planting: Planting, searched: Sequence[Searched], search: Search, orders: Orders, *, seconds: float
) -> list[PlaceReport]:
    """Look at all places; a host that fails or hangs leaves its places unproven and hides no other.

    Args:
        planting: what to look for.
        searched: where.
        search: how a request gets to a host.
        orders: made meanwhile.
        seconds: for each host.
    """
    ordering = bounded.start(orders.run, name="orders")
    asked = [
        bounded.start(partial(search, _request(planting, each, seconds), seconds + AFTERWARDS), name=each.at)
        for each in searched
    ]
    end = time.monotonic() + seconds + AFTERWARDS
    reports: list[PlaceReport] = []
    for each, answer in zip(searched, asked, strict=True):
        try:
            what = f"the search at {each.at}"
            seen = bounded.answer_of(answer, what=what, seconds=end - time.monotonic())
            reports += seen
        except Exception as error:  # noqa: BLE001 - whatever keeps a host from being looked at, nothing is known of it
            reports += [unseen(each, place, told(error)) for place in each.places]
    with suppress(bounded.OutOfTimeError):  # what was ordered in time counts
        bounded.answer_of(ordering, what="the customers", seconds=AFTERWARDS)
    return reports if orders.made else [_without_orders(each) for each in reports]


def unseen(searched: Searched, place: PlaceSpec, why: str) -> PlaceReport:
    """Return what may be said of a place that nobody has looked at."""
    return PlaceReport(
        place=place.name,
        kind=place.how,
        jurisdiction=searched.jurisdiction,
        at=searched.at,
        problems=(why,),
    )


def _request(planting: Planting, searched: Searched, seconds: float) -> Request:
    return Request(
        at=searched.at,
        jurisdiction=searched.jurisdiction,
        since=planting.began,
        seconds=seconds,
        tokens=planting.tokens,
        places=searched.places,
    )


def _without_orders(report: PlaceReport) -> PlaceReport:
    if report.kind != Links.kind:
        return report
    return report.model_copy(update={"problems": (*report.problems, _NO_ORDER)})
