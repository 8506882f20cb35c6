"""Refused questions to the payments service stand in its log, and cannot fill it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from manual_clock import ManualClock

from app.payments.door import Door
from app.refusals import MOST_LINES, Refusals
from app.sealed_calls import Seals

pytestmark = pytest.mark.requirement("each refusal is seen in a log")


def refusals(clock: ManualClock) -> tuple[Refusals, list[tuple[str, int]]]:
    lines: list[tuple[str, int]] = []
    return Refusals(lambda problem, times: lines.append((problem, times)), clock.monotonic), lines


def test_a_noisy_problem_has_so_many_lines_a_minute_and_hides_no_other() -> None:
    clock = ManualClock()
    seen, lines = refusals(clock)
    for _ in range(1000):
        seen.see("it has no seal")
    seen.see("its seal is of another key")
    assert lines == [*[("it has no seal", 1)] * 5, ("its seal is of another key", 1)]
    clock.sleep(60)
    seen.see("its seal is of another key")
    assert lines[6:] == [("it has no seal", 995), ("its seal is of another key", 1)]


def test_what_was_counted_is_told_also_when_nothing_more_is_refused() -> None:
    clock = ManualClock()
    seen, lines = refusals(clock)
    for _ in range(7):
        seen.see("it has no seal")
    clock.sleep(59.9)
    seen.look()
    assert len(lines) == 5
    clock.sleep(0.1)
    for _ in range(2):
        seen.look()
    assert lines[5:] == [("it has no seal", 2)]


def test_many_problems_have_a_bound_together() -> None:
    clock = ManualClock()
    seen, lines = refusals(clock)
    for number in range(1000):
        seen.see(f"problem {number}")
    assert lines == [(f"problem {number}", 1) for number in range(15)]
    clock.sleep(60)
    seen.look()
    assert lines[15:] == [("another problem", 985)]


def test_a_probe_is_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        pass

    door = Door(inner, Seals("k" * 32), 100)
    monkeypatch.setattr(Refusals, "look", lambda _: looked.append("look"))
    asyncio.run(door({"type": "http", "path": "/livez"}, None, None))
    assert looked == ["look"]


def test_ten_thousand_refused_questions_make_few_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    door = Door(None, Seals("k" * 32), 100)
    lines: list[dict[str, Any]] = []
    monkeypatch.setattr(door.log, "warning", lambda _, **facts: lines.append(facts))
    answers: list[int] = []

    async def ask() -> None:
        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            if "status" in message:
                answers.append(message["status"])

        scope = {"type": "http", "path": "/v1/payments", "method": "POST", "headers": []}
        for _ in range(10_000):
            await door(scope, receive, send)

    asyncio.run(ask())
    assert answers == [401] * 10_000
    assert 1 <= len(lines) <= 2 * MOST_LINES + 1  # a minute may end in between
    assert lines[0] == {"problem": "it has no seal", "times": 1}
