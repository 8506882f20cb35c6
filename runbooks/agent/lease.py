"""A site's lease to write, as its agent holds it: prepared while a change is announced, taken, renewed, given back."""

from __future__ import annotations

import threading
from collections.abc import Callable

from runbooks.agent.config import Margins
from shopsphere.foundation.clock import Clock
from shopsphere.witness import Witness
from shopsphere.witness.client import Seen

_NONE = 0


class SiteLease:
    """The lease of one site; renewed by one thread, and taken and given back by others.

    The time that it gives counts from before the request was sent which the witness counts from: the grant, or the last
    renewal. Taking a prepared lease prolongs nothing.

    Args:
        witness: the pair's.
        site: this one.
        margins: how long the witness keeps it, and how long the site relies on it.
        learn: gets the monotonic time until which this site may write, whenever that changes; 0 for not at all.
        clock: replaceable in tests.
    """

    def __init__(
        self, witness: Witness, site: str, margins: Margins, learn: Callable[[float], None], clock: Clock
    ) -> None:
        self._witness, self._site, self._margins, self._learn, self._clock = witness, site, margins, learn, clock
        self._lease, self._counts_from = _NONE, 0.0
        self._asked = self._taken = False
        self._changing = threading.Lock()

    @property
    def taken(self) -> bool:
        """Whether this site has it."""
        return self._taken

    def prepare(self) -> int:
        """Have a lease ready that gives nothing yet, so that taking it is one request; returns its number.

        Raises:
            WitnessUnreachableError: no quorum answered.
        """
        lease, sent = self._lease, self._clock.monotonic()
        if not lease:
            lease = self._witness.prepare_lease(seconds=self._margins.lease)
            with self._changing:
                self._lease, self._counts_from, self._asked = lease, sent, False
        return lease

    def take(self, seen: Seen) -> None:
        """Take it for the record that was seen.

        Raises:
            WitnessConflictError: the record changed, or another site holds it.
            WitnessUnreachableError: no quorum answered.
        """
        lease = self.prepare()  # a renewal may forget it at any moment, and a key without a lease would stay for ever
        self._asked = True
        self._witness.take_lease(seen, self._site, lease)
        with self._changing:
            if self._lease == lease:  # a renewal may have found out meanwhile that it had ended
                self._taken = True
                self._learn_end()

    def renew(self) -> None:
        """Renew what is held or prepared, if anything; one that has ended is forgotten.

        Raises:
            WitnessUnreachableError: no quorum answered.
        """
        lease, sent = self._lease, self._clock.monotonic()
        if not lease:
            return
        alive = self._witness.renew_lease(lease)
        with self._changing:
            if self._lease != lease:
                return  # given back meanwhile
            if alive:
                self._counts_from = sent
                if self._taken:
                    self._learn_end()
            else:
                self._forget()

    def stop_writing(self) -> int:
        """Count as not having it from now on; returns the lease that is to be given back, 0 for none."""
        with self._changing:
            lease = self._lease if self._asked else _NONE  # an answer that was lost may have been a yes
            if lease:
                self._forget()
            self._learn(0.0)
        return lease

    def give_back(self, lease: int) -> None:
        """Let the witness know: whoever sees no lease may promote the other site.

        Raises:
            WitnessUnreachableError: no quorum answered; it runs out by itself.
        """
        if lease:
            self._witness.release_lease(lease)

    def drop_prepared(self) -> None:
        """Let a lease that was prepared for nothing run out."""
        with self._changing:
            if not self._asked:
                self._forget()

    def _forget(self) -> None:
        self._lease, self._asked, self._taken = _NONE, False, False

    def _learn_end(self) -> None:
        self._learn(self._counts_from + self._margins.fence_after)
