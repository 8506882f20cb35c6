"""What watchers, `drift`, operators and `up` may do at a site's API server: RBAC, and nothing of an administrator's.

`docs/adr/0052-each-program-asks-as-itself.md` has the table of what each of them does there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from shopsphere.estate.cluster_role import (
    DATABASE_GROUP,
    ENTERING,
    RBAC,
    READ,
    Manifest,
    Role,
    cluster_binding,
    cluster_role,
    rule,
)
from shopsphere.estate.databases import DATABASES
from shopsphere.estate.workload_declaration import priority_class_name
from shopsphere.topology import Site

WATCHES, WATCHES_IN_PODS = "shopsphere:watch", "shopsphere:watch-in-pods"
DRIFTS, DRIFTS_HERE = "shopsphere:drift", "shopsphere:drift-in-namespaces"
DRIFTS_IN_DATABASES = "shopsphere:drift-in-databases"
OPERATES, OPERATES_HERE = "shopsphere:operate", "shopsphere:operate-in-namespaces"
OPERATES_IN_DATABASES = "shopsphere:operate-in-databases"
OPERATES_IN_SERVICES = "shopsphere:operate-in-services"
DEPLOYS, DEPLOYS_HERE = "shopsphere:up", "shopsphere:up-in-namespaces"
PRIORITIES = ("databases", "storefront", "background")
"""Priorities of a site's pods, as `components.data_centre` declares them."""

COMPARED: dict[str, tuple[str, ...]] = {
    "": (
        "namespaces", "persistentvolumes", "configmaps", "services", "endpoints", "serviceaccounts", "resourcequotas",
        "limitranges", "persistentvolumeclaims", "pods",
    ),
    "storage.k8s.io": ("storageclasses",),
    "scheduling.k8s.io": ("priorityclasses",),
    "admissionregistration.k8s.io": ("validatingadmissionpolicies", "validatingadmissionpolicybindings"),
    RBAC: ("clusterroles", "clusterrolebindings", "roles", "rolebindings"),
    "discovery.k8s.io": ("endpointslices",),
    "apps": ("deployments", "replicasets", "statefulsets", "daemonsets"),
    "batch": ("jobs", "cronjobs"),
    "autoscaling": ("horizontalpodautoscalers",),
    "policy": ("poddisruptionbudgets",),
    "networking.k8s.io": ("networkpolicies", "ingresses"),
    DATABASE_GROUP: (
        "clusters", "backups", "scheduledbackups", "poolers", "databases", "publications", "subscriptions",
    ),
}  # fmt: skip
"""Kinds that `drift` lists and watches in all of the cluster, by API group; secrets are apart, by namespace."""
_SECRETS = rule("", "secrets", ("list", "watch"))
_ENTER = rule("", "pods/exec", ENTERING)


def watch_rights() -> list[Manifest]:
    """Return what watchers may do: look at the whole site, and enter pods where the site's stack lets them.

    No secret is theirs. Who enters a database's pod is its administrator there: PostgreSQL tells what `status` asks
    to nobody else. So the site's admission lets them run the programs of `policies.admission.entering` alone.
    """
    return [
        cluster_role(
            WATCHES,
            rule("", ("nodes", "pods", "persistentvolumes", "resourcequotas"), READ),
            rule("apps", ("deployments", "statefulsets"), READ),
            rule(DATABASE_GROUP, "clusters", READ),
        ),
        cluster_role(WATCHES_IN_PODS, _ENTER),
        cluster_binding(WATCHES, Role.WATCH.group),
    ]


def drift_rights(site: Site, agent_port: int) -> list[Manifest]:
    """Return what `drift` may do: read what it compares, in the whole cluster and through the agents of its hosts.

    Secrets it reads in the stack's own namespaces: RBAC knows no right to see that one was changed without its value.

    Args:
        site: whose cluster.
        agent_port: of the agent on each of its hosts.
    """
    return [
        cluster_role(
            DRIFTS,
            *(rule(group, kinds, READ) for group, kinds in COMPARED.items()),
            rule("", "nodes", ("list",)),
            _doors(site, agent_port, "get"),
        ),
        cluster_role(DRIFTS_HERE, _SECRETS),
        cluster_role(DRIFTS_IN_DATABASES, _SECRETS, _ENTER),
        cluster_binding(DRIFTS, Role.DRIFT.group),
    ]


