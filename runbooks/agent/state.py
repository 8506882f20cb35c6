"""What an agent knows at a moment, and what follows from it: one pure function, so that every case can be tested."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from runbooks.agent.config import Margins
from runbooks.agent.databases import Role
from runbooks.agent.doors import Doors
from runbooks.permit import Permit
from shopsphere.estate.databases import REPLICATION_PORTS
from shopsphere.witness import PairRecord, Phase

REPLICA_LASTS = 30.0
"""Seconds for which databases that were seen to be replicas count as such, and are open for reading.

Looks are 5 s apart at most while the site's API answers; when it does not, nobody knows what is done to its databases.
"""
FRESH_SECONDS = float(Margins().lease)
"""Seconds for which an answer of the quorum stands against a permit: a lease that it knew of has ended by then."""
UNKNOWN = "nothing has shown of late that it has effect"
CUT_OFF = "the site's API does not answer this node, or an old primary runs here: another instance may lead by now"
NO_WAY = (
    "the site's API does not answer this node: databases here receive nothing from the other site, and confirm nothing"
)
ELSEWHERE = "no database leads on this node: those here receive from their own site, and nothing from the other one"
PERMIT_SECONDS = Margins().fence_after
"""Seconds for which a permit opens the doors each time that they are looked at: an agent that hangs shuts them."""


@dataclass(frozen=True)
class Knowledge:
    """What is known; None where it is not.

    Attributes:
        record: the witness's record as last read.
        lease_until: monotonic time until which this site may write; 0 without a lease.
        role: of this site's databases as last read.
        permit: the newest that was laid down here.
        promoting: the databases have not been seen to take writes since they were replicas or the agent started.
        follows_until: monotonic time until which the last proof that they are replicas counts; 0 without one.
        lease_holder: site that held the lease by the quorum's last answer; empty for none.
        heard_at: monotonic time at which the quorum was asked for that answer.
        proven_until: monotonic time until which the last proof counts that the fence has effect.
        unproven: why it is not proven; empty while it is, and where nobody has said why.
        site_until: monotonic time until which nothing here is taken to write beside what leads at the site.
        peer_until: monotonic time until which the databases here may receive from the pair's other site.
        peer_elsewhere: replication ports of databases that do not lead here: shut whatever `peer_until` says.
        nodes: further nodes of sites that had a lease by the quorum's last answer, as site/node.
        seen_nodes: those that have ever had one since the agent started.
    """

    record: PairRecord | None = None
    lease_until: float = 0.0
    role: Role | None = None
    permit: Permit | None = None
    promoting: bool = False
    follows_until: float = 0.0
    lease_holder: str = ""
    heard_at: float = field(default=-math.inf, compare=False)
    proven_until: float = math.inf
    unproven: str = ""
    site_until: float = math.inf
    peer_until: float = math.inf
    peer_elsewhere: frozenset[int] = frozenset()
    nodes: tuple[str, ...] = ()
    seen_nodes: frozenset[str] = frozenset()

    @property
    def standing_permit(self) -> Permit | None:
        """The permit, unless the witness is known to be in its epoch or a later one."""
        witnessed = self.record.epoch if self.record else None
        return self.permit if self.permit and self.permit.counts(witnessed) else None

    def counting_until(self, seen: float) -> float:
        """Return `follows_until` after replicas were seen again at `seen`: it does not move at each look."""
        return seen + REPLICA_LASTS if self.follows_until - seen < REPLICA_LASTS / 2 else self.follows_until

    def has_heard_lately(self, now: float) -> bool:
        """Whether the quorum has answered so lately that the witness cannot be called lost."""
        return now - self.heard_at < FRESH_SECONDS

    def witness_names_other(self, site: str, now: float) -> bool:
        """Whether the quorum has said lately that another site is active or may write."""
        if self.record is None or not self.has_heard_lately(now):
            return False
        return self.record.active != site or self.lease_holder not in {"", site}

    def shuts(self, site: str, node: str, now: float) -> bool:
        """Whether a further node of a site is known to have lost its lease, so that nobody reaches the databases there.

        A node that has never had one is not known: it may be the site's own, which has none beside the site's.
        """
        return node in self.shut_nodes(site, now)

    def has_nodes(self, site: str) -> bool:
        """Whether a further node of a site has ever had a lease since the agent started."""
        return any(key.startswith(f"{site}/") for key in (*self.seen_nodes, *self.nodes))

    @property
    def _may_be_permitted(self) -> bool:
        """Whether a further node may be open by a permit: also while the epoch lasts that one began.

        Such a node goes on by it until it hears the witness itself.
        """
        if self.permit is None:
            return False
        return self.record is None or self.permit.epoch >= self.record.epoch

    def shut_nodes(self, site: str, now: float) -> frozenset[str]:
        """Return the further nodes of a site that `shuts` says so of."""
        if not self.has_heard_lately(now) or self._may_be_permitted:
            return frozenset()
        lost = self.seen_nodes.difference(self.nodes)
        return frozenset(key.removeprefix(f"{site}/") for key in lost if key.startswith(f"{site}/"))

    def is_proven(self, now: float) -> bool:
        """Whether it is known that the fence has effect."""
        return self.proven_until > now

    def reaches_peer(self, now: float) -> bool:
        """Whether a database here may receive from the pair's other site."""
        return self.peer_until > now and not self.peer_elsewhere >= {*REPLICATION_PORTS}

    @property
    def moves(self) -> bool:
        """Whether a runbook is moving the pair."""
        return self.record is not None and self.record.phase is not Phase.STEADY


