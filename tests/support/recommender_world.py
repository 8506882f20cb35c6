"""A recommender without a loop, a socket or a database: what it knows is said by a test, and its clock is a number."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from clicks_world import Side, post
from manual_clock import ManualClock

from app.recommendations.availability import Availability
from app.recommendations.building import build
from app.recommendations.clicks import Clicks
from app.recommendations.desk import Asking, Desk
from app.recommendations.index import SessionIndex
from app.recommendations.knowledge import Knowledge, lately

NOW = 1_764_500_000
CATEGORIES = {product: "tees" if product < 50 else "watches" for product in range(1, 100)}


def index_of(sessions: Iterable[Iterable[int]]) -> SessionIndex:
    """Return the index of sessions, each with its products."""
    rows = [(key, product, NOW) for key, products in enumerate(sessions) for product in products]
    return build(Clicks.of(rows), NOW)


def question(**more: Any) -> bytes:
    return json.dumps({"page": "product", "count": 4, "product": 1, **more}).encode()


class World:
    """A desk, what it knows, and its clock."""

    def __init__(
        self,
        sessions: Iterable[Iterable[int]] = (),
        *,
        shown: Iterable[int] = range(1, 100),
        bought: Mapping[int, int] | None = None,
        connections: int = 8,
    ) -> None:
        self.clock = ManualClock(100.0)
        self.knowledge = Knowledge()
        self.knowledge.availability = Availability(shown)
        index = index_of(sessions)
        self.knowledge.take_index(index, lately(index, NOW))
        self.knowledge.take_catalogue(CATEGORIES, bought or {})
        self.unready = self.dead = ""
        self.soon: list[Callable[[], None]] = []
        self.desk = Desk(
            self.knowledge,
            connections,
            unready=lambda: self.unready,
            dead=lambda: self.dead,
            figures=lambda: {"recommend_index_sessions": float(self.knowledge.used.index.sessions)},
            soon=self.soon.append,
            clock=self.clock.monotonic,
            wall=lambda: NOW,
        )

    def connect(self) -> Side:
        return Side(self.desk, Asking)

    def turn(self) -> None:
        """Let the loop go round once."""
        due, self.soon = self.soon, []
        for each in due:
            each()

    def ask(self, **more: Any) -> list[tuple[int, str]]:
        """Return products and reasons that a question of these fields is answered with."""
        side = self.connect()
        side.send(post(question(**more), target="/row"))
        self.turn()
        assert side.statuses() == [200], bytes(side.transport.written)
        side.connection.connection_lost(None)
        body = bytes(side.transport.written).partition(b"\r\n\r\n")[2]
        return [(each["product"], each["because"]) for each in json.loads(body)["row"]]

    def metrics(self) -> str:
        side = self.connect()
        side.send(post(b"", target="/metrics", method="GET"))
        return bytes(side.transport.written).decode()
