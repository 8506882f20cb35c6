"""How a person calls kubectl at a site, as printed commands say it: with the kubeconfig of a role that may do it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from shopsphere.estate.access import Configured, SiteAccess, as_deployed, site_access
from shopsphere.estate.cluster_role import Role
from shopsphere.estate.stack import Environment, StackId

OWNERS_KUBECONFIG = "KUBECONFIG-OF-THE-CLUSTERS-OWNER"
"""Stands in a command for a file that only the cluster's owner has: no role of ours may do what it says."""


@dataclass(frozen=True)
class SiteKubectl:
    """kubectl at one site.

    Attributes:
        kubeconfig: file of `up`, and of every role that has none of its own.
        context: in each.
        of_roles: files of roles that have one of their own.
        owners: the file of the cluster's owner, or what stands for it.
    """

    kubeconfig: str
    context: str
    of_roles: Mapping[Role, str] = field(default_factory=dict)
    owners: str = ""

    def line(self, role: Role | None, namespace: str, *words: str) -> str:
        """Return a command.

        Args:
            role: who may do it; None where only the owner of the cluster may.
            namespace: where; empty for what is in none.
            words: of kubectl.
        """
        owners = self.owners or self.kubeconfig
        file = owners if role is None else self.of_roles.get(role, self.kubeconfig)
        place = ("--namespace", namespace) if namespace else ()
        return shlex.join(("kubectl", "--kubeconfig", file, "--context", self.context, *place, *words))


def kubectl_at(stack: StackId, configured: Configured = as_deployed) -> SiteKubectl:
    """Return how kubectl is called at a stack's site.

    Args:
        stack: of the site.
        configured: which configuration of the stack counts.

    Raises:
        ShopSphereError: its configuration cannot be read.
    """
    return kubectl_with(site_access(stack, configured), stack)


def kubectl_with(access: SiteAccess, stack: StackId) -> SiteKubectl:
    """Return how kubectl is called by what a stack's file says of the ways to its site.

    The lab's file of `up` is its owner's. A real one is, as long as no role has a file of its own (ADR 52).
    """
    own = {role: access.kubeconfig_of(role) for role in Role}
    of_roles = {role: file for role, (file, key) in own.items() if key != Role.UP.key}
    is_owners = stack.environment is Environment.LAB or not of_roles
    owners = access.kubeconfig if is_owners else OWNERS_KUBECONFIG
    return SiteKubectl(access.kubeconfig, access.context or stack.label, of_roles, owners)
