"""Who asks a site's API server, as groups of certificates, and what roles are made of: RBAC as plain documents."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

Manifest = dict[str, Any]
RBAC = "rbac.authorization.k8s.io"
DATABASE_GROUP = "postgresql.cnpg.io"
READ = ("get", "list", "watch")
ENTERING = ("get", "create")
"""Verbs on `pods/exec`: a client that enters a pod by a web socket needs both from Kubernetes 1.35 on."""


class Role(StrEnum):
    """As whom a program of this repository asks a site's API server; agents have roles of their own."""

    WATCH = "watch"
    """Looks: `status`, `watch`, `reconcile`, the exporter."""
    DRIFT = "drift"
    """Compares: `drift`, once or watching."""
    OPERATE = "operate"
    """Moves and mends: `ready`, `failover`, `rebuild`, `drill`, `rotate`, `break-glass`."""
    UP = "up"
    """Deploys: `up`, `preview`, `destroy`, `doctor`, `drift --repair`."""

    @property
    def group(self) -> str:
        """Group in its certificates (O)."""
        return {
            Role.WATCH: "shopsphere:watchers",
            Role.DRIFT: "shopsphere:drift",
            Role.OPERATE: "shopsphere:operators",
            Role.UP: "shopsphere:deployers",
        }[self]

    @property
    def key(self) -> str:
        """What names its kubeconfig in a stack's file."""
        return "shopsphere:kubeconfig" if self is Role.UP else f"shopsphere:kubeconfigs.{self}"


def subject(role: Role, who: str) -> str:
    """Return the name in a certificate (CN), as audit logs have it.

    Args:
        role: as whom.
        who: a person, or a machine.
    """
    return f"shopsphere:{role}:{who}"


def rule(group: str, resources: str | Iterable[str], verbs: Iterable[str], names: Iterable[str] = ()) -> Manifest:
    """Return one rule: what may be done to kinds of one API group, to objects of these names alone where there are."""
    kinds = [resources] if isinstance(resources, str) else [*resources]
    found: Manifest = {"apiGroups": [group], "resources": kinds, "verbs": [*verbs]}
    return {**found, "resourceNames": [*names]} if names else found


def cluster_role(name: str, *rules: Manifest) -> Manifest:
    """Return a ClusterRole."""
    return {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": [*rules]}


def cluster_binding(role: str, group: str) -> Manifest:
    """Return what gives a group a role in all of a cluster, under the role's name."""
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": role},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": RBAC, "kind": "Group", "name": group}],
    }


def namespace_binding(name: str, namespace: str, role: str, group: str) -> Manifest:
    """Return what gives a group a role in one namespace."""
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": name, "namespace": namespace},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": RBAC, "kind": "Group", "name": group}],
    }
