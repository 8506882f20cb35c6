"""From a site's stack configuration to its cluster."""

from __future__ import annotations

from pathlib import Path

from shopsphere.clients.cluster import Cluster, ClusterUnreachableError
from shopsphere.estate import stack_files
from shopsphere.estate.stack import StackId


def cluster_of(stack: StackId, *, seconds: float = 3) -> Cluster:
    """Return the cluster that a site's stack deploys to.

    Raises:
        ClusterUnreachableError: the stack was never set up here, or its kubeconfig cannot be used.
    """
    config = stack_files.configuration(stack)
    kubeconfig = config.get("shopsphere:kubeconfig")
    if not kubeconfig:
        raise ClusterUnreachableError(f"{stack.label}: not set up here (no {stack_files.project_file(stack).name})")
    path = Path(kubeconfig).expanduser()
    return Cluster(path, str(config.get("shopsphere:context", stack.site)), seconds=seconds)
