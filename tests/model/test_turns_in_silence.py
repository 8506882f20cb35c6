"""A turn that asks others who do not answer ends in time: silence of a provider restarts no pod."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from manual_clock import ManualClock

from app import loops
from app.database import Database
from app.loops import TURN_SECONDS
from app.orders import settling, turns
from app.orders.payments_client import PaymentsClient
from app.payments import paying, repository
from app.payments.provider import Provider

pytestmark = pytest.mark.requirement("no background loop ends in silence")

AT_ONCE = 4


class _Database:
    """One that answers at once."""

    async def is_standby(self) -> bool:
        return False

    @asynccontextmanager
    async def write(self) -> AsyncIterator[None]:
        yield


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> ManualClock:
    clock = ManualClock()
    monkeypatch.setattr(loops, "time", clock)
    return clock


def test_orders_that_nobody_answers_for(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    async def claim(*_: object) -> list[UUID]:
        return [uuid4() for _ in range(AT_ONCE)]

    async def settle(*_: object) -> None:
        clock.sleep(12 / AT_ONCE)  # looked for and voided, with 6 s of silence each, beside three others

    monkeypatch.setattr(turns, "claim", claim)
    monkeypatch.setattr(settling, "settle_by_id", settle)
    asyncio.run(settling.settle_due(cast(Database, _Database()), cast(PaymentsClient, None)))
    assert 12 < clock.now < TURN_SECONDS / 2


def test_payments_that_the_provider_is_silent_about(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    async def claim(*_: object) -> list[None]:
        return [None] * AT_ONCE

    class Cashier(paying.Cashier):
        async def _resolve_one(self, payment: Any) -> None:
            assert payment is None
            clock.sleep(3 / AT_ONCE)

    monkeypatch.setattr(repository, "claim_unsettled", claim)
    cashier = Cashier(cast(Database, _Database()), cast(Provider, None), 2.0)
    asyncio.run(cashier.resolve())
    assert 3 < clock.now < TURN_SECONDS / 2


def test_a_turn_with_quick_answers_does_all_that_it_may(clock: ManualClock) -> None:
    assert list(loops.portions(50)) == list(range(50))
