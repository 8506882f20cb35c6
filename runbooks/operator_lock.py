"""The lock that lets one operator at a time move a pair; it ends with its owner's process.

It is a fence, not a notice: whoever does not know for certain that the lock is theirs does nothing more. Its time
counts from before a renewal was sent, by a clock that goes on while the machine is suspended.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock
from shopsphere.foundation.errors import ShopSphereError, one_line
from shopsphere.foundation.progress import say
from shopsphere.witness import LockLostError, Witness

LOCK_SECONDS = 15
MARGIN_SECONDS = 2.0
"""What is left of the lock's time (s) when its owner stops: a request that was sent just before has to arrive."""
_RENEW_SECONDS = 4.0


def owner_now(operator: str, reason: str) -> str:
    """Return what a lock says of its owner, for others who want it: who, since now, and why."""
    return f"{operator} since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC: {reason}"


class OperatorLock:
    """The lock of one run, as long as it is known to be held.

    Args:
        witness: the pair's.
        owner: who, since when and why, for others who want it.
        clock: replaceable in tests.
        rotation: the lock of rotations instead, which keeps nobody from moving the pair.

    Raises:
        WitnessConflictError: somebody else has it.
        WitnessUnreachableError: no quorum answered.
    """

    def __init__(self, witness: Witness, owner: str, clock: Clock = SYSTEM_CLOCK, *, rotation: bool = False) -> None:
        self._witness, self._clock = witness, clock
        sent = clock.monotonic()
        take = witness.lock_rotation if rotation else witness.lock
        self.lock = take(owner, seconds=LOCK_SECONDS)
        self._until, self._gone, self._problem = sent + LOCK_SECONDS - MARGIN_SECONDS, False, ""

    @property
    def token(self) -> str:
        """What marks the clusters that this run may change; no other run has the same."""
        return f"{self.lock.lease:x}-{self.lock.revision}"

    def renew(self) -> bool:
        """Renew it; False when it is gone for good. What does not answer is tried again, while there is time."""
        sent = self._clock.monotonic()
        try:
            alive = self._witness.renew_lease(self.lock.lease)
        except ShopSphereError as error:
            self._problem = one_line(error)
            say(f"         the operators' lock was not renewed: {self._problem}")
            return True
        if alive and not self._gone:
            self._until = sent + LOCK_SECONDS - MARGIN_SECONDS
        else:
            self._gone = True
        return alive

    def require(self) -> None:
        """Refuse to go on unless the lock is held now, as far as it can be known without asking the witness.

        Raises:
            LockLostError: it ran out, or may have.
        """
        late = self._clock.monotonic() - self._until
        if self._gone or late >= 0:
            why = "it ran out, or was given back" if self._gone else f"no good renewal in time, {late:.0f} s late"
            raise LockLostError.build(
                f"{self._witness.pair}: the operators' lock was lost; another operator may be at work",
                expected=f"a renewal at least every {LOCK_SECONDS - MARGIN_SECONDS:.0f} s",
                found=f"{why}; {self._problem}" if self._problem else f"{why}: was this machine asleep?",
                action="ask who is at work now, then call the same command again: it looks at everything anew",
            )

    def confirm(self) -> None:
        """Ask the quorum too, which also finds out what the clock of this machine does not show.

        Raises:
            LockLostError: it is not this run's any more.
            WitnessUnreachableError: no quorum answered.
        """
        self.require()
        try:
            self._witness.confirm(self.lock)
        except LockLostError:
            self._gone = True
            raise

    def release(self) -> None:
        """Give it back; if the witness does not answer, or not to this machine any more, it runs out.

        Whatever of this run still goes on in a thread, as an act that ran out of time, changes nothing any more.
        """
        self._gone = True
        with suppress(ShopSphereError):
            self._witness.release_lease(self.lock.lease)


@contextmanager
def operator_lock(witness: Witness, owner: str, *, rotation: bool = False) -> Iterator[OperatorLock]:
    """Hold the pair's lock, or that of rotations, renewed by a thread of its own.

    Raises:
        WitnessConflictError: somebody else has it.
        WitnessUnreachableError: no quorum answered.
    """
    held, ended = OperatorLock(witness, owner, rotation=rotation), threading.Event()

    def renew() -> None:
        while not ended.wait(_RENEW_SECONDS) and held.renew():
            pass

    thread = threading.Thread(target=renew, name="operator-lock", daemon=True)
    thread.start()
    try:
        yield held
    finally:
        ended.set()
        thread.join()
        held.release()
