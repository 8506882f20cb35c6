"""Background loops go on through trouble, and are seen when they do not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.errors import DatabaseUnavailableError
from app.loops import FAILURES, Loop, problems

pytestmark = pytest.mark.requirement("no background loop ends in silence")


@pytest.fixture(autouse=True)
def log() -> Iterator[list[MutableMapping[str, Any]]]:
    """What was logged; drawing each traceback on a terminal takes longer than all the turns."""
    with capture_logs() as entries:
        yield entries


def turns(
    loop_of: Callable[[Callable[[], Awaitable[None]]], Loop],
    fails: Callable[[int], Exception | None],
    until: Callable[[Loop, int], bool],
) -> tuple[Loop, int]:
    """Run a loop until a condition holds and return it, stopped, with the number of turns it took."""
    taken = 0

    async def turn() -> None:
        nonlocal taken
        taken += 1
        if error := fails(taken):
            raise error

    loop = loop_of(turn)

    async def run() -> list[str]:
        loop.start()
        async with asyncio.timeout(20):
            while not until(loop, taken):  # noqa: ASYNC110 what is waited for is what others see
                await asyncio.sleep(0.001)
        seen = problems([loop])
        await loop.stop()
        return seen

    loop.seen = asyncio.run(run())  # type: ignore[attr-defined]
    return loop, taken


def quick(turn: Callable[[], Awaitable[None]]) -> Loop:
    return Loop("test", turn, 0.0001)


def test_a_database_that_is_away_ends_no_loop() -> None:
    loop, taken = turns(quick, lambda _: DatabaseUnavailableError("away"), lambda _, taken: taken > 3 * FAILURES)
    assert taken > 3 * FAILURES
    assert loop.seen == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("error", [TypeError("x"), KeyError("x"), RecursionError(), ExceptionGroup("x", [OSError()])])
def test_a_failed_turn_is_followed_by_others(error: Exception) -> None:
    loop, taken = turns(quick, lambda turn: error if turn == 1 else None, lambda _, taken: taken > 5)
    assert taken > 5
    assert loop.seen == []  # type: ignore[attr-defined]


def test_a_loop_that_only_fails_ends_and_is_seen() -> None:
    loop, taken = turns(quick, lambda _: TypeError("always"), lambda loop, _: bool(loop.problem()))
    assert taken == FAILURES
    assert loop.seen == ["loop test has ended"]  # type: ignore[attr-defined]


def test_a_turn_that_hangs_is_ended() -> None:
    async def hang() -> None:
        await asyncio.sleep(3600)

    async def run() -> str:
        loop = Loop("hanging", hang, 0.0001, turn_seconds=0.001)
        loop.start()
        async with asyncio.timeout(20):
            while not loop.problem():  # noqa: ASYNC110 what is waited for is what others see
                await asyncio.sleep(0.001)
        problem = loop.problem()
        await loop.stop()
        return problem

    assert asyncio.run(run()) == "loop hanging has ended"


def test_a_turn_says_how_long_to_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    rests: list[float] = []
    real = asyncio.sleep

    async def sleep(seconds: float) -> None:
        rests.append(seconds)
        await real(0)

    async def run() -> None:
        asked: list[float | None] = [10.0, None, 10.0]

        async def turn() -> float | None:
            return asked.pop(0) if asked else None

        loop = Loop("resting", turn, 3.0)
        monkeypatch.setattr(asyncio, "sleep", sleep)
        loop.start()
        while len(rests) < 5:
            await real(0)
        await loop.stop()

    asyncio.run(run())
    assert rests[:5] == [3.0, 10.0, 3.0, 10.0, 3.0]
