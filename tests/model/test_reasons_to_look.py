"""A watch: rings at the start and at each change, and is opened anew when it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable

from shopsphere.clients.watch import Watch
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
