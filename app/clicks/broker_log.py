"""What the client of Kafka logs: while a broker is away it says so for each try to connect, twenty times a second."""

from __future__ import annotations

import logging
import time

EVERY_SECONDS = 10.0
"""Between two lines of one kind, at the level of errors or below."""
MOST_KINDS = 64


class Seldom(logging.Filter):
    """Lets through one line of a kind in ten seconds, with how many there were since the last one.

    A kind is what the client calls so: the first word of its line, as in `FAIL`.
    """

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a line is written."""
        kind = record.getMessage().partition(" ")[0]
        now = time.monotonic()
        at, left = self._last.get(kind, (float("-inf"), 0))
        if now - at < EVERY_SECONDS:
            self._last[kind] = (at, left + 1)
            return False
        if len(self._last) >= MOST_KINDS:
            self._last.clear()
        self._last[kind] = (now, 0)
        if left:
            record.msg, record.args = f"{record.getMessage()} ({left} more of its kind before it)", ()
        return True


_SELDOM = Seldom()


def kafka_log() -> logging.Logger:
    """Return the log of the client of Kafka."""
    log = logging.getLogger("kafka")
    log.addFilter(_SELDOM)
    return log
