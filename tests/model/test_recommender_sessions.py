"""Looks are read from the region's database an hour at a time, the newest first, and no more than an index takes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from app.recommendations.building import Limits
from app.recommendations.sessions import StoredSessions

pytestmark = pytest.mark.requirement("an index is made of the newest sessions, by questions that are short")
NOW = 1_764_500_000
HOUR = 3600


class Told:
    """A table of looks."""

    def __init__(self, rows: list[tuple[int, int, int]]) -> None:
        self.rows, self.asked = rows, list[tuple[int, int]]()

    async def fetch(self, query: str, *arguments: Any) -> list[Any]:
        assert "FROM insight.session_look" in query
        since, until = arguments
        self.asked.append((since - NOW, until - NOW))
        return [{"session": s, "product": p, "at": at} for s, p, at in self.rows if since <= at < until]

    async def fetchrow(self, *_: object) -> Any:
        raise NotImplementedError

    async def fetchval(self, *_: object) -> Any:
        raise NotImplementedError


def read(rows: list[tuple[int, int, int]], **limits: int) -> tuple[list[tuple[int, int, int]], list[tuple[int, int]]]:
    told = Told(rows)
    found = asyncio.run(StoredSessions(told).clicks(NOW, Limits(**limits)))
    columns = zip(found.keys.tolist(), found.products.tolist(), found.times.tolist(), strict=True)
    return list(columns), told.asked


def test_all_days_are_read_hour_by_hour_without_a_gap_and_what_is_ahead_of_the_clock_too() -> None:
    rows = [(1, 5, NOW + 60), (2**63 - 1, 6, NOW), (3, 7, NOW - HOUR), (4, 8, NOW - 86_400), (5, 9, NOW - 86_401)]
    found, asked = read(rows, days=1)
    assert found == rows[:4]
    assert asked == [(-hour * HOUR, -(hour - 1) * HOUR) for hour in range(25)]


def test_reading_ends_when_an_index_takes_no_more() -> None:
    rows = [(session, 1, NOW - session * HOUR) for session in range(20)]
    found, asked = read(rows, looks=3, days=1)
    assert [key for key, _, _ in found] == [0, 1, 2, 3]
    assert len(asked) == 4


def test_an_empty_table_is_no_looks() -> None:
    assert read([], days=1)[0] == []
