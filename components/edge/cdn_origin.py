"""CdnOrigin: the one thing that may leave every jurisdiction, static assets through a public CDN."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from components.edge.resources import CdnDistribution
from shopsphere.clients.edge_errors import EdgeError
from shopsphere.clients.edge_identity import KEYS_FOLDER
from shopsphere.estate.edge_config import EdgeConfig, OriginConfig
from shopsphere.names.pair_state import public_addresses
from shopsphere.topology import Topology
from shopsphere.topology.public_names import STATIC

PUBLIC = "public"
DEFAULT_TTL_SECONDS = 3600
"""Lifetime of objects whose origin names none (s); our origins name one for each object."""
STALE_SECONDS = 7 * 86_400
"""For how long the CDN serves an object after its lifetime while no origin answers (s): longer than a weekend."""


@dataclass(frozen=True)
class CdnOriginModel:
    """Static facts of the distribution of static assets.

    Attributes:
        endpoint: the CDN's configuration API.
        keys_folder: where the certificates for it are.
        host_name: public name of static assets.
        paths: prefixes that are served.
        origins: name, address and port of each, in order of preference.
        origin_name: what the CDN asks each origin's certificate for. It is the shop's name and not that of the static
            assets, for which the CDN itself has a key: it is not to be taken for one of its origins.
        probe_path: object that a healthy origin answers with 200.
    """

    endpoint: str
    keys_folder: str
    host_name: str
    paths: tuple[str, ...]
    origins: tuple[Mapping[str, Any], ...]
    origin_name: str
    probe_path: str

    @classmethod
    def of(cls, topology: Topology, config: EdgeConfig) -> CdnOriginModel:
        """Join topology and configuration.

        Raises:
            UnknownNameError: an origin is no site of the topology.
            EdgeError: the topology's CDN may not carry public data, or an origin is the headquarters.
        """
        if PUBLIC not in topology.cdn.carries:
            raise EdgeError.build(
                "static assets have no class that the CDN may carry",
                expected=f"{PUBLIC} in cdn.carries",
                found=", ".join(topology.cdn.carries),
                action="correct topology.yaml",
            )
        wanted = config.origins or tuple(
            OriginConfig(site=site) for pair in topology.pairs.values() for site in pair.sites
        )
        outside = [origin.site for origin in wanted if topology.pair_of(origin.site) is None]
        if outside:
            raise EdgeError.build(
                "a CDN origin serves no customers",
                expected="sites of a pair",
                found=", ".join(outside),
                action="remove it from origins in the stack's configuration",
            )
        addresses = public_addresses(topology)
        origins = [{"name": each.site, "address": addresses[each.site], "port": each.port} for each in wanted]
        return cls(
            endpoint=config.cdn_url,
            keys_folder=config.edge_keys,
            host_name=topology.static_host,
            paths=topology.cdn.paths,
            origins=tuple(origins),
            origin_name=config.origin_name or topology.shop_host,
            probe_path=config.origin_probe_path,
        )

    def inputs(self) -> dict[str, Any]:
        """Return the inputs of the distribution's resource."""
        return {
            "endpoint": self.endpoint,
            KEYS_FOLDER: self.keys_folder,
            "name": STATIC,
            "hostNames": [self.host_name],
            "dataClass": PUBLIC,
            "paths": list(self.paths),
            "origins": [dict(origin) for origin in self.origins],
            "originName": self.origin_name,
            "policy": "fallback",
            "probe": {
                "path": self.probe_path,
                "expectedStatus": 200,
                "intervalSeconds": 2,
                "timeoutSeconds": 2,
                "window": 3,
                "threshold": 2,
            },
            "defaultTtlSeconds": DEFAULT_TTL_SECONDS,
            "staleSeconds": STALE_SECONDS,
        }


class CdnOrigin(pulumi.ComponentResource):
    """The distribution of static assets with all its origins."""

    host_name: pulumi.Output[str]

    def __init__(self, name: str, model: CdnOriginModel, options: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shopsphere:edge:CdnOrigin", name, None, options)
        CdnDistribution(name, model.inputs(), pulumi.ResourceOptions(parent=self))
        self.host_name = pulumi.Output.from_input(model.host_name)
        self.register_outputs({"host_name": self.host_name})
