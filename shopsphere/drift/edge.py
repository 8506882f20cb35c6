"""All of the edge: its exported state against what the DNS authorities serve and the CDN is set to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from ipaddress import IPv4Address
from typing import Any

from shopsphere.clients import cdn_agent, powerdns
from shopsphere.clients.cdn_agent import Cdn
from shopsphere.clients.edge_identity import WATCHER
from shopsphere.clients.powerdns import DnsAuthority
from shopsphere.deploy.exporting import exported_state
from shopsphere.drift.edge_cdn import judge_distributions
from shopsphere.drift.edge_declared import DeclaredEdge, DeclaredZone, declared_edge
from shopsphere.drift.edge_names import judge_zone
from shopsphere.drift.edge_served import Served, read_served
from shopsphere.drift.edge_settings import judge_settings
from shopsphere.drift.edge_signing import asked_parents, judge_parent, judge_signing
from shopsphere.drift.model import Drift, SiteDrift, Unseen
from shopsphere.estate.stack import EDGE, StackId
from shopsphere.foundation.clock import SYSTEM_CLOCK
from shopsphere.foundation.errors import ShopSphereError, one_line
from shopsphere.names.zone_proof import Vouched, shown_ds

AGAIN_SECONDS = 2.0
"""Pause before a second look (s): a change of role writes one authority after the other, within much less."""
_WHOLE = "names and CDN"

AskParent = Callable[[IPv4Address, str], Vouched]
ConnectDns = Callable[[Mapping[str, Any]], list[DnsAuthority]]
ConnectCdn = Callable[[Mapping[str, Any]], Cdn]
WATCHED_DNS: ConnectDns = partial(powerdns.connect, user=WATCHER)
WATCHED_CDN: ConnectCdn = partial(cdn_agent.connect, user=WATCHER)
"""Whoever only compares may only read."""


def look_at_edge(stack: StackId) -> SiteDrift:
    """Compare the edge; what differs is looked at twice, so that a change that is under way is none.

    Raises:
        ShopSphereError: its state cannot be read.
    """
    began = time.monotonic()
    edge = declared_edge(exported_state(stack))
    deploy = f"shopsphere up {EDGE} --environment {stack.environment} --refresh"
    found = judge_edge(edge, deploy)
    if found.drifts:
        SYSTEM_CLOCK.sleep(AGAIN_SECONDS)
        found = judge_edge(edge, deploy)
    return replace(found, seconds=round(time.monotonic() - began, 1))


def judge_edge(
    edge: DeclaredEdge,
    deploy: str,
    *,
    dns: ConnectDns = WATCHED_DNS,
    cdn: ConnectCdn = WATCHED_CDN,
    parent: AskParent = shown_ds,
) -> SiteDrift:
    """Compare what is declared with the authorities and the CDN.

    Args:
        edge: what is declared.
        deploy: the command that writes it.
        dns: returns the authorities that a zone's inputs name.
        cdn: returns the CDN that a distribution's inputs name.
        parent: asks a server of the parent zone.
    """
    if not edge.number:
        why = "its stack declares nothing: it was never deployed, or was removed"
        return SiteDrift(EDGE, unseen=(Unseen(EDGE, _WHOLE, why),))
    unseen: list[Unseen] = []
    drifts: list[Drift] = []
    live = 0
    for zone in edge.zones.values():
        served = list(_served(zone, dns, unseen))
        live += sum(len(each.rrsets or ()) for each in served)
        drifts += judge_zone(zone, served, deploy)
        drifts += judge_settings(zone, served)
        here, vouched = [each for each in served if each.rrsets is not None], asked_parents(zone, parent, unseen)
        drifts += judge_signing(zone, here, vouched, deploy)
        if any(key.signs for each in here for key in each.held):
            drifts += judge_parent(zone, here, vouched)
    try:
        cdns = {name: cdn(edge.cdns[name]) for name in edge.distributions}
        drifts += judge_distributions(edge, cdns, deploy)
        live += len(cdns)
    except ShopSphereError as error:
        unseen.append(Unseen(EDGE, "the CDN", one_line(error)))
    return SiteDrift(EDGE, edge.number, live, tuple(drifts), tuple(unseen))


def _served(zone: DeclaredZone, dns: ConnectDns, unseen: list[Unseen]) -> Iterator[Served]:
    """Yield what each authority serves; one that cannot be read is unseen and hides no other."""
    try:
        authorities = dns(zone.authorities)
    except ShopSphereError as error:
        unseen.append(Unseen(EDGE, f"zone {zone.name}", one_line(error)))
        return
    for authority, access in zip(authorities, zone.authorities["authorities"], strict=True):
        try:
            yield read_served(authority, access["url"], zone.name, unseen)
        except ShopSphereError as error:
            unseen.append(Unseen(EDGE, f"zone {zone.name} at {authority.name}", one_line(error)))