def operate_rights(site: Site) -> list[Manifest]:
    """Return what operators may do: look, compare secrets of both sites, and move, lead or replace the databases.

    Args:
        site: whose cluster.
    """
    clusters = [each.cluster(site.name) for each in DATABASES]
    return [
        cluster_role(
            OPERATES,
            rule("", ("nodes", "pods", "persistentvolumes", "resourcequotas"), READ),
            rule("apps", ("deployments", "statefulsets"), READ),
            rule("batch", "jobs", READ),
            rule(DATABASE_GROUP, "clusters", READ),
        ),
        cluster_role(OPERATES_HERE, rule("", "secrets", ("list",))),
        # `put-in-place` has the shop's own programs compare the books with what was restored.
        cluster_role(OPERATES_IN_SERVICES, rule("", "secrets", ("list",)), _ENTER),
        cluster_role(
            OPERATES_IN_DATABASES,
            rule("", "secrets", ("list",)),
            _ENTER,
            rule("", "persistentvolumeclaims", ("list",)),
            rule("", "configmaps", ("get", "create", "patch")),  # permits of break-glass
            rule(DATABASE_GROUP, "clusters", ("patch", "delete"), clusters),
            # A copy is made anew under the old name; its dry run has no name that RBAC could see.
            rule(DATABASE_GROUP, "clusters", ("create",)),
        ),
        cluster_binding(OPERATES, Role.OPERATE.group),
    ]


def up_rights(
    site: Site, agent_port: int, *, namespaces: Collection[str], policies: Collection[str], bound: Collection[str]
) -> list[Manifest]:
    """Return what `up` may do: declare the stack's objects, and no role but those named here can be given by it.

    Args:
        site: whose cluster.
        agent_port: of the agent on each of its hosts.
        namespaces: of the stack.
        policies: names of its admission policies, which those of their bindings are too.
        bound: roles that it may bind, in its namespaces alone.
    """
    made = ("get", "create", "patch", "update", "delete")
    classes = [priority_class_name(each) for each in PRIORITIES]
    admission = COMPARED["admissionregistration.k8s.io"]
    return [
        cluster_role(
            DEPLOYS,
            rule("", ("nodes", "namespaces", "pods", "services", "persistentvolumes"), READ),
            rule("apps", ("deployments", "statefulsets", "daemonsets"), READ),
            rule("batch", "jobs", READ),
            rule(DATABASE_GROUP, "clusters", READ),
            rule("apiextensions.k8s.io", "customresourcedefinitions", READ),
            rule("scheduling.k8s.io", "priorityclasses", READ),
            rule("storage.k8s.io", "storageclasses", READ),
            rule("admissionregistration.k8s.io", admission, READ),
            rule(RBAC, "clusterrolebindings", ("get",)),  # `drift --repair` tells who has to take one away
            rule("", "namespaces", made, sorted(namespaces)),
            rule("", "persistentvolumes", made),
            rule("scheduling.k8s.io", "priorityclasses", made, classes),
            rule("storage.k8s.io", "storageclasses", made, [f"{site.name}-pinned"]),
            rule("admissionregistration.k8s.io", admission, made, sorted(policies)),
            _doors(site, agent_port, "get", "create"),
        ),
        cluster_role(DEPLOYS_HERE, *_in_namespaces(sorted(bound))),
        cluster_binding(DEPLOYS, Role.UP.group),
    ]


def _in_namespaces(bound: Collection[str]) -> Iterator[Manifest]:
    made = (*READ, "create", "patch", "update", "delete")
    yield rule("", ("secrets", "configmaps", "services", "resourcequotas", "limitranges"), made)
    yield rule("apps", ("deployments", "statefulsets"), made)
    yield rule("batch", "jobs", made)
    yield rule("autoscaling", "horizontalpodautoscalers", made)
    yield rule("policy", "poddisruptionbudgets", made)
    yield rule("networking.k8s.io", "networkpolicies", made)
    yield rule(DATABASE_GROUP, "clusters", made)
    yield rule(RBAC, "rolebindings", made)
    yield rule(RBAC, "clusterroles", ("bind",), bound)
    # What says when the objects above are there, and why not.
    yield rule("apps", "replicasets", READ)
    yield rule("", ("pods", "persistentvolumeclaims", "events"), READ)
    yield rule("", "pods/log", ("get",))
    # A way out that nobody declared: `drift --repair` takes it away.
    yield rule("", "endpoints", (*READ, "delete"))
    yield rule("discovery.k8s.io", "endpointslices", (*READ, "delete"))


def _doors(site: Site, port: int, *verbs: str) -> Manifest:
    """Return the right to ask the agents of a site's hosts; the kubelets' doors have other names, and stay shut."""
    return rule("", "nodes/proxy", verbs, [f"http:{node}:{port}" for node in site.nodes])
