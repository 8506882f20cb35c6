"""What is to be played, where it goes, and what is told of it in the end."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol

from stream_connections import Answer


class Posts(Protocol):
    """Sends bodies."""

    async def post(self, body: bytes) -> Answer:
        """Return the answer, or raise NotSentError or NoAnswerError."""


@dataclass(frozen=True)
class Plan:
    """How much is played.

    Attributes:
        run: name of the run, in all its tabs' numbers.
        rate: events a second.
        seconds: how long.
        connections: requests that may be under way.
        partitions: of the topic: each is told the end by a batch of its own.
        patience: how long is waited for answers afterwards (s).
        settle: between the last answer and the marks of the end (s).
        probes: whether somebody clicks once a second and is not kept waiting.
        shown: the product of marks and probes.
    """

    run: str
    rate: float
    seconds: float
    connections: int = 100
    partitions: int = 6
    patience: float = 120.0
    settle: float = 10.0
    probes: bool = False
    shown: str = ""


@dataclass
class Seen:
    """What is told at the end."""

    made: int = 0
    lost_by_tabs: int = 0
    never_sent: int = 0
    batches: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)
    """How long acknowledgements took (ms) from when a tab wanted to send, while events came."""
    gap: tuple[float, float] = (0.0, 0.0)
    """The longest time without an acknowledgement (s), and when it began (ms)."""
    last_taken: float = 0.0
    behind: float = 0.0
    """By how much an event came too late (ms), at most."""
