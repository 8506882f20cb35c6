"""The hosts of a site: what each kernel enforces against what is declared, looked at twice where it differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from shopsphere.clients.host_rules import HostRules, Hosts, ask_rules, hosts_of, rules_path
from shopsphere.drift.host_finding import ALL_HOSTS, HostPlace
from shopsphere.drift.host_judging import judge_host
from shopsphere.drift.model import SiteDrift, Unseen
from shopsphere.drift.repair import Repair
from shopsphere.drift.settling import lasting
from shopsphere.estate.databases import POSTGRESQL_PORT
from shopsphere.estate.host_firewall import firewall_of
from shopsphere.estate.host_openings import SitePorts
from shopsphere.estate.host_rules import fence, guard_of, peer_fence
from shopsphere.estate.nftables import Table
from shopsphere.estate.site_agent import SITE_AGENT_PORT
from shopsphere.estate.stack import Environment
from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock
from shopsphere.foundation.errors import ShopSphereError, one_line
from shopsphere.foundation.side_by_side import at_each
from shopsphere.topology import Site, Topology

AGAIN_SECONDS = 2.0
"""Pause before a second look (s): at an active site the agent loads the fence anew within it."""
_MOST_LOOKS = 3


@dataclass(frozen=True)
class DeclaredHosts:
    """What the hosts of a site should enforce.

    Attributes:
        fence: None at a site of no pair.
        guard: of its pods.
        firewall: of the host itself; it counts where an agent loads it, or one is there.
        always_guarded: the guard belongs to this site's policy engine; elsewhere it counts where an agent loads it.
        agent_port: of each host's agent.
    """

    fence: Table | None
    guard: Table
    firewall: Table
    always_guarded: bool
    agent_port: int = SITE_AGENT_PORT

    def tables(self, told: HostRules) -> Sequence[Table]:
        """Return the tables of a host."""
        tables = [entry["table"] for entry in told.nftables if "table" in entry]
        names = {str(table.get("name", "")) for table in tables}

        def is_used(table: Table) -> bool:
            return table.name in names or " ".join(table.key) in told.loads

        guarded = self.guard if self.always_guarded or is_used(self.guard) else None
        own = self.firewall if is_used(self.firewall) else None
        peers = peer_fence() if self.fence and is_used(peer_fence()) else None
        return [each for each in (self.fence, peers, guarded, own) if each]


def declared_hosts(
    site: Site,
    topology: Topology,
    *,
    paired: bool,
    environment: Environment,
    agent_port: int,
    named: SitePorts | None = None,
) -> DeclaredHosts:
    """Return what the hosts of a site should enforce.

    Args:
        site: the site.
        topology: says who belongs at which port of it.
        paired: whether it belongs to a pair, so that its databases have a fence.
        environment: the lab's policy engine is kube-router, which needs the guard; others may close pods themselves.
        agent_port: of each host's agent.
        named: ports of the hosts that the site's stack names.
    """
    own = fence(POSTGRESQL_PORT) if paired else None
    hosts = firewall_of(site, topology, named)
    return DeclaredHosts(own, guard_of(site), hosts, environment is Environment.LAB, agent_port)


def look_at_hosts(declared: DeclaredHosts, cluster: Hosts, repair: Repair, clock: Clock = SYSTEM_CLOCK) -> SiteDrift:
    """Compare all hosts of a site; a difference counts when two looks find it.

    A fence that is being changed at every look, and a host whose agent does not tell, are unknown.

    Args:
        declared: what they should enforce.
        cluster: the site's API.
        repair: how the site is reached.
        clock: replaceable in tests.
    """
    found = _look(declared, cluster, repair)
    for _ in range(_MOST_LOOKS - 1):
        if not found.drifts and not found.unseen:
            return found
        clock.sleep(AGAIN_SECONDS)
        before, found = found, _look(declared, cluster, repair)
        if not before.unseen:
            return lasting(before, found)
    # What was not seen before cannot have been found before: then what is seen now counts by itself.
    return lasting(before, found) if found.unseen else found


def _look(declared: DeclaredHosts, cluster: Hosts, repair: Repair) -> SiteDrift:
    try:
        hosts = hosts_of(cluster)
    except ShopSphereError as error:
        return SiteDrift(repair.site, unseen=(Unseen(repair.site, ALL_HOSTS, one_line(error)),))
    if not hosts:
        return SiteDrift(repair.site, unseen=(Unseen(repair.site, ALL_HOSTS, "its API has no nodes"),))
    answers = at_each(hosts, partial(_told, cluster, declared.agent_port))
    found = SiteDrift(repair.site)
    for host, told in zip(hosts, answers, strict=True):
        found = _and(found, _judged(declared, HostPlace(repair, host, rules_path(host, declared.agent_port)), told))
    return found


def _told(cluster: Hosts, port: int, host: str) -> HostRules | str:
    """Return what a host enforces, or why that is not known."""
    try:
        return ask_rules(cluster, host, port)
    except ShopSphereError as error:
        return one_line(error)


def _judged(declared: DeclaredHosts, place: HostPlace, told: HostRules | str) -> SiteDrift:
    site = place.repair.site
    rules = f"the rules of host {place.host}"
    if isinstance(told, str):
        return SiteDrift(site, unseen=(Unseen(site, rules, told),))
    if told.site != site:
        why = f"the agent there is one of {told.site}: correct the site in its configuration"
        return SiteDrift(site, unseen=(Unseen(site, rules, why),))
    tables = declared.tables(told)
    drifts = tuple(judge_host(place, tables, told))
    return SiteDrift(site, len(tables), len(told.nftables), drifts, tuple(_unseen(declared, place, told)))


def _unseen(declared: DeclaredHosts, place: HostPlace, told: HostRules) -> Sequence[Unseen]:
    if declared.fence is None:
        return []
    what = f"the fence of host {place.host}"
    if told.fence is None:
        return [Unseen(place.repair.site, what, "its agent keeps none, so that nobody says whether it should be open")]
    if told.fence.changing:
        return [Unseen(place.repair.site, what, "it was being changed, or was at the end of its time, at each look")]
    return []


def _and(one: SiteDrift, other: SiteDrift) -> SiteDrift:
    return SiteDrift(
        one.site,
        one.declared + other.declared,
        one.live + other.live,
        one.drifts + other.drifts,
        one.unseen + other.unseen,
    )
