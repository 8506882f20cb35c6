"""The state record of a pair: epoch, active site and, following from it, the weight of each address.

The record is one line of Lua that every steering record includes, so one change of it turns all names of the pair.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shopsphere.clients.edge_errors import PairStateError
from shopsphere.clients.powerdns import RRset
from shopsphere.foundation.exchanged import LAST_EPOCH
from shopsphere.names.steering import lua_content, state_label
from shopsphere.topology import Pair, Topology
from shopsphere.witness.record import FIRST_EPOCH

_STATE = re.compile(
    r"state=\{pair='(?P<pair>[a-z0-9-]+)',epoch=(?P<epoch>[1-9][0-9]{0,17}),active='(?P<active>[a-z0-9-]+)'"
    r"(?P<leaving>,leaving=true)?(?:,[a-z_]{1,32}=[^,{}]{1,64}){0,16}\}"  # the last: what a newer version adds
)


@dataclass(frozen=True)
class PairState:
    """What changes at run time.

    Attributes:
        epoch: grows by one at each change of the active site; the first is 1.
        active: the site that takes writes.
        leaving: a planned change is leaving the active site, which takes no writes any more. Names lead readers to the
            other site already, so that resolvers know its address when it becomes active.
    """

    epoch: int
    active: str
    leaving: bool = False


def zone_of(topology: Topology) -> str:
    """Return the fully qualified name of the zone, with the dot at the end."""
    return f"{topology.domain}."


def public_addresses(topology: Topology) -> dict[str, str]:
    """Return the address that customers reach each site at."""
    return {name: str(site.faces_customers_at) for name, site in topology.sites.items()}


@dataclass(frozen=True)
class PairDeclaration:
    """What does not change at run time.

    Attributes:
        zone: fully qualified, with the dot at the end.
        pair: name of the pair.
        primary: site that is active at first.
        recovery: the other site.
        addresses: public address by site.
        active_weight: share of the active site (%).
        passive_weight: share of the other one (%).
        ttl: seconds.
    """

    zone: str
    pair: str
    primary: str
    recovery: str
    addresses: Mapping[str, str]
    active_weight: int
    passive_weight: int
    ttl: int

    @classmethod
    def of(cls, props: Mapping[str, Any]) -> PairDeclaration:
        """Read a resource's inputs."""
        return cls(
            zone=props["zone"],
            pair=props["pair"],
            primary=props["primary"],
            recovery=props["recovery"],
            addresses=dict(props["addresses"]),
            active_weight=int(props["activeWeight"]),
            passive_weight=int(props["passiveWeight"]),
            ttl=int(props["ttl"]),
        )

    @classmethod
    def declared(cls, topology: Topology, pair: Pair, addresses: Mapping[str, str]) -> PairDeclaration:
        """Return what the edge declares of a pair.

        Args:
            topology: names the zone.
            pair: the pair.
            addresses: public address by site, of at least both its sites; see `public_addresses`.
        """
        return cls(
            zone=zone_of(topology),
            pair=pair.name,
            primary=pair.primary,
            recovery=pair.recovery,
            addresses={site: addresses[site] for site in pair.sites},
            active_weight=pair.weights.active,
            passive_weight=pair.weights.passive,
            ttl=pair.dns_ttl_seconds,
        )

    def props(self) -> dict[str, Any]:
        """Return a resource's inputs: what `of` reads."""
        return {
            "zone": self.zone,
            "pair": self.pair,
            "primary": self.primary,
            "recovery": self.recovery,
            "addresses": dict(self.addresses),
            "activeWeight": self.active_weight,
            "passiveWeight": self.passive_weight,
            "ttl": self.ttl,
        }

    @property
    def sites(self) -> tuple[str, str]:
        """The primary and the recovery site, in this order whatever their roles are."""
        return (self.primary, self.recovery)

    @property
    def name(self) -> str:
        """Fully qualified name of the record."""
        return f"{state_label(self.pair)}.{self.zone}"

    @property
    def first(self) -> PairState:
        """The state of a pair whose role never changed."""
        return PairState(FIRST_EPOCH, self.primary)

    def rrset(self, state: PairState) -> RRset:
        """Return the record that says `state`.

        Raises:
            PairStateError: the epoch is out of bounds, or the site is not of this pair.
        """
        if not FIRST_EPOCH <= state.epoch <= LAST_EPOCH or state.active not in self.sites:
            raise PairStateError.build(
                f"{state} is no state of pair {self.pair}",
                expected=f"epoch {FIRST_EPOCH} to {LAST_EPOCH}, one of {' and '.join(self.sites)} as active site",
                found=f"epoch {state.epoch}, active site {state.active!r}",
                action="correct the call",
            )
        shares = ",".join(f"{{{self._weight(site, state)},'{self.addresses[site]}','{site}'}}" for site in self.sites)
        leaving = ",leaving=true" if state.leaving else ""
        code = f"state={{pair='{self.pair}',epoch={state.epoch},active='{state.active}'{leaving}}} sites={{{shares}}}"
        return RRset(self.name, "LUA", self.ttl, (lua_content("LUA", code),))

    def stated(self, found: RRset | None) -> PairState | None:
        """Return the epoch and active site that a record names, also where weights or addresses are not as declared."""
        if found is None or len(found.records) != 1:
            return None
        match = _STATE.search(found.records[0])
        if not match or match["pair"] != self.pair or match["active"] not in self.sites:
            return None
        if int(match["epoch"]) > LAST_EPOCH:
            return None
        return PairState(int(match["epoch"]), match["active"], leaving=bool(match["leaving"]))

    def valid(self, found: RRset | None) -> PairState | None:
        """Return the state when the record is one that this declaration can have, letter for letter."""
        state = self.stated(found)
        return state if state and self.rrset(state) == found else None

    def _weight(self, site: str, state: PairState) -> int:
        leads = (site == state.active) != state.leaving
        return self.active_weight if leads else self.passive_weight
