"""A permit: who may write without the witness, because an operator broke the glass.

It lies in a site's own Kubernetes API, where access is granted and every change is audited. It counts until the
witness is in its epoch. That a site may not write holds over a reboot, from its agent's disk; that it may, ends with
the agent's process: what was decided since, a site that comes back without the witness cannot know.

One site has one permit for an epoch: the object is named after the epoch and is created, never replaced. Whoever comes
second finds what was decided, and a decision for the other site is refused.

At a site of several nodes it names the start of each node's agent: each opens the fence of its own node, by that alone.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import Field, ValidationError

from shopsphere.clients.cluster import Cluster, Document
from shopsphere.clients.cluster_errors import ConflictError, UnreadableAnswerError
from shopsphere.estate.databases import LEDGER
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.exchanged import Exchanged, Name, Words
from shopsphere.foundation.signing import Statement
from shopsphere.witness import PairRecord, Phase, Sync

MANAGER = "shopsphere-break-glass"
ALL = f"/api/v1/namespaces/{LEDGER.namespace.name}/configmaps"
SELECTOR = f"app.kubernetes.io/managed-by={MANAGER}"
NOBODY = ""
"""Session of a permit that opens nothing: it only tells a site of an epoch that it does not know."""
MOST_NODES = 256
"""Further nodes of a site at most: more are no permit."""
_KEY = "permit.json"


class OtherPermitError(ShopSphereError):
    """This epoch was decided already, for the other site: this decision can never be made."""


class Permit(Exchanged):
    """One decision."""

    pair: Name
    epoch: int = Field(ge=2, strict=True, description="The epoch that it begins, and the witness will be in.")
    active: Name = Field(description="The site that may write; the other one may not.")
    session: Name = Field(description="The start of the active site's agent that it is for; empty for none.")
    nodes: dict[Name, Name] = Field(
        default_factory=dict,
        max_length=MOST_NODES,
        description="Of an active site of several nodes: the starts of further nodes' agents that it is for, by node.",
    )
    actor: Words
    reason: Words
    at: datetime = Field(description="When (UTC), by the actor's clock; orders nothing.")
    decision: Statement | None = Field(
        default=None,
        description="The same, signed for the witness's record: agents may bring it in, not decide.",
    )

    def counts(self, witnessed: int | None) -> bool:
        """Whether it is ahead of the epoch that the witness was last known to be in."""
        return witnessed is None or witnessed < self.epoch

    def session_of(self, node: str) -> str:
        """Return the start of an agent of the active site that it opens; empty `node` for the one of the site.

        Empty where it opens none: a node that did not answer when it was given stays shut.
        """
        return self.nodes.get(node, NOBODY) if node else self.session

    def decides_as(self, other: Permit) -> bool:
        """Whether both let the same site of the same pair write in the same epoch."""
        return (self.pair, self.epoch, self.active) == (other.pair, other.epoch, other.active)

    def begun_after(self, record: PairRecord) -> PairRecord:
        """Return the witness's record of the epoch that this decision begins; nobody follows yet, so sync is off."""
        return record.changed(
            actor=self.actor,
            reason=f"without the witness: {self.reason}",
            epoch=self.epoch,
            active=self.active,
            phase=Phase.STEADY,
            sync=Sync.OFF,
            decision=self.decision,
        )


def permit_path(epoch: int) -> str:
    """Return the path of the permit of an epoch in a site's API."""
    return f"{ALL}/{_name(epoch)}"


def read_permits(cluster: Cluster) -> list[Permit]:
    """Return the permits at a site, the oldest epoch first.

    Raises:
        ClusterError: its API does not answer, or refuses; or one of the permits cannot be read, so that nobody knows
            what it says.
    """
    found = cluster.items_of_known_kind(ALL, labelSelector=SELECTOR)
    return sorted((_permit_in(each) for each in found), key=lambda permit: permit.epoch)


def write_permit(cluster: Cluster, permit: Permit) -> None:
    """Lay a permit down at a site; for an epoch that has one, only the word of the same decision is renewed.

    Raises:
        ClusterError: its API does not answer, or refuses.
        OtherPermitError: the epoch was decided for another site.
    """
    labels = {"app.kubernetes.io/part-of": "shopsphere", "app.kubernetes.io/managed-by": MANAGER}
    data = {_KEY: permit.model_dump_json(indent=2)}
    metadata = {"name": _name(permit.epoch), "namespace": LEDGER.namespace.name, "labels": labels}
    try:
        cluster.create(ALL, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})
    except ConflictError:
        there = cluster.get(permit_path(permit.epoch))
        found = _permit_in(there)
        if not found.decides_as(permit):
            raise OtherPermitError.build(
                f"{cluster.context}: epoch {permit.epoch} was decided before, for another site",
                expected=f"no permit for epoch {permit.epoch}, or one for {permit.active}",
                found=f"one for {found.active} by {found.actor}: {found.reason}",
                action=f"talk to {found.actor}; then one of you repeats break-glass with --to, which begins epoch "
                f"{permit.epoch + 1}",
            ) from None
        # A node that is silent now may have been permitted before: what was decided for it is not taken back.
        values = permit.model_dump() | {"nodes": {**found.nodes, **permit.nodes}}
        renewed = Permit.model_validate({**(found.model_extra or {}), **values})
        data = {_KEY: renewed.model_dump_json(indent=2)}
        cluster.patch(permit_path(permit.epoch), {"data": data}, version=there["metadata"]["resourceVersion"])


def _permit_in(document: Document) -> Permit:
    try:
        return Permit.model_validate_json(document["data"][_KEY])
    except (ValidationError, KeyError, TypeError) as error:
        name = document.get("metadata", {}).get("name")
        raise UnreadableAnswerError(f"{ALL}/{name} is no permit: {type(error).__name__}") from error


def _name(epoch: int) -> str:
    return f"shopsphere-permit-{epoch}"
