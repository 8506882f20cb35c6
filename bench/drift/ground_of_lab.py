"""What there is in a running lab that injections have to know of."""

from __future__ import annotations

import json
from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

from acts import CDN, Act, ActFailedError, Hands, needed_object
from injections import Ground

from lab.edge.components import lab_settings
from shopsphere.clients.postgres import leading_pod
from shopsphere.estate.access import edge_access
from shopsphere.estate.databases import DATABASES
from shopsphere.estate.placement import Placement
from shopsphere.estate.stack import Environment
from shopsphere.topology import Topology

ActiveSite = Callable[[str], str]


def ground_of(topology: Topology, region: str, hands: Hands, active: ActiveSite) -> Ground:
    """Look at a region and at the edge.

    Args:
        topology: of the lab.
        region: name of a pair.
        hands: of the lab.
        active: says which site of a pair takes orders.

    Raises:
        ActFailedError: something is not there.
    """
    site = active(region)
    placement = Placement.of(topology, site)
    shop = needed_object(hands, site, ("Deployment", "shop", "shop"))
    others = [pair for name, pair in topology.pairs.items() if name != region]
    name, document = _distribution(hands)
    return Ground(
        region=region,
        site=site,
        elsewhere=others[0].recovery if others else topology.pair(region).recovery,
        labels={each: placement.labels("", data_class=each, owner="mallory") for each in ("personal", "payment")},
        image=shop["spec"]["template"]["spec"]["containers"][0]["image"],
        pod_address=str(ip_network(str(topology.site(site).pod_network))[-2]),
        instances={
            each.name: leading_pod(needed_object(hands, site, ("Cluster", each.namespace.name, each.cluster(site))))
            for each in DATABASES
        },
        domain=topology.domain,
        distribution=name,
        document=document,
        authorities=tuple(each.name for each in edge_access(Environment.LAB).require_authorities()),
        varnish=str(lab_settings().varnish_directory),
    )


def _distribution(hands: Hands) -> tuple[str, dict[str, Any]]:
    names = hands.do(Act(CDN, ("GET", "/v1/distributions")))
    if not names.done or not json.loads(names.said)["distributions"]:
        raise ActFailedError(f"the CDN names no distribution: {names.said[-300:]}")
    name = json.loads(names.said)["distributions"][0]
    return name, json.loads(hands.do(Act(CDN, ("GET", f"/v1/distributions/{name}"))).said)
