"""What a site's agent may do at the site's API server: RBAC, and nothing of an administrator's.

The owner of a cluster applies the two roles and what binds the first one; a site's stack binds the second one in each
namespace of a database, since these namespaces are its own.
"""

from __future__ import annotations

from typing import Any

from shopsphere.estate.databases import DATABASES

Manifest = dict[str, Any]
RBAC = "rbac.authorization.k8s.io"
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
_READ = ("get", "list", "watch")


def agent_subject(node: str) -> str:
    """Return the name in the certificate (CN) of the agent of a node; audit logs have it."""
    return f"shopsphere:agent:{node}"


def agent_rights(site: str) -> list[Manifest]:
    """Return what the owner of a site's cluster applies: two roles, and the binding of the one for all of it."""
    told = [each.cluster(site) for each in DATABASES if each.synchronous]
    return [
        _role(
            LOOKS,
            _rule("postgresql.cnpg.io", "clusters", _READ),
            # Whom it waits for, and which of its instances may lead; the site's admission judges every field.
            {**_rule("postgresql.cnpg.io", "clusters", ("patch",)), "resourceNames": told},
            # Of all namespaces: one on the node whose PostgreSQL its database does not know shuts it.
            _rule("", "pods", ("list",)),
        ),
        _role(ENTERS, _rule("", "pods/exec", ("get", "create")), _rule("", "configmaps", _READ)),
        {
            "apiVersion": f"{RBAC}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": LOOKS},
            "roleRef": {**ROLE_REF, "name": LOOKS},
            "subjects": [SUBJECT],
        },
    ]


def _role(name: str, *rules: Manifest) -> Manifest:
    return {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": [*rules]}


def _rule(group: str, resource: str, verbs: tuple[str, ...]) -> Manifest:
    return {"apiGroups": [group], "resources": [resource], "verbs": [*verbs]}
