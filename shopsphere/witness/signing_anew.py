"""A pair's record is signed by an operator: to begin with signatures, before certificates end, and after a forger.

Who knows the pair says which site is active. What the voters hold may have been written by somebody else, so nothing of
a record that is not believed is taken over.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass

from shopsphere.foundation.errors import ShopSphereError
from shopsphere.witness.client import ABSENT, Witness
from shopsphere.witness.gateway import UnreadableWitnessError
from shopsphere.witness.record import PairRecord, Phase
from shopsphere.witness.seen import Seen

WHY = "signed by hand"


@dataclass(frozen=True)
class SigningWays:
    """What an operator types at this machine.

    Attributes:
        options: of `shopsphere witness`, beside the pair, with a space before each.
        to_agents: commands that show what each site's agent says of itself.
    """

    options: str = ""
    to_agents: tuple[str, ...] = ()


NO_WAYS = SigningWays()


class SigningError(ShopSphereError):
    """What an operator wants to sign is not what is there."""


class NoRecordToSignError(SigningError):
    """The voters hold no record of the pair: whether agents will write one is for them to say."""


class SigningWitness(Witness):
    """The witness of a pair for an operator who signs its record; takes what `Witness` takes."""

    def sign(
        self, epoch: int, active: str, actor: str, *, replace: bool = False, ways: SigningWays = NO_WAYS
    ) -> PairRecord:
        """Sign the pair's record, and whose the epoch is, anew; from then on unsigned ones are not believed.

        A record that is not believed, or is to be replaced, is followed by one in which nobody is being moved, and
        nothing is known of the ledger.

        Args:
            epoch: the one that the pair is in, as the operator knows.
            active: the site that is active, as the operator knows.
            actor: who.
            replace: whatever is there is wrong, also where it was signed; or nothing is there.
            ways: what an operator types, for refusals.

        Raises:
            NoRecordToSignError: there is none, and `replace` is not given.
            SigningError: a record that is believed says otherwise, or the pair is being moved.
            WitnessConflictError: somebody changed it meanwhile, or another site has the lease.
            WitnessKeysError: the keys cannot be used.
            WitnessUnreachableError: no quorum answered.
        """
        seen, record = self._beside_record(), PairRecord.first(self.pair, active, actor=actor)
        with suppress(UnreadableWitnessError):
            if not replace:
                seen = self.see()
                if seen.record is None:
                    raise self._nothing_there(epoch, active, ways)
                record = self._as_it_is(seen.record, epoch, active)
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

    def _nothing_there(self, epoch: int, active: str, ways: SigningWays) -> ShopSphereError:
        agents = " and ".join(ways.to_agents or ("the doors of both sites' agents",))
        words = f"{self.pair}{ways.options}"
        return NoRecordToSignError.build(
            f"{self.pair}: there is no record to sign",
            expected="one that an agent of the pair wrote: the first of a new pair, or what it remembers",
            found="none",
            action=f"ask what each agent remembers, `witness` in {agents}. A new pair: start its agents, they sign the "
            "first record. An agent names an epoch: it writes that within seconds, or its log says why not. Only where "
            "nobody remembers anything, before an agent starts, which would begin with epoch 1, and when `shopsphere "
            f"witness show {words}` lists the pair's own voters and each takes part: `shopsphere witness sign {words} "
            f"--epoch {epoch} --active {active} --replace`, with epoch and site of the last change on record "
            f"(`shopsphere history {self.pair}`)",
        )

    def _beside_record(self) -> Seen:
        found = self._store.read(*self._read)
        entry, lease = found.get(self._keys.record), found.get(self._keys.lease)
        return Seen(None, entry.revision if entry else ABSENT, lease.value if lease else "")
