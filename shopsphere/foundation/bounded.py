"""Work with a bound on its time, even when it never returns."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from shopsphere.foundation.errors import ShopSphereError

Answer = TypeVar("Answer")


class OutOfTimeError(ShopSphereError):
    """Work did not return within its time; its thread is left behind and ends with the process."""


def start(work: Callable[[], Answer], *, name: str) -> Future[Answer]:
    """Run `work` in a thread of its own.

    The thread is a daemon: one that hangs in a dead site's socket must not keep the process from ending, which a
    thread pool would do.
    """
    future: Future[Answer] = Future()

    def body() -> None:
        try:
            answer = work()
        except SystemExit as error:  # would end the process as if all were well
            future.set_exception(RuntimeError(f"tried to end the process with {error.code!r}"))
        except BaseException as error:  # noqa: BLE001 - it is raised where the answer is asked for
            future.set_exception(error)
        else:
            future.set_result(answer)

    threading.Thread(target=body, name=name, daemon=True).start()
    return future


def answer_of(future: Future[Answer], *, what: str, seconds: float) -> Answer:
    """Return what the work returned, or raise what it raised.

    Args:
        future: from `start`.
        what: begins the error's message.
        seconds: how long to wait from now on.

    Raises:
        OutOfTimeError: it has not returned.
    """
    try:
        return future.result(max(seconds, 0.0))
    except TimeoutError:
        if future.done():  # the work's own TimeoutError, or an answer at the very last moment
            return future.result()
        raise OutOfTimeError(f"{what} has not returned in time") from None


def call(work: Callable[[], Answer], *, what: str, seconds: float) -> Answer:
    """Run `work` and wait for it at most `seconds`.

    Raises:
        OutOfTimeError: it has not returned.
    """
    return answer_of(start(work, name=what), what=what, seconds=seconds)
