"""How an agent reads the pair's record: from the quorum, and while the pair is moved mostly from one voter."""

from __future__ import annotations

from typing import Protocol

from runbooks.agent.returning import Answers
from runbooks.agent.rhythm import GLANCES
from runbooks.agent.state import Knowledge
from shopsphere.foundation.clock import Clock
from shopsphere.witness import Witness
from shopsphere.witness.seen import Seen


class Learn(Protocol):
    """Keeps what the quorum said."""

    def __call__(self, **news: object) -> None:
        """Keep these fields of `Knowledge`."""


class RecordLook:
    """Looks at the record; used by one thread.

    Args:
        site: this one.
        witness: the pair's.
        answers: takes note of each answer of the quorum.
        learn: keeps what it said.
        clock: replaceable in tests.
    """

    def __init__(self, site: str, witness: Witness, answers: Answers, learn: Learn, clock: Clock) -> None:
        self._site, self._witness, self._answers, self._learn, self._clock = site, witness, answers, learn, clock
        self._looks = self._revision = 0

    def look(self, known: Knowledge) -> Seen | None:
        """Read the record from the quorum; while the pair is moved, mostly from one voter, which is faster.

        Returns None when that voter's record is older than the last one from the quorum.
        """
        self._looks += 1
        if known.moves and self._looks % GLANCES:
            seen = self._witness.glance()
            return seen if seen.revision >= self._revision else None
        asked_at = self._clock.monotonic()
        seen = self._witness.see()
        self._revision = seen.revision
        self._answers.came(asked_at, last=known.heard_at)
        holder = seen.writer_seen_by(self._site)
        ever = known.seen_nodes | {*seen.nodes}
        self._learn(record=seen.record, heard_at=asked_at, lease_holder=holder, nodes=seen.nodes, seen_nodes=ever)
        return seen
