"""What an agent believes of the pair's record, over a start of its own too, and what it says of that."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from runbooks.agent.config import AgentConfig
from runbooks.agent.permits import kept_in
from shopsphere.foundation.files import write_whole
from shopsphere.witness.belief import Belief, Remembered
from shopsphere.witness.identity import Identity

KEEP_EVERY = 1.0
"""Seconds between two looks whether there is something new to keep. It is not waited for: a full disk must not keep a
site from the lease, nor from giving it back."""
_ENDING = ".believed.json"


def belief_of(config: AgentConfig, identity: Identity) -> Belief:
    """Return what this agent believes, with what an earlier start has kept.

    Raises:
        ShopSphereError: what was kept cannot be read.
    """
    remembered = kept_in(Remembered, config.permit.with_suffix(_ENDING))
    return Belief(config.pair, identity, demanded=config.witness_signed, remembered=remembered)


class BeliefKeeper:
    """Keeps on the agent's disk what it believes; used by one thread, and told to others.

    Args:
        config: says where.
        belief: of the agent.
    """

    def __init__(self, config: AgentConfig, belief: Belief) -> None:
        self._file, self._belief = config.permit.with_suffix(_ENDING), belief
        self._kept = belief.remembered

    def keep_belief(self) -> None:
        """Write what is new.

        Raises:
            OSError: it cannot be written; the next call tries again.
        """
        now = self._belief.remembered
        if now is not None and now != self._kept:
            write_whole(self._file, now.model_dump_json())
            self._kept = now

    def described(self, describe: Callable[[], Mapping[str, object]]) -> Callable[[], dict[str, object]]:
        """Return a description that also tells whether records have to be signed, and which one is not believed."""
        return lambda: {**describe(), "belief": {"signed": self._belief.demands, "problem": self._belief.problem}}
