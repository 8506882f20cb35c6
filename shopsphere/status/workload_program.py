"""A program run in a ready pod of a workload: what only the shop's own programs can tell of the shop."""

from __future__ import annotations

from shopsphere.clients.cluster import Cluster
from shopsphere.estate.placement import NAME_LABEL
from shopsphere.estate.workload_declaration import WorkloadDeclaration
from shopsphere.foundation.errors import NoAnswerError
from shopsphere.status.quantities import is_true


class NoReadyPodError(NoAnswerError):
    """No pod of a workload is ready; `pods` of them there are."""

    def __init__(self, workload: str, pods: int) -> None:
        super().__init__(f"no pod of {workload} is ready, of {pods}")
        self.pods = pods


def run_in_workload(
    cluster: Cluster, workload: WorkloadDeclaration, command: list[str], *, extra_seconds: float = 0
) -> str:
    """Run a program in the first ready pod of a workload and return its standard output.

    `extra_seconds` as in `Cluster.execute`.

    Raises:
        NoReadyPodError: there is none.
        ClusterError: the API does not answer, or the program could not be run, failed, or did not end in time.
    """
    pods = cluster.items(f"/api/v1/namespaces/{workload.name}/pods", labelSelector=f"{NAME_LABEL}={workload.name}")
    ready = [pod["metadata"]["name"] for pod in pods if is_true(pod, "Ready")]
    if not ready:
        raise NoReadyPodError(workload.name, len(pods))
    return cluster.execute(workload.name, ready[0], workload.name, command, extra_seconds=extra_seconds)
