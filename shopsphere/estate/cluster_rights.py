"""Who may do what at a site's API server, agents and programs alike: RBAC, and nothing of an administrator's.

The owner of a cluster applies the roles, and what binds them for the whole cluster; a site's stack binds the others in
its namespaces, since these are its own. What lets `up` into them, the owner binds: nobody gives himself a right.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from shopsphere.estate.cluster_role import (
    DATABASE_GROUP,
    ENTERING,
    RBAC,
    READ,
    Manifest,
    Role,
    cluster_binding,
    cluster_role,
    namespace_binding,
    rule,
)
from shopsphere.estate.databases import DATABASES
from shopsphere.estate.event_log_site import COUNT, EVENT_NAMESPACES
from shopsphere.estate.role_rights import (
    DEPLOYS,
    DEPLOYS_HERE,
    DRIFTS,
    DRIFTS_HERE,
    DRIFTS_IN_DATABASES,
    OPERATES,
    OPERATES_HERE,
    OPERATES_IN_DATABASES,
    OPERATES_IN_SERVICES,
    WATCHES,
    WATCHES_IN_PODS,
    drift_rights,
    operate_rights,
    up_rights,
    watch_rights,
)
from shopsphere.estate.site_agent import SITE_AGENT_PORT
from shopsphere.estate.site_declaration import HEADQUARTERS_SITE, REGIONAL_SITE
from shopsphere.estate.workloads import PAYMENTS, SHOP
from shopsphere.topology import Topology

AGENTS = "shopsphere:agents"
"""Group in the certificate (O) of each agent of a site."""
LOOKS = "shopsphere:agent"
"""Role of the whole cluster: which instances are where, and whom a synchronous database waits for."""
ENTERS = "shopsphere:agent-in-databases"
"""Role in a database's namespace: questions inside an instance's pod, and permits."""
BINDING = "site-agent"
"""Name of what binds it there."""
ROLE_REF: Manifest = {"apiGroup": RBAC, "kind": "ClusterRole", "name": ENTERS}
SUBJECT: Manifest = {"apiGroup": RBAC, "kind": "Group", "name": AGENTS}
OWNERS_BINDING = "site-up"
"""Name of what lets `up` into a namespace; the owner of the cluster makes it."""


@dataclass(frozen=True)
class Binding:
    """What a site's stack binds in namespaces of its own.

    What gets another role in a namespace gets another name: no API server lets the role of a binding be changed.

    Attributes:
        name: of the RoleBinding.
        role: ClusterRole that it gives.
        group: who gets it.
        namespaces: where it may be; empty for each namespace of the stack.
        but: where it is not, for the same group has another role of this name there.
    """

    name: str
    role: str
    group: str
    namespaces: tuple[str, ...] = ()
    but: tuple[str, ...] = ()

    def is_in(self, namespace: str) -> bool:
        """Whether it belongs into a namespace of the stack."""
        return namespace not in self.but and (not self.namespaces or namespace in self.namespaces)


_DATABASES = tuple(each.namespace.name for each in DATABASES)
_SERVICES = (SHOP.name, PAYMENTS.name)
_ASKED = (*_DATABASES, *_SERVICES, COUNT.name)
"""Where watchers ask: the databases for their roles, the shop's own programs for what waits."""
BINDINGS = (
    Binding(BINDING, ENTERS, AGENTS, _DATABASES),
    Binding("site-watch", WATCHES_IN_PODS, Role.WATCH.group, _ASKED),
    Binding("site-drift", DRIFTS_IN_DATABASES, Role.DRIFT.group, _DATABASES),
    Binding("site-drift", DRIFTS_HERE, Role.DRIFT.group, but=_DATABASES),
    Binding("site-operate", OPERATES_IN_DATABASES, Role.OPERATE.group, _DATABASES),
    Binding("site-operate-services", OPERATES_IN_SERVICES, Role.OPERATE.group, (*_SERVICES, COUNT.name)),
    Binding("site-operate", OPERATES_HERE, Role.OPERATE.group, but=(*_DATABASES, *_SERVICES, COUNT.name)),
)
"""All that a stack binds: RES-007 and admission refuse every other role binding."""
OF_THE_CLUSTER = {
    LOOKS: AGENTS,
    WATCHES: Role.WATCH.group,
    DRIFTS: Role.DRIFT.group,
    OPERATES: Role.OPERATE.group,
    DEPLOYS: Role.UP.group,
}
"""The role that each group has for a whole cluster; none has another one there."""
NAMESPACES = tuple(each.name for site in (REGIONAL_SITE, HEADQUARTERS_SITE) for each in site.namespaces)
"""Namespaces of stacks, a pair's and the headquarters'."""


