"""Proofs that the fence has effect: without one that is young, a site counts as closed.

A fence that is not evaluated shuts nothing off, and its site would go on writing after the other one was promoted. So
whoever cannot show that it works opens nothing, and takes no lease.
A lease that is held already is kept. To give it back would let the other site be promoted while nothing keeps the
databases here from writing. It goes when a runbook asks for it, so that a person decides, or with the host's power.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock
from shopsphere.foundation.errors import ShopSphereError, one_line, told

PROVE_EVERY = 30.0
"""Seconds between two proofs."""
PROVE_AGAIN = 2.0
"""Seconds until the next try after one that failed: the site is shut off meanwhile."""
PROOF_LASTS = 90.0
"""Seconds for which a proof counts while the next ones have no answer, as on a host that is busy."""


class NoEffectError(ShopSphereError):
    """The fence is not as it should be, or what it needs is not there."""


class Proof(Protocol):
    """Shows that the fence has effect now."""

    def __call__(self) -> None:
        """Return when it has; raises NoEffectError when it has not, ShopSphereError when that cannot be told."""


class Learn(Protocol):
    """Keeps what was found."""

    def __call__(self, *, proven_until: float, unproven: str) -> None:
        """Keep until when the proof counts (monotonic time), and why there is none; empty while there is."""


class FenceProofs:
    """Proves again and again.

    Args:
        proof: one proof.
        learn: keeps its result.
        tell: gets a line when the result changes.
        clock: replaceable in tests.
        refuted: called whenever the fence has no effect, so that it is loaded again.
    """

    def __init__(
        self,
        proof: Proof,
        learn: Learn,
        tell: Callable[[str], None],
        clock: Clock = SYSTEM_CLOCK,
        *,
        refuted: Callable[[], object] = lambda: None,
    ) -> None:
        self._proof, self._learn, self._tell, self._clock, self._refuted = proof, learn, tell, clock, refuted
        self._until, self._said = 0.0, ""

    def prove_fence(self) -> None:
        """Try once. What fails counts at once; what cannot be told leaves the last proof, as long as that one lasts."""
        began = self._clock.monotonic()
        why = ""
        try:
            self._proof()
            self._until = began + PROOF_LASTS
        except NoEffectError as error:
            why, self._until = one_line(error), 0.0
            self._refuted()
        except Exception as error:  # noqa: BLE001 whatever kept it from being told, an agent that ends tells nothing
            why = told(error)
        self._learn(proven_until=self._until, unproven=why)
        if why != self._said:
            self._tell(f"fence: {why or 'it is proven again that it has effect'}")
            self._said = why

    def pause(self) -> float:
        """Return the seconds until the next try."""
        return PROVE_AGAIN if self._said else PROVE_EVERY
