"""What a cluster's owner lets the platform's own programs do there: declared by this repository, applied by no stack.

A role that somebody widened at the cluster lets whoever holds it do more, and no stack's state tells of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shopsphere.drift.declared import Declared
from shopsphere.estate.cluster_rights import agent_rights

HOLDERS = "shopsphere:"
"""How the names of the platform's own groups and users begin, in certificates and in what binds them."""
_DATABASE = "Cluster"


def owners_rights(site: str, stack: Iterable[Declared]) -> list[Declared]:
    """Return the rights that the owner of a site's cluster applied; none where no database is declared.

    Args:
        site: whose cluster.
        stack: what its stack declares.
    """
    if not any(each.kind == _DATABASE for each in stack):
        return []
    return [_declared(each) for each in agent_rights(site)]


def _declared(manifest: Mapping[str, Any]) -> Declared:
    body = {key: value for key, value in manifest.items() if key not in {"apiVersion", "kind"}}
    return Declared(str(manifest["apiVersion"]), str(manifest["kind"]), body, "", is_owners=True)


def binds_holders(kind: str, document: Mapping[str, Any]) -> bool:
    """Whether an object gives one of the platform's own groups or users a right, in whichever namespace."""
    if kind not in {"ClusterRoleBinding", "RoleBinding"}:
        return False
    subjects = document.get("subjects") or ()
    return any(each.get("kind") in {"Group", "User"} and _is_holder(each.get("name")) for each in subjects)


def _is_holder(name: object) -> bool:
    return str(name).startswith(HOLDERS)
