"""What a cluster's owner lets the platform's own programs do there: declared by this repository, applied by no stack.

A role that somebody widened at the cluster lets whoever holds it do more, and no stack's state tells of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from shopsphere.drift.declared import Declared
from shopsphere.estate.cluster_rights import agent_rights, site_rights, way_in_for_up
from shopsphere.estate.event_log_site import EVENT_NAMESPACES
from shopsphere.estate.site_agent import SITE_AGENT_PORT
from shopsphere.topology import Topology

HOLDERS = "shopsphere:"
"""How the names of the platform's own groups and users begin, in certificates and in what binds them."""
Rights = Callable[[Sequence[Declared]], list[Declared]]
"""Returns the rights that a site's owner applied, beside what its stack declares: `owners_rights` of one site."""
_DATABASE, _POLICY, _NAMESPACE = "Cluster", "ValidatingAdmissionPolicy", "Namespace"


def owners_rights(
    topology: Topology, site: str, stack: Sequence[Declared], *, agent_port: int = SITE_AGENT_PORT
) -> list[Declared]:
    """Return the rights that the owner of a site's cluster applied, as `policy rights` prints them.

    Those of agents have to be there wherever databases are declared. An owner may do without the programs' (then one
    kubeconfig is used for all); a role or a binding of theirs that is there is as declared.

    Args:
        topology: of the environment.
        site: whose cluster.
        stack: what it declares; nothing where it was never deployed.
        agent_port: of the agents on its hosts.
    """
    if not stack:
        return []
    agents = agent_rights(site) if any(each.kind == _DATABASE for each in stack) else []
    needed = {(each["kind"], each["metadata"]["name"]) for each in agents}
    policies = [each.name for each in stack if each.kind == _POLICY]
    of_log = {each.name for each in EVENT_NAMESPACES}
    event_log = any(each.kind == _NAMESPACE and each.name in of_log for each in stack)
    printed = [
        *site_rights(topology, site, policies, agent_port=agent_port, event_log=event_log),
        *(each for each in way_in_for_up(topology, site, event_log=event_log) if each["kind"] != _NAMESPACE),
    ]
    programs = [each for each in printed if _key(each) not in needed]
    return [*(_declared(each) for each in agents), *(_declared(each, may_be_missing=True) for each in programs)]


def _key(manifest: Mapping[str, Any]) -> tuple[str, str]:
    return str(manifest["kind"]), str(manifest["metadata"]["name"])


def _declared(manifest: Mapping[str, Any], *, may_be_missing: bool = False) -> Declared:
    body = {key: value for key, value in manifest.items() if key not in {"apiVersion", "kind"}}
    version, kind = str(manifest["apiVersion"]), str(manifest["kind"])
    return Declared(version, kind, body, "", is_owners=True, may_be_missing=may_be_missing)


def binds_holders(kind: str, document: Mapping[str, Any]) -> bool:
    """Whether an object gives one of the platform's own groups or users a right, in whichever namespace."""
    if kind not in {"ClusterRoleBinding", "RoleBinding"}:
        return False
    subjects = document.get("subjects") or ()
    return any(each.get("kind") in {"Group", "User"} and _is_holder(each.get("name")) for each in subjects)


def _is_holder(name: object) -> bool:
    return str(name).startswith(HOLDERS)
