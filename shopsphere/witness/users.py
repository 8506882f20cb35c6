"""Who may do what at a pair's witness: its keys, and the users with the parts of it that each may read or change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shopsphere.topology import Pair

ROOT = "root"
"""Sets users and roles, and looks after the store; used by `shopsphere witness secure` and `tend` alone."""
OPERATOR = "operator"
"""Moves the pair: runbooks."""
WATCHER = "watcher"
"""Looks, and changes nothing: `status`, `ready`, `watch`, `drift`, `doctor`."""


def agent_user(site: str) -> str:
    """Return the user of a site's agent."""
    return f"agent-{site}"


class Right(StrEnum):
    """What etcd calls a permission's type."""

    READ = "READ"
    CHANGE = "READWRITE"


@dataclass(frozen=True)
class PairKeys:
    """The keys of one pair.

    Attributes:
        all: what they all begin with.
        record: the pair's record.
        lease: of the site that may take writes.
    nodes: what the keys begin with of nodes whose databases are, or were just now, open for writes.
        runbook: the operators' lock.
        rotation: the lock of whoever renews the pair's secrets, which keeps nobody from moving it.
        audit: what the heads of audit logs begin with.
    """

    all: str
    record: str
    lease: str
    nodes: str
    runbook: str
    rotation: str
    audit: str

    def nodes_of(self, site: str) -> str:
        """Return what the keys of a site's nodes begin with."""
        return f"{self.nodes}{site}/"

    @classmethod
    def of(cls, pair: str) -> PairKeys:
        """Return the keys of a pair."""
        start = f"/shopsphere/{pair}/"
        names = ("record", "lease", "nodes/", "runbook", "rotation", "audit/")
        return cls(start, *(f"{start}{name}" for name in names))


Rights = Mapping[str, Right]
"""Rights by key; one that ends in a slash stands for all keys that begin with it."""


def users_of(pair: Pair) -> Mapping[str, Rights]:
    """Return the users of a pair's witness beside root, and the rights of each; nobody has a right that is not here."""
    keys = PairKeys.of(pair.name)
    reads: Rights = {keys.all: Right.READ}
    agent = {**reads, keys.record: Right.CHANGE, keys.lease: Right.CHANGE}
    return {
        OPERATOR: {**reads, **dict.fromkeys((keys.record, keys.runbook, keys.rotation, keys.audit), Right.CHANGE)},
        WATCHER: reads,
        **{agent_user(site): {**agent, keys.nodes_of(site): Right.CHANGE} for site in pair.sites},
    }
