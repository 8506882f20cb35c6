"""What the witness has of a pair at one moment: its record, and who may write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shopsphere.foundation.errors import ShopSphereError
from shopsphere.witness.record import PairRecord

BARRED = "barred by the agent of its site"
"""What the key of a node holds that gets no lease; no start of a host is called so."""


@dataclass(frozen=True)
class Seen:
    """The record and the lease at one moment.

    Attributes:
        record: None before the pair's first start.
        revision: of the record; 0 when it is absent.
        lease_holder: site that may take writes; empty when nobody may.
        nodes: of sites of several nodes: those whose databases may be open for writes, as site/node.
        barred: those that get no lease until their site's agent lets them in again, as site/node.
        lease: number of the lease of `lease_holder`; 0 for none.
    """

    record: PairRecord | None
    revision: int
    lease_holder: str
    nodes: tuple[str, ...] = ()
    barred: tuple[str, ...] = ()
    lease: int = 0

    @property
    def holders(self) -> tuple[str, ...]:
        """All who keep another site from being promoted: the site that has the lease, and nodes that have theirs."""
        return (*((self.lease_holder,) if self.lease_holder else ()), *self.nodes)

    def writer_seen_by(self, site: str) -> str:
        """Return who may write at this moment: another site, also one of which a node alone may; else who is left."""
        holders = [each.partition("/")[0] for each in self.holders]
        return next((holder for holder in holders if holder != site), self.lease_holder)

    def require_record(self, pair: str) -> PairRecord:
        """Return the record; `pair` names it in the error.

        Raises:
            ShopSphereError: there is none yet.
        """
        if self.record is None:
            raise ShopSphereError.build(
                f"{pair}: the witness has no record of the pair",
                expected="the first one of a new pair, or what agents remember: one of them writes it within seconds",
                found="none: no agent has reached these voters",
                action="start the agents of both sites, or read in their logs why they do not write it; "
                "docs/witness.md, “A witness without a record”",
            )
        return self.record


def nodes_in(values: Mapping[str, str], prefix: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the nodes that have a lease, and those that are barred, each as site/node; keys begin with `prefix`."""
    keys = {key.removeprefix(prefix): value for key, value in sorted(values.items()) if key.startswith(prefix)}
    nodes = tuple(key for key, value in keys.items() if value != BARRED)
    return nodes, tuple(key for key in keys if key not in nodes)
