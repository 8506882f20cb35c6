"""Kinds that nobody lists, and kinds that only controllers make: RES-007."""

from __future__ import annotations

from policies.admission.language import AdmissionPolicy, Resources, Validation, either, every, literal
from policies.listing.migrations import DATABASE_NAMESPACES
from shopsphere.estate.cluster_rights import AGENTS, BINDING, ENTERS, LOOKS, RBAC

OPERATOR = "system:serviceaccount:cnpg-system:cnpg-manager"
CONTROLLERS = "system:serviceaccount:kube-system:"
"""Identities of the cluster's own controllers, where each has one."""
ONE_IDENTITY = "system:kube-controller-manager"
"""That of all of them, where they share one."""
UNLISTED = (
    Resources("", ("replicationcontrollers", "pods/ephemeralcontainers")),
    Resources("apps", ("statefulsets", "daemonsets")),
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
_WHO = "request.userInfo.username"
BY_CONTROLLERS = either(f"{_WHO}.startsWith({literal(CONTROLLERS)})", f"{_WHO} in {literal([ONE_IDENTITY, OPERATOR])}")
"""Whether one of the cluster's own controllers, or the database operator, asks."""
POLICIES = ("validatingadmissionpolicies", "validatingadmissionpolicybindings")
READING = ("get", "list", "watch")


def policies() -> list[AdmissionPolicy]:
    """Return the policies about kinds; they are the same at every site."""
    return [
        _unlisted(),
        _made_by_controllers(),
        _bound_by_controllers(),
        _pods_by_controllers(),
        _rights(),
        _bindings(),
    ]


def _unlisted() -> AdmissionPolicy:
    refusal = Validation("RES-007", "false", "a kind that is not listed: it copies, sends or opens what no rule judges")
    return AdmissionPolicy("unlisted-kinds", UNLISTED, (refusal,))


def _by_controllers() -> Validation:
    return Validation(
        "RES-007",
        BY_CONTROLLERS,
        "a kind that is not listed: controllers and the database operator alone make it",
    )


def _made_by_controllers() -> AdmissionPolicy:
    return AdmissionPolicy("kinds-of-controllers", MADE_BY_CONTROLLERS, (_by_controllers(),))


def _bound_by_controllers() -> AdmissionPolicy:
    """Beside what controllers bind, the site's agent alone gets a right, and that in a database's namespace."""
    agents = every(
        f"request.?namespace.orValue('') in {literal(DATABASE_NAMESPACES)}",
        f"object.metadata.?name.orValue('') == {literal(BINDING)}",
        f"object.roleRef.kind == 'ClusterRole' && object.roleRef.name == {literal(ENTERS)}",
        "object.?subjects.orValue([]).size() == 1",  # without one the site would be closed
        f"object.?subjects.orValue([]).all(s, s.kind == 'Group' && s.name == {literal(AGENTS)})",
    )
    return AdmissionPolicy(
        "bindings-of-controllers",
        (Resources(RBAC, ("rolebindings",)),),
        (
            Validation(
                "RES-007",
                either(BY_CONTROLLERS, agents),
                f"who is bound to what: controllers and the database operator bind roles, and {BINDING} the site's "
                f"agents ({AGENTS}) to {ENTERS} where a database is",
            ),
        ),
    )


def _pods_by_controllers() -> AdmissionPolicy:
    """Apart from their creation, pods are changed by kubelets and schedulers, who change little of them."""
    return AdmissionPolicy(
        "pods-of-controllers", (Resources("", ("pods",)),), (_by_controllers(),), operations=("CREATE",)
    )


def _rights() -> AdmissionPolicy:
    """Who is not of the cluster's own administrators never gets a right over these policies."""
    over_policies = every(
        "r.?apiGroups.orValue([]).exists(g, g in ['*', 'admissionregistration.k8s.io'])",
        f"r.?resources.orValue([]).exists(n, n in {literal(['*', *POLICIES])})",
        f"r.verbs.exists(v, !(v in {literal([*READING])}))",
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


def _bindings() -> AdmissionPolicy:
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
                    f"object.roleRef.name != {literal(ENTERS)}",
                    either(
                        f"object.roleRef.name == {literal(LOOKS)}",
                        f"!object.?subjects.orValue([]).exists(s, s.name == {literal(AGENTS)})",
                    ),
                ),
                f"roleRef: for the whole cluster the site's agents ({AGENTS}) have {LOOKS}, and nobody has {ENTERS}",
            ),
        ),
        conditions={"not-the-api-server": "request.userInfo.username != 'system:apiserver'"},
        in_system_namespaces=True,
    )
