"""What a cluster's owner lets the platform's own programs do there: declared by this repository, applied by no stack.

A role that somebody widened at the cluster lets whoever holds it do more, and no stack's state tells of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from shopsphere.drift.declared import Declared
from shopsphere.estate.access import AccessError, HostPortsAccess, read_access
from shopsphere.estate.cluster_rights import agent_rights, site_rights, way_in_for_up
from shopsphere.estate.site_agent import SITE_AGENT_PORT
from shopsphere.estate.stack import Environment, site_stack
from shopsphere.topology import Topology, load_topology

HOLDERS = "shopsphere:"
"""How the names of the platform's own groups and users begin, in certificates and in what binds them."""
_DATABASE, _POLICY, _NAMESPACE = "Cluster", "ValidatingAdmissionPolicy", "Namespace"


def owners_rights(site: str, environment: str, stack: Sequence[Declared]) -> list[Declared]:
    """Return the rights that the owner of a site's cluster applied, as `policy rights` prints them.

    Those of agents have to be there wherever databases are declared. An owner may do without the programs' (then one
    kubeconfig is used for all); a role or a binding of theirs that is there is as declared.

    Args:
        site: whose cluster.
        environment: of the stack.
        stack: what it declares; nothing where it was never deployed.
    """
    if not stack:
        return []
    agents = agent_rights(site) if any(each.kind == _DATABASE for each in stack) else []
    needed = {(each["kind"], each["metadata"]["name"]) for each in agents}
    programs = [each for each in _printed(site, environment, stack) if _key(each) not in needed]
    return [*(_declared(each) for each in agents), *(_declared(each, may_be_missing=True) for each in programs)]


def _printed(site: str, environment: str, stack: Sequence[Declared]) -> Iterator[Mapping[str, Any]]:
    topology = load_topology(environment=environment)
    policies = [each.name for each in stack if each.kind == _POLICY]
    yield from site_rights(topology, site, policies, agent_port=_agent_port(topology, site, environment))
    yield from (each for each in way_in_for_up(topology, site) if each["kind"] != _NAMESPACE)


def _agent_port(topology: Topology, site: str, environment: str) -> int:
    with suppress(AccessError):  # where the stack cannot be read, nothing is compared anyway
        return read_access(HostPortsAccess, site_stack(topology, site, Environment(environment))).site_agent_port
    return SITE_AGENT_PORT


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
