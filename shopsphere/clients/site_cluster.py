"""From a site's stack configuration to its cluster."""

from __future__ import annotations

from pathlib import Path

from shopsphere.clients.cluster import Cluster
from shopsphere.clients.cluster_errors import NoAccessError
from shopsphere.estate import stack_files
from shopsphere.estate.access import Configured, as_deployed, site_access
from shopsphere.estate.stack import StackId


def cluster_of(stack: StackId, *, seconds: float = 3, configured: Configured = as_deployed) -> Cluster:
    """Return the cluster that a site's stack deploys to.

    Raises:
        NoAccessError: the stack was never set up here, or its kubeconfig cannot be used.
        AccessError: its configuration cannot be read.
    """
    access = site_access(stack, configured)
    if not access.kubeconfig:
        raise NoAccessError(f"{stack.label}: not set up here (no {stack_files.project_file(stack).name})")
    return Cluster(Path(access.kubeconfig).expanduser(), access.context or stack.label, seconds=seconds)
