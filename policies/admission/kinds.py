"""Kinds that nobody lists, and kinds that only controllers make: RES-007."""

from __future__ import annotations

from collections.abc import Sequence

from policies.admission.language import NAME_PREFIX, AdmissionPolicy, Resources, Validation, either, every, literal
from policies.admission.site_facts import SiteFacts
from policies.residency.data_read import EVENT_NAMESPACES
from shopsphere.estate.cluster_rights import BINDINGS, NAMESPACES, OF_THE_CLUSTER, OWNERS_BINDING, Binding
from shopsphere.estate.cluster_role import RBAC, Role
from shopsphere.estate.role_rights import DEPLOYS, DEPLOYS_HERE

OPERATOR = "system:serviceaccount:cnpg-system:cnpg-manager"
CONTROLLERS = "system:serviceaccount:kube-system:"
"""Identities of the cluster's own controllers, where each has one."""
ONE_IDENTITY = "system:kube-controller-manager"
"""That of all of them, where they share one."""
STATEFUL = Resources("apps", ("statefulsets", "daemonsets"))
DAEMONS = Resources("apps", ("daemonsets",))
"""The same where the event log is a StatefulSet, which the policies about workloads judge."""
UNLISTED = (
    Resources("", ("replicationcontrollers", "pods/ephemeralcontainers")),
    STATEFUL,
    Resources("batch", ("cronjobs",)),
    Resources("networking.k8s.io", ("ingresses",)),
    Resources("postgresql.cnpg.io", ("backups", "scheduledbackups", "poolers", "publications", "subscriptions")),
    Resources("postgresql.cnpg.io", ("databases", "databaseroles", "imagecatalogs", "clusterimagecatalogs")),
    Resources("barmancloud.cnpg.io", ("*",)),
    Resources("snapshot.storage.k8s.io", ("*",)),
    Resources("gateway.networking.k8s.io", ("*",)),
    Resources("networking.istio.io", ("*",)),
    Resources("cilium.io", ("*",)),
    Resources("policy.networking.k8s.io", ("*",)),
)
"""What copies data, sends it, or opens a way; `policies.listing.table` says why of each group."""
MADE_BY_CONTROLLERS = (
    Resources("apps", ("replicasets",)),
    Resources("", ("serviceaccounts", "persistentvolumeclaims")),
    Resources(RBAC, ("roles",)),
    Resources("postgresql.cnpg.io", ("failoverquorums",)),
)
_UPS = Binding(OWNERS_BINDING, DEPLOYS_HERE, Role.UP.group)
_OF_NAMESPACES = sorted({each.role for each in (*BINDINGS, _UPS)})
_WHO = "request.userInfo.username"
BY_CONTROLLERS = either(f"{_WHO}.startsWith({literal(CONTROLLERS)})", f"{_WHO} in {literal([ONE_IDENTITY, OPERATOR])}")
"""Whether one of the cluster's own controllers, or the database operator, asks."""
POLICIES = ("validatingadmissionpolicies", "validatingadmissionpolicybindings")
READING = ("get", "list", "watch")


def policies(facts: SiteFacts) -> list[AdmissionPolicy]:
    """Return the policies about kinds; the same at every site, but for the event log of those that have one."""
    namespaces = (*NAMESPACES, *(EVENT_NAMESPACES if facts.event_log else ()))
    return [
        _unlisted(event_log=facts.event_log),
        _made_by_controllers(),
        _bound_by_controllers(namespaces),
        _pods_by_controllers(),
        _rights(),
        _ours_stay_in_namespaces(namespaces),
        _bindings(),
    ]


def _unlisted(*, event_log: bool) -> AdmissionPolicy:
    unlisted = tuple(DAEMONS if event_log and each == STATEFUL else each for each in UNLISTED)
    refusal = Validation("RES-007", "false", "a kind that is not listed: it copies, sends or opens what no rule judges")
    return AdmissionPolicy("unlisted-kinds", unlisted, (refusal,))


def _by_controllers() -> Validation:
    return Validation(
        "RES-007",
        BY_CONTROLLERS,
        "a kind that is not listed: controllers and the database operator alone make it",
    )


def _made_by_controllers() -> AdmissionPolicy:
    return AdmissionPolicy("kinds-of-controllers", MADE_BY_CONTROLLERS, (_by_controllers(),))


