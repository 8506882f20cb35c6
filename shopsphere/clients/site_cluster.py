"""From a site's stack configuration to its cluster, as the one who asks there."""

from __future__ import annotations

from pathlib import Path

from shopsphere.clients.cluster import Cluster
from shopsphere.clients.cluster_errors import Asker, NoAccessError
from shopsphere.estate import stack_files
from shopsphere.estate.access import Configured, as_deployed, site_access
from shopsphere.estate.cluster_role import Role
from shopsphere.estate.stack import StackId


def cluster_of(stack: StackId, role: Role, *, seconds: float = 3, configured: Configured = as_deployed) -> Cluster:
    """Return the cluster that a site's stack deploys to.

    Args:
        stack: of the site.
        role: as whom it is asked.
        seconds: bound on each request.
        configured: which configuration of the stack counts.

    Raises:
        NoAccessError: the stack was never set up here, or its kubeconfig cannot be used.
        AccessError: its configuration cannot be read.
    """
    access = site_access(stack, configured)
    kubeconfig, key = access.kubeconfig_of(role)
    if not kubeconfig:
        raise NoAccessError(f"{stack.label}: not set up here (no {stack_files.project_file(stack).name})")
    file = Path(kubeconfig).expanduser()
    asker = Asker(str(role), f"{file} ({key})", stack.label, str(stack.environment))
    return Cluster(file, access.context or stack.label, seconds=seconds, asker=asker)
