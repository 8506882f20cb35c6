"""How long a collector waits for the archive to tell where it was, and when it says that something is missing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.archive import collector as collecting
from app.archive.already_sent import gap_after
from app.archive.collector import Collector
from app.archive.names import Segment
from app.archive.receiving import Identity
from app.archive.settings import CollectorSettings
from app.archive.store import StoreAwayError

NEWEST = "000000010000000000000007"
FACTS = {"first_segment": "000000010000000000000007", "started": "2026-11-29T20:00:00+00:00", "recipient": ""}


class SlowStore:
    """An archive that says nothing for a while, and then that it is away; or what it has."""

    def __init__(self) -> None:
        self.silent_seconds = 0.0
        self.is_away = True
        self.asked = 0

    def keys(self, prefix: str) -> Iterator[str]:
        self.asked += prefix.endswith("/base/")
        time.sleep(self.silent_seconds)
        if self.is_away:
            raise StoreAwayError("it is silent")
        yield f"{prefix}1.json" if prefix.endswith("/base/") else f"{prefix}{NEWEST}.gz.age"

    def facts(self, _key: str) -> dict[str, Any]:
        return dict(FACTS)


class Receiver:
    """What is started to receive, and receives nothing by itself."""

    is_running = True

    def __init__(self, *_: object) -> None:
        self.started_at = 0.0

    def start(self) -> None:
        self.started_at = time.monotonic()


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], tuple[Collector, SlowStore]]:
    monkeypatch.setattr(collecting, "identify", lambda _dsn: Identity("7", 1, "0/8000000"))
    monkeypatch.setattr(collecting, "Receiver", Receiver)
    monkeypatch.setattr(collecting, "received_until", lambda *_: 0)
    settings = CollectorSettings(
        database="ledger", site="frankfurt", connection="", authority="", certificate="", key="", store_url="",
        store_authority="", bucket="", secret="", recipient="age1x", spool=tmp_path, partial_seconds=0.2,
    )  # fmt: skip
    for folder in ("wal", "out"):
        (tmp_path / folder).mkdir()

    def make() -> tuple[Collector, SlowStore]:
        store = SlowStore()
        collector = Collector(settings, store)  # type: ignore[arg-type] # it stands in for the bucket
        monkeypatch.setattr(collector, "_start_base", lambda: None)
        return collector, store

    return make


Made = Callable[[], tuple[Collector, SlowStore]]


def steps(collector: Collector, until: Callable[[], bool], seconds: float = 60) -> float:
    """Step as the collector's loop does and return how long it took."""
    began = time.monotonic()
    while not until():
        assert time.monotonic() - began < seconds
        collector.step()
        time.sleep(0.01)
    return time.monotonic() - began


@pytest.mark.parametrize("silent", [0.0, 2.0, 30.0])
def test_the_archive_is_waited_for_until_one_deadline_however_silent_it_is(
    made: Made, monkeypatch: pytest.MonkeyPatch, silent: float
) -> None:
    monkeypatch.setattr(collecting, "FIRST_LOOK_SECONDS", 3.0)
    collector, store = made()
    store.silent_seconds = silent
    started: list[float] = []

    def start(_: Receiver) -> None:
        started.append(time.monotonic())
        store.silent_seconds = 0.0  # the step goes on and looks once more, beside the receiver

    monkeypatch.setattr(Receiver, "start", start)
    began = time.monotonic()
    steps(collector, lambda: bool(started))
    assert 3.0 <= started[0] - began < 25, "one silence of 30 s would be longer"


def test_a_round_looks_once_while_nothing_is_received(made: Made) -> None:
    collector, store = made()
    collector.settings = replace(collector.settings, partial_seconds=600)
    for _ in range(5):
        collector.step()
    assert store.asked == 1
    assert not collector.state.store_answers


def test_an_empty_folder_is_no_gap_until_something_was_received(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "FIRST_LOOK_SECONDS", 0.0)
    collector, store = made()
    collector.step()
    store.is_away = False
    for _ in range(3):
        time.sleep(0.21)
        collector.step()
    assert collector.state.gaps == []
    assert not collector.state.open_gap
    (collector.settings.spool / "wal" / "000000010000000000000008.partial").touch()
    monkeypatch.setattr(collector, "_send_partial", lambda _: None)
    steps(collector, lambda: collector.state.passed is not None)
    assert collector.state.passed == Segment.of(NEWEST)
    assert collector.state.gaps == []


def test_what_is_missing_is_a_gap_when_something_was_received(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "FIRST_LOOK_SECONDS", 0.0)
    collector, store = made()
    collector.step()
    store.is_away = False
    (collector.settings.spool / "wal" / "000000010000000000000009.partial").touch()
    monkeypatch.setattr(collector, "_send_partial", lambda _: None)
    steps(collector, lambda: collector.state.open_gap)
    assert collector.state.gaps == [f"gap: nothing between {NEWEST} and 000000010000000000000009"]


def test_nobody_can_tell_of_an_empty_folder(tmp_path: Path) -> None:
    last = Segment.of(NEWEST)
    assert last
    assert gap_after(last, tmp_path, began_with_now=True) is None
    assert gap_after(last, tmp_path, began_with_now=False) == ""