def _bound_by_controllers(namespaces: Sequence[str]) -> AdmissionPolicy:
    """Beside what controllers bind, agents and programs get the rights of the table, each in its namespaces."""
    table = either(*(_is(each, namespaces) for each in BINDINGS), _is(_UPS, namespaces))
    return AdmissionPolicy(
        "bindings-of-controllers",
        (Resources(RBAC, ("rolebindings",)),),
        (
            Validation(
                "RES-007",
                either(BY_CONTROLLERS, table),
                "who is bound to what: controllers and the database operator bind roles, and "
                f"{', '.join(sorted({each.name for each in (*BINDINGS, _UPS)}))} one group each to its own role",
            ),
        ),
    )


def _is(binding: Binding, namespaces: Sequence[str]) -> str:
    """Return whether a role binding is one of the table: its name, namespace, role and group."""
    where = binding.namespaces or tuple(each for each in namespaces if each not in binding.but)
    return every(
        f"object.metadata.?name.orValue('') == {literal(binding.name)}",
        f"request.?namespace.orValue('') in {literal(where)}",
        f"object.roleRef.kind == 'ClusterRole' && object.roleRef.name == {literal(binding.role)}",
        "object.?subjects.orValue([]).size() == 1",  # without one, who has to ask there is shut out
        f"object.?subjects.orValue([]).all(s, s.kind == 'Group' && s.name == {literal(binding.group)})",
    )


def _pods_by_controllers() -> AdmissionPolicy:
    """Apart from their creation, pods are changed by kubelets and schedulers, who change little of them."""
    return AdmissionPolicy(
        "pods-of-controllers", (Resources("", ("pods",)),), (_by_controllers(),), operations=("CREATE",)
    )


def _rights() -> AdmissionPolicy:
    """Who is no administrator of the cluster never gets a right over these policies, but `up` over its own ones."""
    of_up = every(
        f"object.metadata.?name.orValue('') == {literal(DEPLOYS)}",
        "r.?resourceNames.orValue([]).size() > 0",
        f"r.?resourceNames.orValue([]).all(n, n.startsWith({literal(NAME_PREFIX)}))",
    )
    over_policies = every(
        "r.?apiGroups.orValue([]).exists(g, g in ['*', 'admissionregistration.k8s.io'])",
        f"r.?resources.orValue([]).exists(n, n in {literal(['*', *POLICIES])})",
        f"r.verbs.exists(v, !(v in {literal([*READING])}))",
        f"!({of_up})",
    )
    return AdmissionPolicy(
        "rights-over-policies",
        (Resources(RBAC, ("clusterroles",)),),
        (
            Validation(
                "RES-007",
                f"!object.?rules.orValue([]).exists(r, {over_policies})",
                "rules: who may change admission policies can make what they refuse",
            ),
        ),
        conditions={"not-the-api-server": "request.userInfo.username != 'system:apiserver'"},
        in_system_namespaces=True,
    )


def _ours_stay_in_namespaces(namespaces: Sequence[str]) -> AdmissionPolicy:
    """Whoever may bind our roles binds them in namespaces of the stack: in others they open the cluster's own parts."""
    return AdmissionPolicy(
        "roles-of-namespaces",
        (Resources(RBAC, ("rolebindings",)),),
        (
            Validation(
                "RES-007",
                f"request.?namespace.orValue('') in {literal(tuple(namespaces))}",
                f"roleRef: {', '.join(_OF_NAMESPACES)} are for namespaces of the stack",
            ),
        ),
        conditions={"one-of-ours": f"object.roleRef.name in {literal(_OF_NAMESPACES)}"},
        in_system_namespaces=True,
    )


def _bindings() -> AdmissionPolicy:
    roles = literal(OF_THE_CLUSTER)
    groups = literal(sorted(OF_THE_CLUSTER.values()))
    group = f"{roles}[object.roleRef.name]"
    return AdmissionPolicy(
        "administrators",
        (Resources(RBAC, ("clusterrolebindings",)),),
        (
            Validation(
                "RES-007",
                "object.roleRef.name != 'cluster-admin'",
                "roleRef: another administrator can make what is refused here",
            ),
            Validation(
                "RES-007",
                every(
                    f"!(object.roleRef.name in {literal(_OF_NAMESPACES)})",
                    f"object.roleRef.name in {roles}"
                    f" ? object.?subjects.orValue([]).all(s, s.kind == 'Group' && s.name == {group})"
                    f" : !object.?subjects.orValue([]).exists(s, s.name in {groups})",
                ),
                "roleRef: for the whole cluster each group of agents and programs has its own role, and nobody has "
                f"{', '.join(_OF_NAMESPACES)}",
            ),
        ),
        conditions={"not-the-api-server": "request.userInfo.username != 'system:apiserver'"},
        in_system_namespaces=True,
    )
