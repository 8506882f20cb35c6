"""A pair's record is signed by an operator: to begin with signatures, before certificates end, and after a forger.

Who knows the pair says which site is active. What the voters hold may have been written by somebody else, so nothing of
a record that is not believed is taken over.
"""

from __future__ import annotations

import time
from contextlib import suppress

from shopsphere.foundation.errors import ShopSphereError
from shopsphere.witness.client import ABSENT, Witness
from shopsphere.witness.gateway import UnreadableWitnessError
from shopsphere.witness.record import PairRecord, Phase
from shopsphere.witness.seen import Seen

WHY = "signed by hand"


class SigningError(ShopSphereError):
    """What an operator wants to sign is not what is there."""


class SigningWitness(Witness):
    """The witness of a pair for an operator who signs its record; takes what `Witness` takes."""

    def sign(self, epoch: int, active: str, actor: str, *, replace: bool = False) -> PairRecord:
        """Sign the pair's record, and whose the epoch is, anew; from then on unsigned ones are not believed.

        A record that is not believed, or is to be replaced, is followed by one in which nobody is being moved, and
        nothing is known of the ledger.

        Args:
            epoch: the one that the pair is in, as the operator knows.
            active: the site that is active, as the operator knows.
            actor: who.
            replace: whatever is there is wrong, also where it was signed.

        Raises:
            SigningError: a record that is believed says otherwise, or the pair is being moved.
            WitnessConflictError: somebody changed it meanwhile, or another site has the lease.
            WitnessKeysError: the keys cannot be used.
            WitnessUnreachableError: no quorum answered.
        """
        seen, record = self._beside_record(), PairRecord.first(self.pair, active, actor=actor)
        with suppress(UnreadableWitnessError):
            if not replace:
                seen = self.see()
                record = self._as_it_is(seen.require_record(self.pair), epoch, active)
        known = max(record.serial, int(time.time() * 1000))  # whatever others know: this is a person's word
        signed = record.changed(actor=actor, reason=WHY, epoch=epoch, decision=None, serial=known)
        self.belief.demand()
        self.change(seen, signed, without_lease=True, but_of=active)
        return signed

    def _as_it_is(self, record: PairRecord, epoch: int, active: str) -> PairRecord:
        if record.phase is Phase.STEADY and (record.epoch, record.active) == (epoch, active):
            return record
        raise SigningError.build(
            f"{self.pair}: its record was not signed",
            expected=f"{Phase.STEADY}, epoch {epoch}, {active} active",
            found=f"{record.phase}, epoch {record.epoch}, {record.active} active, by {record.actor}: {record.reason}",
            action="end the change that is under way, name what `shopsphere status` shows, or add --replace",
        )

    def _beside_record(self) -> Seen:
        found = self._store.read(*self._read)
        entry, lease = found.get(self._keys.record), found.get(self._keys.lease)
        return Seen(None, entry.revision if entry else ABSENT, lease.value if lease else "")
