"""The log of the client of Kafka says each kind of trouble now and then, and how often it was."""

from __future__ import annotations

import logging

import pytest

from app.clicks.broker_log import EVERY_SECONDS, Seldom


def test_one_line_of_a_kind_in_ten_seconds_with_the_number_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("app.clicks.broker_log.time.monotonic", lambda: now[0])
    seldom = Seldom()

    def written(text: str) -> str:
        record = logging.LogRecord("kafka", logging.ERROR, __file__, 1, "%s", (text,), None)
        return record.getMessage() if seldom.filter(record) else ""

    assert written("FAIL [x]: refused") == "FAIL [x]: refused"
    assert [written("FAIL [x]: refused") for _ in range(5)] == [""] * 5
    assert written("FETCH other trouble"), "of another kind"
    now[0] += EVERY_SECONDS
    assert written("FAIL [x]: refused") == "FAIL [x]: refused (5 more of its kind before it)"
    assert [bool(written(f"kind-{number} x")) for number in range(200)] == [True] * 200, "and it keeps no more than 64"
