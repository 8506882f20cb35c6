"""One source of the exporter: what hangs, what is old, what breaks in the middle; and what is no sample or address."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from manual_clock import ManualClock
from ready_pair import HOME, ReadyPair

from cli import main as cli
from runbooks.metrics.collecting import Asked
from runbooks.metrics.metric import Metric
from runbooks.metrics.registry import EPOCH
from runbooks.metrics.source import Source
from shopsphere.clients.site_agent import SiteAgentError


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ReadyPair:
    return ReadyPair(monkeypatch, tmp_path)


@pytest.fixture
def said() -> list[str]:
    return []


def asked(pair: ReadyPair, ask: Any, clock: ManualClock, said: list[str], *, seconds: float = 1.5) -> Asked:
    return Asked(pair.access, Source("test", 5, seconds, ask, (EPOCH,)), "", said.append, clock)


def values(each: Asked) -> list[tuple[str, float]]:
    return [(sample.metric.name, sample.value) for sample in each.samples()]


def test_a_question_that_hangs_is_down_and_is_not_asked_twice(pair: ReadyPair, said: list[str]) -> None:
    goes_on, calls = threading.Event(), []

    def hang(*_: object) -> list[Any]:
        calls.append(1)
        goes_on.wait(20)
        return [EPOCH.sample(7)]

    each = asked(pair, hang, ManualClock(), said)
    each.once()
    each.once()
    assert values(each) == [("shopsphere_source_up", 0)]
    assert calls == [1]
    goes_on.set()
    each.once()
    assert values(each) == [("shopsphere_source_up", 1), ("shopsphere_epoch", 7)]
    each.once()
    assert calls == [1, 1]


def test_an_answer_that_is_old_is_none(pair: ReadyPair, said: list[str]) -> None:
    clock = ManualClock()
    each = asked(pair, lambda *_: [EPOCH.sample(7)], clock, said, seconds=3)
    assert values(each) == [], "not asked yet"
    each.once()
    clock.sleep(11)
    assert values(each) == [("shopsphere_source_up", 1), ("shopsphere_epoch", 7)]
    clock.sleep(0.5)
    assert values(each) == [("shopsphere_source_up", 0)], "5 s, and twice its bound of 3 s"


def test_half_an_answer_is_none(pair: ReadyPair, said: list[str]) -> None:
    def breaks(*_: object) -> Iterator[Any]:
        yield EPOCH.sample(7)
        raise SiteAgentError("and then nothing")

    each = asked(pair, breaks, ManualClock(), said)
    each.once()
    assert values(each) == [("shopsphere_source_up", 0)]
    assert said == ["rdc-a test does not answer: and then nothing"]


def test_other_labels_and_no_numbers_are_refused() -> None:
    metric = Metric("shopsphere_lease_held", "…", ("site",))
    with pytest.raises(ValueError, match="has the labels site, not"):
        metric.sample(1, door="writes")
    with pytest.raises(ValueError, match="no number"):
        metric.sample(float("nan"), site=HOME)
    with pytest.raises(ValueError, match="no name of a metric"):
        Metric("shop_lease", "…")


@pytest.mark.parametrize("listen", ["9469", "localhost:9469", "127.0.0.1:0", "127.0.0.1:70000", "127.0.0.1:x"])
def test_what_is_no_address_is_refused(listen: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["metrics", "rdc-a", "--environment", "prod", "--listen", listen]) == 2
    assert "expected: ADDRESS:PORT" in capsys.readouterr().err


def test_a_site_is_no_target(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["metrics", "frankfurt", "--environment", "prod"]) == 2
    assert "name rdc-a" in capsys.readouterr().err
