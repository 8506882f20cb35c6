"""A site's lease to write, as its agent holds it: prepared while a change is announced, taken, renewed, given back."""

from __future__ import annotations

import threading
from collections.abc import Callable

from runbooks.agent.config import Margins
from shopsphere.foundation.clock import Clock
from shopsphere.witness import Witness
from shopsphere.witness.seen import Seen

_NONE = 0


class SiteLease:
    """The lease of one site; renewed by one thread, and taken and given back by others.

    The time of a lease counts from just before its grant or its last renewal was sent, so it is over here before it is
    over at the witness. Taking a prepared lease does not prolong it.

    Args:
        witness: the pair's.
        site: this one.
        margins: for how long the witness keeps a lease, and for how long the site relies on it (s).
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
        """Whether this site has taken the lease."""
        return self._taken

    @property
    def number(self) -> int:
        """Number of the lease that this site has taken; 0 while it has none."""
        with self._changing:
            return self._lease if self._taken else _NONE

    def prepare(self) -> int:
        """Obtain a lease that gives no right to write yet, so that taking it is one request; return its number.

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
        """Take the lease, if the record is still the one that was `seen`.

        Raises:
            WitnessConflictError: the record changed, or another site holds the lease.
            WitnessUnreachableError: no quorum answered.
        """
        lease = self.prepare()  # a local name: a renewal may forget it, and a key without a lease would never end
        self._asked = True
        self._witness.take_lease(seen, self._site, lease)
        with self._changing:
            if self._lease == lease:  # a renewal may have found meanwhile that the lease had ended
                self._taken = True
                self._learn_end()

    def renew(self) -> None:
        """Renew the lease that is held or prepared, if there is one; forget it if it has ended at the witness.

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
        """Treat the lease as lost from now on; return the number of the lease to give back, 0 for none."""
        with self._changing:
            lease = self._lease if self._asked else _NONE  # it may have been taken though the answer was lost
            if lease:
                self._forget()
            self._learn(0.0)
        return lease

    def give_back(self, lease: int) -> None:
        """Give the lease back to the witness: from then on the other site may be promoted.

        Raises:
            WitnessUnreachableError: no quorum answered; the lease runs out by itself.
        """
        if lease:
            self._witness.release_lease(lease)

    def drop_prepared(self) -> None:
        """Forget a lease that was prepared and never asked for; it runs out at the witness."""
        with self._changing:
            if not self._asked:
                self._forget()

    def _forget(self) -> None:
        self._lease, self._asked, self._taken = _NONE, False, False

    def _learn_end(self) -> None:
        self._learn(self._counts_from + self._margins.fence_after)
