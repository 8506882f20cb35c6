"""The lease of one node of a site: while a node has it, no other site's databases can be opened.

A site of several nodes has the site's lease, and each further node has one of its own. Only the node's agent renews
it, so how long the fence of the node stays open follows from the node's own clock and its own way to the witness. The
next epoch begins when nobody has a lease, nodes included: one that does not answer is waited for until its lease is
over, and by then its fence has closed itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from shopsphere.witness.belief import Belief
from shopsphere.witness.client import ABSENT, NOTHING, Witness
from shopsphere.witness.gateway import VOTER_SECONDS
from shopsphere.witness.identity import Identity
from shopsphere.witness.record import PairRecord
from shopsphere.witness.seen import BARRED, Seen
from shopsphere.witness.store import WitnessConflictError, has_value, put, unchanged

_TRIES = 2
"""With what was seen, and with what the voters say is there instead."""


class NodeWitness(Witness):
    """The witness as a further node of a site uses it: it takes a lease of its own, and never changes the record.

    Args:
        pair: its name.
        urls: client addresses of the voters.
        identity: of the site's agents; None where the voters take anybody.
        node: this one.
        boot: names this start of the node's host. A lease that an earlier agent of the same start left is replaced,
            because a new agent closes the fence before anything else. Any other one has to end first: it may be that
            of another host that was given the same name by mistake, whose fence is open.
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
        node: str,
        boot: str,
        belief: Belief | None = None,
        seconds: float = VOTER_SECONDS,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        super().__init__(pair, urls, identity, belief=belief, seconds=seconds, transport=transport)
        self._node, self._boot = node, boot

    def take_lease(self, seen: Seen, site: str, lease: int) -> None:
        """Give this node of the active site a prepared lease; raises as for a site.

        The site's own lease need not be held: the node may be quicker, and the site's host may be the one that is lost.
        Another site's must not be. What was `seen` is tried first, since customers wait; the site may take its own
        meanwhile, so the voters say what is there now where it is something else.
        """
        key = f"{self._keys.nodes_of(site)}{self._node}"
        of_site = site if seen.lease_holder == site else ""
        own = self._boot if f"{site}/{self._node}" in seen.nodes else ""
        for _ in range(_TRIES):
            compare = [*self._may_write(seen, site), *self._is_free_for(key, site, of_site, own)]
            done = self._store.swap(compare, [put(key, self._boot, lease)], key, self._keys.lease)
            if done.has_claimed(key, lease):
                return
            before = of_site, own
            of_site, own = (done.found.get(each, NOTHING).value for each in (self._keys.lease, key))
            if before == (of_site, own):
                break  # leases are as they were seen: something else has changed
        raise self._not_given(self._node, "the record unchanged, and no lease of others", "a change of one of them")

    def _is_free_for(self, key: str, site: str, of_site: str, own: str) -> list[Mapping[str, Any]]:
        """Return what has to hold so that this node gets its lease, where the site's and its own are such now.

        Raises:
            WitnessConflictError: that would not do.
        """
        if of_site not in {"", site}:
            raise self._not_given(self._node, "no lease of others", of_site)
        if own not in {"", self._boot}:
            other = BARRED if own == BARRED else "one of another start of this node"
            raise self._not_given(self._node, "no lease of others", other)
        return [
            has_value(self._keys.lease, site) if of_site else unchanged(self._keys.lease, ABSENT),
            has_value(key, self._boot) if own else unchanged(key, ABSENT),
        ]

    def change(self, seen: Seen, record: PairRecord, *, without_lease: bool = False, but_of: str = "") -> Seen:
        """Refuse: the agent that has the site's lease changes the record.

        Raises:
            WitnessConflictError: always.
        """
        raise WitnessConflictError.build(
            f"{self._node} changes no record",
            expected=f"the agent of the site to write epoch {record.epoch}",
            found=f"an agent of a further node, at revision {seen.revision}, lease {without_lease} {but_of}".rstrip(),
            action="nothing: this agent reads the record again",
        )
