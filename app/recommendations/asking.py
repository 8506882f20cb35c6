"""Asks the recommender within the time that a page has for it, and takes no answer for an answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from app.bounded_http import Answer, BoundedClient, NoAnswerError
from app.recommendations.because import Recommendation
from app.recommendations.breaker import Breaker
from app.recommendations.question import LARGEST_ANSWER, PATH, Question, answer_of

DEADLINE_SECONDS = 0.02
"""From the question to the last byte of the answer; a page waits no longer for it."""
MOST_ASKING = 32
"""Questions under way at once: when there are more, the recommender is slow, and further pages do not ask."""
OK = 200


class Client(Protocol):
    """What questions are sent with."""

    async def ask(self, method: str, path: str, *, body: object, largest: int) -> Answer:
        """Return the whole answer; raises NoAnswerError where there is none in time."""

    async def close(self) -> None:
        """Close all connections."""


class Recommender:
    """The recommender, as pages see it: it answers in time or it does not, and never fails.

    Args:
        client: of which each question has DEADLINE_SECONDS.
        clock: seconds, monotonic.
    """

    def __init__(self, client: Client, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._breaker = Breaker(clock)
        self._asking = 0
        self._answered = self._failed = self._spared = 0

    @classmethod
    def at(cls, url: str) -> Recommender:
        """Return the one at an address; connections to it are kept."""
        return cls(BoundedClient(url, DEADLINE_SECONDS))

    async def row(self, question: Question) -> tuple[Recommendation, ...]:
        """Return what is recommended, the best product first; nothing when it is not known in time."""
        if self._asking >= MOST_ASKING or not self._breaker.may_ask():
            self._spared += 1
            return ()
        self._asking += 1
        try:
            answer = await self._client.ask("POST", PATH, body=question, largest=LARGEST_ANSWER)
            row = _row_of(answer)
        except (NoAnswerError, ValueError):
            self._failed += 1
            self._breaker.failed()
            return ()
        finally:
            self._asking -= 1
        self._answered += 1
        self._breaker.succeeded()
        return row

    def figures(self) -> dict[str, float]:
        """Return what became of the questions since the start, for /metrics."""
        return {
            "recommender_answered": self._answered,
            "recommender_failed": self._failed,
            "recommender_not_asked": self._spared,
            "recommender_given_up": float(self._breaker.is_open),
        }

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()


def _row_of(answer: Answer) -> tuple[Recommendation, ...]:
    if answer.status != OK:
        raise NoAnswerError(f"status {answer.status}")
    return answer_of(answer.body).row