def bindings_in(namespaces: Iterable[str], *, of_pair: bool) -> list[tuple[Binding, str]]:
    """Return what a stack binds in its namespaces, each with the namespace.

    Args:
        namespaces: of the stack.
        of_pair: whether the site is one of a pair: operators and watchers ask no other one for more than its nodes.
    """
    wanted = [each for each in BINDINGS if of_pair or each.group == Role.DRIFT.group]
    return [(each, namespace) for namespace in namespaces for each in wanted if each.is_in(namespace)]


def agent_subject(node: str) -> str:
    """Return the name in the certificate (CN) of the agent of a node; audit logs have it."""
    return f"shopsphere:agent:{node}"


def agent_rights(site: str) -> list[Manifest]:
    """Return what lets a site's agents work: two roles, and the binding of the one for all of the cluster."""
    told = [each.cluster(site) for each in DATABASES if each.synchronous]
    every = [each.cluster(site) for each in DATABASES]
    return [
        cluster_role(
            LOOKS,
            rule(DATABASE_GROUP, "clusters", READ),
            # Whom it waits for, and which of its instances may lead; the site's admission judges every field.
            rule(DATABASE_GROUP, "clusters", ("patch",), told),
            # Of all namespaces: one on the node whose PostgreSQL its database does not know shuts it.
            rule("", "pods", ("list",)),
        ),
        cluster_role(
            ENTERS,
            rule("", "pods/exec", ENTERING),
            rule("", "configmaps", READ),
            # CloudNativePG's, one for each database: ended for an instance whose node is shut (ADR 57).
            rule("coordination.k8s.io", "leases", ("get", "patch"), every),
        ),
        cluster_binding(LOOKS, AGENTS),
    ]


def site_rights(
    topology: Topology,
    site: str,
    policies: Collection[str],
    *,
    agent_port: int = SITE_AGENT_PORT,
    event_log: bool,
) -> list[Manifest]:
    """Return the roles of a site's agents and of each program, and their bindings for the whole cluster.

    Args:
        topology: of the environment.
        site: whose cluster.
        policies: names of the admission policies that its stack declares.
        agent_port: of the agents on its hosts.
        event_log: whether the site has an event log, and with it namespaces more.
    """
    of_pair = topology.pair_of(site) is not None
    own = topology.site(site)
    namespaces = namespaces_of(topology, site, event_log=event_log)
    bound = frozenset(each.role for each, _ in bindings_in(namespaces, of_pair=of_pair))
    return [
        *(agent_rights(site) if of_pair else []),
        *watch_rights(),
        *drift_rights(own, agent_port),
        *(operate_rights(own) if of_pair else []),
        *up_rights(own, agent_port, namespaces=namespaces, policies=policies, bound=bound),
    ]


def namespaces_of(topology: Topology, site: str, *, event_log: bool) -> list[str]:
    """Return the names of the namespaces of a site's stack."""
    declaration = REGIONAL_SITE if topology.pair_of(site) else HEADQUARTERS_SITE
    return [each.name for each in (*declaration.namespaces, *(EVENT_NAMESPACES if event_log else ()))]


def way_in_for_up(topology: Topology, site: str, *, event_log: bool) -> list[Manifest]:
    """Return what lets `up` into the stack's namespaces, with the namespaces: who may not make rights cannot begin.

    The namespaces have a name and nothing else: what they are, the stack declares.
    """
    found: list[Manifest] = []
    for name in namespaces_of(topology, site, event_log=event_log):
        found.append({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        found.append(namespace_binding(OWNERS_BINDING, name, DEPLOYS_HERE, Role.UP.group))
    return found
