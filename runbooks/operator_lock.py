"""The lock that lets one operator at a time move a pair; it ends with its owner's process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from shopsphere.foundation.errors import ShopSphereError
from shopsphere.witness import Witness, WitnessUnreachableError

LOCK_SECONDS = 15
_RENEW_SECONDS = 4.0


@contextmanager
def operator_lock(witness: Witness, owner: str) -> Iterator[None]:
    """Hold the pair's lock.

    Raises:
        WitnessConflictError: somebody else has it.
        WitnessUnreachableError: no quorum answered.
    """
    lease = witness.lock(owner, seconds=LOCK_SECONDS)
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(_RENEW_SECONDS):
            with suppress(ShopSphereError):
                witness.renew_lease(lease)

    thread = threading.Thread(target=renew, name="operator-lock", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        with suppress(WitnessUnreachableError):  # then it runs out
            witness.release_lease(lease)