def doors(site: str, known: Knowledge, now: float) -> Doors:
    """Decide what is open at `now`: whatever is not known counts against opening."""
    if not known.is_proven(now):
        return Doors(databases=False, writes=False, because=f"the fence is not proven: {known.unproven or UNKNOWN}")
    if known.site_until <= now:
        return Doors(databases=False, writes=False, because=CUT_OFF)
    decided = _of_proven(site, known, now)
    until = min(decided.until, known.proven_until, known.site_until)
    return replace(decided, until=until) if decided.databases else decided


def _of_proven(site: str, known: Knowledge, now: float) -> Doors:
    """Decide for a site whose fence has effect."""
    record, permit = known.record, known.standing_permit
    role = known.role
    if role is Role.REPLICA:
        if known.follows_until > now:
            because = "the databases follow the other site: reading only"
            return Doors(databases=True, writes=False, because=because, until=known.follows_until)
        role = None  # it was one; what it is now is not known
    if permit:
        return _permitted(site, known, permit, now)
    if known.lease_until <= now or record is None:
        return Doors(databases=False, writes=False, because=_without_lease(known))
    if record.active != site or record.phase is Phase.FENCING:
        because = f"{record.phase}, active is {record.active}: {record.reason}"
        return Doors(databases=False, writes=False, because=because)
    shut = "the databases are being promoted" if known.promoting else ""
    if role is None:
        shut = "nothing is known of the databases yet"
    if record.phase is Phase.DRAINING:
        shut = f"draining: {record.reason}"
    because = shut or f"lease held in epoch {record.epoch}"
    return Doors(databases=True, writes=not shut, because=because, until=known.lease_until)


def _without_lease(known: Knowledge) -> str:
    if known.role is Role.REPLICA:
        return "no lease, and nothing has shown of late that the databases are replicas: not even reading"
    return "no lease: this site may not write"


def _permitted(site: str, known: Knowledge, permit: Permit, now: float) -> Doors:
    """Decide by a permit: it opens its own site alone, and not against a witness that answers."""
    because = f"{permit.active} may write without the witness: {permit.reason}"
    opens = permit.active == site
    if opens and known.witness_names_other(site, now):
        opens, because = False, f"the witness answers and has to agree first: {because}"
    takes_writes = opens and known.role is not Role.REPLICA
    return Doors(opens, takes_writes, because, until=now + PERMIT_SECONDS if opens else math.inf)


def has_to_go(site: str, known: Knowledge, record: PairRecord) -> bool:
    """Whether a site has to give its lease back: another one is active, or a runbook waits for it."""
    drained = record.phase is Phase.DRAINING and known.role is Role.REPLICA
    return record.active != site or record.phase is Phase.FENCING or drained
