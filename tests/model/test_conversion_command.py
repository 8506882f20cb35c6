"""What is said of an experiment, and when: no verdict before its last day, and none of half of its sessions."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.errors import ShopError
from app.recommendations.conversion_command import comparison_of, document, show_conversion
from app.recommendations.trial import Trial, trial_of
from app.settings import StorefrontSettings
from shopsphere.estate.region_facts import region_facts
from shopsphere.topology import load_topology

pytestmark = pytest.mark.requirement("the figures tell whether recommendations sell, with intervals and not too early")
TRIAL = '{"name": "row-1", "percent": 50, "from": "2027-01-10", "until": "2027-01-19"}'
AFTER = datetime(2027, 1, 20, 0, 0, 1, tzinfo=UTC)


def trial() -> Trial:
    found = trial_of(TRIAL)
    assert found is not None
    return found


def people(group: str, count: int) -> list[UUID]:
    """Return ids of visitors of a group."""
    found = (UUID(int=number) for number in range(10**6))
    mine = (each for each in found if trial().experiment.group_of(each) == group)
    return [next(mine) for _ in range(count)]


class Told:
    """A database with these visitors and the sessions of these orders."""

    def __init__(self, visitors: list[UUID], orders: list[UUID]) -> None:
        self.visitors, self.orders = visitors, orders
        self.asked: list[tuple[object, ...]] = []

    async def fetch(self, query: str, *arguments: object) -> list[Any]:
        self.asked.append(arguments)
        if "customers.session" in query:
            return [{"id": each} for each in self.visitors]
        return [{"session_id": each} for each in self.orders]

    async def fetchrow(self, *_: object) -> Any:
        raise NotImplementedError

    async def fetchval(self, *_: object) -> Any:
        raise NotImplementedError


def said(with_: int, without: int, bought: tuple[int, int], now: datetime = AFTER) -> dict[str, Any]:
    a, b = people("with", with_), people("without", without)
    database = Told([*a, *b], [*a[: bought[0]], *a[: bought[0]], *b[: bought[1]], UUID(int=2**100)])
    comparison = asyncio.run(comparison_of(database, trial(), 2))
    begins, ends = datetime(2027, 1, 10, tzinfo=UTC), datetime(2027, 1, 20, tzinfo=UTC)
    assert database.asked == [(begins, ends, 2), (begins, ends)]
    return document(trial(), comparison, now, 30)


def test_who_bought_counts_once_and_with_an_interval() -> None:
    told = said(1000, 1000, (100, 50))
    assert told["groups"]["with"] == {
        "percent": 50,
        "visitors": 1000,
        "buyers": 100,
        "rate": 0.1,
        "interval": [0.082909, 0.120152],  # Wilson's, 95 %
    }
    assert told["orders_of_nobody_who_took_part"] == 1
    assert told["difference"][0] == pytest.approx(0.0271, abs=1e-4)  # Newcombe's
    assert told["difference"][1] == pytest.approx(0.0734, abs=1e-4)
    assert told["verdict"] == "those who are shown recommendations buy more"


def test_there_is_no_verdict_before_the_last_day_is_over() -> None:
    assert said(1000, 1000, (100, 50), AFTER - timedelta(seconds=2))["verdict"].startswith("too early")


def test_there_is_none_when_the_first_sessions_are_gone() -> None:
    assert said(1000, 1000, (100, 50), datetime(2027, 2, 10, tzinfo=UTC))["verdict"].startswith("too late")


def test_there_is_none_of_groups_of_other_sizes_than_planned() -> None:
    assert said(1000, 700, (100, 50))["verdict"].startswith("not known: the groups have other sizes")


def test_chance_is_no_verdict() -> None:
    assert said(1000, 1000, (55, 50))["verdict"] == "not known"
    assert said(1000, 1000, (50, 100))["verdict"] == "they buy less"


def test_an_experiment_without_visitors_is_not_known() -> None:
    told = said(0, 0, (0, 0))
    assert told["groups"]["with"]["rate"] is None
    assert told["verdict"] == "not known"


def test_without_an_experiment_it_says_what_is_missing() -> None:
    settings = StorefrontSettings.read(
        {
            "SHOP_SESSION_SECRET": "0" * 32,
            "COMMERCE_DSN": "postgresql://commerce@db/commerce",
            "PAYMENTS_CALL_KEY": "0" * 32,
            "SHOP_ENVIRONMENT": "lab",
            "SHOP_REGION_FACTS": region_facts(load_topology(), "rdc-a"),
        }
    )
    with pytest.raises(ShopError, match="SHOP_RECOMMENDATIONS_TRIAL"):
        show_conversion(settings)
