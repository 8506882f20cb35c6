"""The command, or the patch, that puts back what is declared, for one finding; nothing here runs it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shopsphere.clients.questions import CONTAINER
from shopsphere.drift.comparing import Difference
from shopsphere.drift.kinds import SECRET, resource_of
from shopsphere.drift.model import Kind
from shopsphere.drift.place import Element, Path, pointer_of
from shopsphere.estate.cluster_role import Role
from shopsphere.estate.kubectl_line import SiteKubectl, kubectl_at
from shopsphere.estate.stack import StackId

_ACCOUNT, _OLD_ACCOUNT = "serviceAccountName", "serviceAccount"
"""Two names of one field of a pod."""
_AT_ANOTHER_TIME = '"cnpg.io/reloadedAt=$(date -u +%FT%TZ)"'
"""Another value than the last time, else nothing happens."""
_ALTER_SYSTEM = (
    'file="$PGDATA/postgresql.auto.conf"; test -w "$file" && kept=u+w || kept=u-w; chmod u+w "$file" && {psql}; '
    'code=$?; chmod $kept "$file"; psql --dbname postgres --command "SELECT pg_reload_conf()"; exit $code'
)

TAKEN_AWAY = frozenset(
    {
        "PersistentVolume", "ConfigMap", SECRET, "Service", "ResourceQuota", "LimitRange", "Deployment", "Job",
        "HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy", "Cluster", "RoleBinding", "Endpoints",
        "EndpointSlice", "StatefulSet",
    }
)  # fmt: skip
"""Kinds of which `up` may delete whatever there is in its namespaces; of all others only the cluster's owner may."""


@dataclass(frozen=True)
class Repair:
    """How a site is reached.

    Attributes:
        site: its name.
        environment: as `shopsphere` takes it.
        kubectl: how it is called there.
    """

    site: str
    environment: str
    kubectl: SiteKubectl

    def of(self, kind: str, namespace: str, name: str, difference: Difference, *, is_owners: bool = False) -> str:
        """Return the command for one difference of a declared object.

        A patch names what it expects to find, so that it does nothing to an object that changed again meanwhile.

        Args:
            kind: of the object.
            namespace: of the object.
            name: of the object.
            difference: what is to be put back.
            is_owners: the cluster's owner declares the object: nobody gives himself a right.
        """
        if not difference.path or (kind == SECRET and difference.path[0] == "data"):
            return self.deploy()
        patch = json.dumps(steps_of(difference))
        words = ("patch", resource_of(kind), name, "--type=json", f"--patch={patch}")
        return self.kubectl.line(None if is_owners else Role.UP, namespace, *words)

    def delete(self, kind: str, namespace: str, name: str) -> str:
        """Return the command that removes an object."""
        return self.kubectl.line(Role.UP if kind in TAKEN_AWAY else None, namespace, "delete", resource_of(kind), name)

    def statements(self, namespace: str, pod: str, database: str, statements: str) -> str:
        """Return the command that has a database's administrator run SQL.

        The operator keeps the file of ALTER SYSTEM read-only; it is so again after.
        """
        inside: tuple[str, ...] = ("psql", "--dbname", database, "--command", statements)
        if statements.startswith("ALTER SYSTEM "):
            inside = ("sh", "-c", _ALTER_SYSTEM.format(psql=shlex.join(inside)))
        return self.kubectl.line(Role.OPERATE, namespace, "exec", pod, "--container", CONTAINER, "--", *inside)

    def look_again(self, namespace: str, cluster: str) -> str:
        """Return the command that has the operator look at a database's cluster, and make what is missing of it."""
        words = ("annotate", "--overwrite", resource_of("Cluster"), cluster)
        return f"{self.kubectl.line(Role.UP, namespace, *words)} {_AT_ANOTHER_TIME}"

    def apply_rights(self, *, in_namespaces: bool = False) -> str:
        """Return the command with which the owner of the site's cluster applies its rights again.

        Args:
            in_namespaces: what lets `up` into the stack's namespaces, in place of the roles.
        """
        applied = self.kubectl.line(None, "", "apply", "--server-side", "--force-conflicts", "--filename=-")
        part = " --namespaces" if in_namespaces else ""
        return f"shopsphere policy rights {self.site} --environment {self.environment}{part} | {applied}"

    def load_rules(self, door: str) -> str:
        """Return the command that has a host's agent load again what is declared; `door` leads to it in the API."""
        return self.kubectl.line(Role.UP, "", "create", f"--raw={door}", "--filename=/dev/null")

    def deploy(self) -> str:
        """Return the command that deploys the site after a look at what is really there."""
        return f"shopsphere up {self.site} --environment {self.environment} --refresh"


def repair_at(stack: StackId) -> Repair:
    """Return how a site is reached from here.

    Raises:
        ShopSphereError: nothing says where its cluster is.
    """
    return Repair(stack.label, stack.environment, kubectl_at(stack))


def steps_of(difference: Difference) -> list[dict[str, Any]]:
    """Return the JSON patch (RFC 6902) that puts one difference back, if what it expects is still there."""
    return [*_tests(difference), *_operations(difference)]


def _operations(difference: Difference) -> list[dict[str, Any]]:
    path = difference.path
    if difference.kind is Kind.ADDED and path[-1] == _ACCOUNT:  # the API server would fill it in again from the other
        return [{"op": "remove", "path": pointer_of((*path[:-1], each))} for each in (_ACCOUNT, _OLD_ACCOUNT)]
    return [_operation(difference)]


def _operation(difference: Difference) -> dict[str, Any]:
    path = difference.path
    if difference.kind is Kind.REMOVED:
        last = path[-1]
        place = f"{pointer_of(path[:-1])}/-" if isinstance(last, Element) else pointer_of(path)
        return {"op": "add", "path": place, "value": difference.declared}
    if difference.declared is not None:
        return {"op": "replace", "path": pointer_of(path), "value": difference.declared}
    return {"op": "remove", "path": pointer_of(difference.around or path)}


def _tests(difference: Difference) -> Sequence[dict[str, Any]]:
    """Return what makes sure that indices still mean the elements that they meant."""
    found = []
    path: Path = ()
    for step in difference.path:
        path = (*path, step)
        is_gone = difference.kind is Kind.REMOVED and path == difference.path
        if isinstance(step, Element) and not is_gone:
            found += [
                {"op": "test", "path": pointer_of((*path, key)), "value": value}
                for key, value in step.keys
                if isinstance(step.value, dict) and key in step.value
            ]
    if difference.kind is not Kind.REMOVED and difference.live is not None:
        found.append({"op": "test", "path": pointer_of(difference.path), "value": difference.live})
    return found
