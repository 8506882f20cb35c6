"""A permit: who may write without the witness, because an operator broke the glass.

It lies in a site's own Kubernetes API, where access is granted and every change is audited. It counts until the
witness is in its epoch. That a site may not write holds over a reboot, from its agent's disk; that it may, ends with
the agent's process: what was decided since, a site that comes back without the witness cannot know.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from shopsphere.clients.cluster import Cluster
from shopsphere.clients.cluster_errors import NotFoundError
from shopsphere.estate.databases import LEDGER

NAME = "shopsphere-permit"
_ALL = f"/api/v1/namespaces/{LEDGER.namespace.name}/configmaps"
PATH = f"{_ALL}/{NAME}"
MANAGER = "shopsphere-break-glass"
_KEY = "permit.json"


class Permit(BaseModel):
    """One decision."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pair: str
    epoch: int = Field(ge=2, description="The epoch that it begins; the witness will be in it when it is back.")
    active: str = Field(description="The site that may write; the other one may not.")
    session: str = Field(description="The start of the active site's agent that it is for.")
    actor: str
    reason: str
    at: datetime = Field(description="When (UTC), by the actor's clock; orders nothing.")

    def counts(self, witnessed: int | None) -> bool:
        """Whether it is ahead of the epoch that the witness was last known to be in."""
        return witnessed is None or witnessed < self.epoch


def find_permit() -> tuple[str, str]:
    """Return the list in which a site's permit is, and the field selector that leaves it alone in there."""
    return _ALL, f"metadata.name={NAME}"


def read_permit(cluster: Cluster) -> Permit | None:
    """Return the permit at a site.

    Raises:
        ClusterError: its API does not answer, or refuses.
    """
    try:
        document = cluster.get(PATH)
    except NotFoundError:
        return None
    return Permit.model_validate_json(document["data"][_KEY])


def write_permit(cluster: Cluster, permit: Permit) -> None:
    """Lay a permit down at a site.

    Raises:
        ClusterError: its API does not answer, or refuses.
    """
    labels = {"app.kubernetes.io/part-of": "shopsphere", "app.kubernetes.io/managed-by": MANAGER}
    document = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": NAME, "namespace": LEDGER.namespace.name, "labels": labels},
        "data": {_KEY: permit.model_dump_json(indent=2)},
    }
    cluster.apply(PATH, document, manager=MANAGER)
