"""Builds the global edge from the selected stack's configuration: what the root `__main__.py` calls."""

from __future__ import annotations

import pulumi

from components.edge.cdn_origin import CdnOrigin, CdnOriginModel
from components.edge.global_dns import GlobalDns, GlobalDnsModel
from components.protection import protect_what_holds_data
from components.stack_config import environment_of_stack, load_site_config
from shopsphere.estate.edge_config import EdgeConfig
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.topology import load_topology


def build_edge() -> None:
    """Declare zone, steering and CDN. No cluster is touched.

    Raises:
        pulumi.RunError: the topology or the configuration is not usable; its message says what to do.
    """
    try:
        topology = load_topology(environment=environment_of_stack())
        config = load_site_config(EdgeConfig)
        dns_model, cdn_model = GlobalDnsModel.of(topology, config), CdnOriginModel.of(topology, config)
    except ShopSphereError as error:
        raise pulumi.RunError(str(error)) from error
    protect_what_holds_data()
    dns = GlobalDns(topology.domain, dns_model)
    cdn = CdnOrigin("static", cdn_model)
    pulumi.export("zone", dns.zone)
    pulumi.export("ds", dns.ds)
    pulumi.export("names", dns.names)
    pulumi.export("static", cdn.host_name)
