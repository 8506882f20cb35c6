"""What controllers make out of declared objects: what is missing of it, and how what was touched is put back.

Deployments make pods anew as soon as one is gone. CloudNativePG makes an account and its rights anew when it next looks
at the cluster, which may be hours away unless its document changes. Nobody makes a volume's data anew.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from shopsphere.drift.declared import Declared
from shopsphere.drift.repair import Repair
from shopsphere.drift.undeclared import Key, Live, Touch

CLUSTER = "Cluster"
ACCOUNT = ("ServiceAccount", "Role", "RoleBinding")
"""By these a database's instances tell what they are, and take a lease: without one there is no change of role."""
_MADE_AT_ONCE = frozenset({"Endpoints", "EndpointSlice", "Pod", "ReplicaSet"})
"""Kinds that their controller makes anew whenever one is gone, and that hold nothing of their own."""
_MADE_BY_THE_OPERATOR = frozenset({"PodDisruptionBudget", "Role", "RoleBinding"})


def accounts_of(declared: Iterable[Declared], lives: Mapping[Key, Live]) -> dict[Key, Declared]:
    """Return the accounts, with their rights, that the operator has made for each declared cluster that runs."""
    return {
        (kind, each.namespace, each.name): each
        for each in declared
        if each.kind == CLUSTER and _runs(lives.get((CLUSTER, each.namespace, each.name)))
        for kind in ACCOUNT
    }


def _runs(cluster: Live | None) -> bool:
    status: Mapping[str, Any] = (cluster.document.get("status") or {}) if cluster else {}
    return bool(status.get("readyInstances"))


def repair_of_touched(live: Live, touch: Touch, owners: Collection[str], repair: Repair) -> str:
    """Return what puts back an object that a controller made and somebody changed.

    Args:
        live: the object.
        touch: who changed what of it.
        owners: names of the clusters that own it.
        repair: how the site is reached.
    """
    if live.kind in _MADE_AT_ONCE and not owners:
        return repair.delete(*live.key)
    if live.kind in _MADE_BY_THE_OPERATOR and len(owners) == 1:
        return f"{repair.delete(*live.key)} && {repair.look_again(live.namespace, next(iter(owners)))}"
    fields = ", ".join(touch.fields[:3])
    return (
        f"put back by hand what {shlex.quote(touch.author.manager)} set ({fields}): it is not made anew as it was, and "
        "deleting it may lose data, an account or a password"
    )
