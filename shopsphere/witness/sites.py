"""The witness as the agent of a site uses it: what its voters have forgotten, the agent writes anew."""

from __future__ import annotations

from collections.abc import Sequence

import httpx

from shopsphere.witness.belief import Belief, OlderRecordError
from shopsphere.witness.client import ABSENT, Witness
from shopsphere.witness.gateway import VOTER_SECONDS
from shopsphere.witness.identity import Identity
from shopsphere.witness.record import Phase, Sync
from shopsphere.witness.seen import BARRED, Seen
from shopsphere.witness.store import has_value, removed, unchanged


class SiteWitness(Witness):
    """The witness of a pair, for the one agent of a site that changes its record.

    Args:
        pair: its name.
        urls: client addresses of the voters.
        identity: of the site's agents; None where the voters take anybody.
        site: the agent's.
        belief: which records count.
        seconds: bound on each voter's answer.
        transport: replaceable in tests.
    """

    def __init__(
        self,
        pair: str,
        urls: Sequence[str],
        identity: Identity | None = None,
        *,
        site: str,
        belief: Belief | None = None,
        seconds: float = VOTER_SECONDS,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        super().__init__(pair, urls, identity, belief=belief, seconds=seconds, transport=transport)
        self._site = site

    def bar_node(self, seen: Seen, node: str, lease: int) -> bool:
        """Keep a node of this site, the active one, from a lease that it has not, for as long as the site has its own.

        From then on its fence is shut, and stays so: it had no lease at the moment of this transaction, and gets none.

        Args:
            seen: the record that was seen, which has to be the same still.
            node: its name.
            lease: number of the site's lease: the bar ends with it.

        Returns:
            Whether it is barred; it is not where it has a lease.

        Raises:
            WitnessConflictError: the record that was seen does not let this site write.
            WitnessUnreachableError: no quorum answered.
        """
        key = f"{self._keys.nodes_of(self._site)}{node}"
        held = has_value(self._keys.lease, self._site)
        compare = [*self._may_write(seen, self._site), held, unchanged(key, ABSENT)]
        found = self._claim(key, BARRED, compare, lease)
        if found is not None and found.value == BARRED:  # it would end with an earlier lease of the site
            found = self._claim(key, BARRED, [*compare[:-1], has_value(key, BARRED)], lease)
        return found is None

    def let_in(self, node: str) -> None:
        """Let a node have a lease again; raises WitnessUnreachableError when no quorum answered."""
        key = f"{self._keys.nodes_of(self._site)}{node}"
        self._store.swap([has_value(key, BARRED)], [removed(key)], key)

    def see(self) -> Seen:
        """Return record and lease; where the voters have an older record than this site has seen, write that anew.

        Voters that lost their disks, or got older ones, have forgotten who was made active, or that payments may be
        missing at the other site. Nobody is being moved after that, and nothing is known of the ledger.

        Raises:
            WitnessConflictError: somebody was faster, or another site holds the lease.
            WitnessUnreachableError: no quorum answered. Otherwise as for others.
        """
        try:
            return super().see()
        except OlderRecordError as older:
            record = older.newest.changed(
                actor=f"agent of {self._site}",
                reason=f"the witness had an older record of epoch {older.newest.epoch}",
                phase=Phase.STEADY,
                sync=Sync.OFF,
            )
            own = self._site if record.active == self._site else ""
            return self.change(older.found, record, without_lease=True, but_of=own)
