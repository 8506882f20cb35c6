"""GlobalDns: the zone, the way of each client to its region, and of each region's name to its active site."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from components.edge.resources import DnsPairState, DnsRRset, DnsZone, DnsZoneKeys
from shopsphere.clients.edge_identity import KEYS_FOLDER
from shopsphere.estate.edge_config import EdgeConfig
from shopsphere.names.apex import issuing
from shopsphere.names.pair_state import PairDeclaration, public_addresses, zone_of
from shopsphere.names.steering import RegionRule, geo_content, pair_content, region_rules
from shopsphere.names.zone_keys import ALGORITHM
from shopsphere.topology import Topology
from shopsphere.topology.public_names import APEX, STATIC, WWW

FIXED_TTL_SECONDS = 60
"""For names whose address follows no role. Public resolvers honour it, and a wrong entry is gone in a minute."""
NEGATIVE_TTL_SECONDS = 5
"""Seconds for which resolvers remember that a name does not exist: no longer than steered names live."""


@dataclass(frozen=True)
class GlobalDnsModel:
    """Static facts of the zone.

    Attributes:
        zone: fully qualified, with the dot at the end.
        shop_host: public name of the shop, which the sites are asked for.
        pairs: what is declared of each, by name.
        rules: client networks by pair, the default first.
        addresses: public address of every site.
        nameservers: address by label.
        hostmaster: label of the mailbox that answers for the zone.
        cdn_address: where static assets are served.
        authorities: name and address of each authority's API.
        keys_folder: where the certificates for those APIs are.
        certificate_issuers: authorities that may issue certificates for names of the zone.
        parent_servers: addresses of the parent zone's name servers.
    """

    zone: str
    shop_host: str
    pairs: Mapping[str, PairDeclaration]
    rules: tuple[RegionRule, ...]
    addresses: Mapping[str, str]
    nameservers: Mapping[str, str]
    hostmaster: str
    cdn_address: str
    authorities: tuple[Mapping[str, str], ...]
    keys_folder: str
    certificate_issuers: tuple[str, ...] = ()
    parent_servers: tuple[str, ...] = ()

    @classmethod
    def of(cls, topology: Topology, config: EdgeConfig) -> GlobalDnsModel:
        """Join topology and configuration."""
        addresses = public_addresses(topology)
        return cls(
            zone=zone_of(topology),
            shop_host=topology.shop_host,
            pairs={pair.name: PairDeclaration.declared(topology, pair, addresses) for pair in topology.pairs.values()},
            rules=region_rules(topology),
            addresses=addresses,
            nameservers={server.name: str(server.address) for server in config.nameservers},
            hostmaster=config.hostmaster,
            cdn_address=str(config.cdn_address),
            authorities=tuple({"name": each.name, "url": each.url} for each in config.dns_authorities),
            keys_folder=config.edge_keys,
            certificate_issuers=config.certificate_issuers,
            parent_servers=tuple(map(str, config.parent_servers)),
        )

    @property
    def shared(self) -> dict[str, Any]:
        """Inputs of every resource in the zone."""
        authorities = [dict(each) for each in self.authorities]
        return {"authorities": authorities, KEYS_FOLDER: self.keys_folder, "zone": self.zone}

    @property
    def steered_ttl(self) -> int:
        """TTL of names that follow a role (s): the shortest that any pair asks for, since `www` leads to all."""
        return min(pair.ttl for pair in self.pairs.values())

    def zone_inputs(self) -> dict[str, Any]:
        """Return the inputs of the zone and its apex."""
        return {
            **self.shared,
            "nameservers": [f"{label}.{self.zone}" for label in self.nameservers],
            "hostmaster": f"{self.hostmaster}.{self.zone}",
            "negativeTtl": NEGATIVE_TTL_SECONDS,
            "ttl": FIXED_TTL_SECONDS,
        }

    def key_inputs(self) -> dict[str, Any]:
        """Return the inputs of the keys that sign the zone."""
        return {**self.shared, "algorithm": ALGORITHM, "parentServers": list(self.parent_servers)}

    def state_inputs(self, pair: PairDeclaration) -> dict[str, Any]:
        """Return the inputs of a pair's state record."""
        return {**self.shared, **pair.props()}

    def steered_names(self) -> dict[str, dict[str, Any]]:
        """Return the names that include a state record: one per pair, `www`, and the domain, which leads there too."""
        host, by_client = self.shop_host, geo_content(self.rules, self.shop_host)
        names = {name: self._lua(name, pair_content(name, host), pair.ttl) for name, pair in self.pairs.items()}
        return {**names, **{label: self._lua(label, by_client, self.steered_ttl) for label in (WWW, APEX)}}

    def fixed_names(self) -> dict[str, dict[str, Any]]:
        """Return the names that follow no role: each site, the name servers and the CDN."""
        addresses = {**self.addresses, **self.nameservers, STATIC: self.cdn_address}
        return {label: self._rrset(label, "A", address, FIXED_TTL_SECONDS) for label, address in addresses.items()}

    def issuers(self) -> dict[str, Any] | None:
        """Return the inputs of the record that says who may issue certificates; None where nobody was named."""
        records = list(issuing(self.certificate_issuers))
        shared = {**self.shared, "name": self.zone, "type": "CAA", "ttl": FIXED_TTL_SECONDS}
        return {**shared, "records": records} if records else None

    def _lua(self, label: str, content: str, ttl: int) -> dict[str, Any]:
        return self._rrset(label, "LUA", content, ttl)

    def _rrset(self, label: str, type_: str, content: str, ttl: int) -> dict[str, Any]:
        name = self.zone if label == APEX else f"{label}.{self.zone}"
        return {**self.shared, "name": name, "type": type_, "ttl": ttl, "records": [content]}


class GlobalDns(pulumi.ComponentResource):
    """The zone at every authority.

    All names exist from the first deployment on: if a name were created during a failover, resolvers would still
    remember that it does not exist.
    """

    zone: pulumi.Output[str]
    ds: pulumi.Output[list[str]]
    names: pulumi.Output[list[str]]

    def __init__(self, name: str, model: GlobalDnsModel, options: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shopsphere:edge:GlobalDns", name, None, options)
        zone = DnsZone(name, model.zone_inputs(), pulumi.ResourceOptions(parent=self))
        # Signed before anything is in it: a name is never answered without its signature, nor a key taken before names.
        keys = DnsZoneKeys(name, model.key_inputs(), pulumi.ResourceOptions(parent=self, depends_on=[zone]))
        in_zone = pulumi.ResourceOptions(parent=self, depends_on=[zone, keys])
        for label, inputs in model.fixed_names().items():
            DnsRRset(label, inputs, in_zone)
        if issuers := model.issuers():
            DnsRRset("certificate-issuers", issuers, in_zone)
        states = [DnsPairState(pair.pair, model.state_inputs(pair), in_zone) for pair in model.pairs.values()]
        steered = model.steered_names()
        for label, inputs in steered.items():
            DnsRRset(label, inputs, pulumi.ResourceOptions(parent=self, depends_on=states))
        self.zone = pulumi.Output.from_input(model.zone)
        self.names = pulumi.Output.from_input(sorted([*steered, *model.fixed_names()]))
        self.ds = keys.ds
        self.register_outputs({"zone": self.zone, "ds": self.ds, "names": self.names})
