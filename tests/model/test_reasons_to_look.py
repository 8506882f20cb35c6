"""A watch: rings at the start and at each change, and is opened anew when it ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from shopsphere.clients.watch import REOPEN_AFTER_AT_MOST, Watch
from shopsphere.foundation.errors import ShopSphereError

WAIT_SECONDS = 10.0


def test_a_watch_that_ends_is_opened_anew() -> None:
    rung, again = threading.Semaphore(0), threading.Event()
    opened: list[int] = []

    def follow(heard: Callable[[], object]) -> None:
        opened.append(len(opened))
        heard()
        if len(opened) == 1:
            raise ShopSphereError("the line broke")
        again.wait(WAIT_SECONDS)

    watch = Watch(follow, rung.release, reopen_after=0.0)
    assert not watch.is_open
    watch.start()
    assert rung.acquire(timeout=WAIT_SECONDS)
    assert rung.acquire(timeout=WAIT_SECONDS), "what was missed in between has to be looked for"
    assert watch.is_open
    watch.stop()
    again.set()
    assert opened == [0, 1]


@pytest.mark.requirement(
    "a watch that cannot be opened is told once, is tried more and more seldom, and does not look open"
)
def test_a_watch_that_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    tried = threading.Semaphore(0)

    def follow(_heard: Callable[[], object]) -> None:
        tried.release()
        raise RuntimeError("not even an error of ours")

    watch = Watch(follow, lambda: None, told.append, reopen_after=0.02)
    pauses: list[float] = []

    def wait(seconds: float) -> None:
        pauses.append(seconds)
        time.sleep(0.001)

    monkeypatch.setattr(watch._stopped, "wait", wait)  # noqa: SLF001
    watch.start()
    for _ in range(20):
        assert tried.acquire(timeout=WAIT_SECONDS), "the thread goes on"
    watch.stop()
    assert told == ["watch: RuntimeError: not even an error of ours"]
    assert not watch.is_open
    assert pauses[:3] == [0.04, 0.08, 0.16]
    assert max(pauses) == REOPEN_AFTER_AT_MOST
