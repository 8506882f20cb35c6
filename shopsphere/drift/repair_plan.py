"""Which findings are put back, and which are left to somebody who knows more, with the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shopsphere.drift.declared import Declared
from shopsphere.drift.host_repair import is_loaded_again, is_table
from shopsphere.drift.kinds import KINDS, SECRET
from shopsphere.drift.model import Drift, Kind
from shopsphere.drift.ownership import APPLY, Ownership
from shopsphere.drift.rights import binds_holders
from shopsphere.estate.stack import EDGE

Document = Mapping[str, Any]
_DATABASES = "postgresql.cnpg.io/"
_ROLE = ("spec.replica", "spec.postgresql.synchronous", "metadata.annotations")
"""Where a database's object says which role it has, and who may change it."""
_PULUMI = "pulumi-kubernetes"
_OWNERS_RIGHTS = frozenset({"ClusterRole", "ClusterRoleBinding"})
"""Kinds of which no stack declares any."""
_BY_KIND = {each.kind: each for each in KINDS}


class Action(StrEnum):
    """What is done about a finding."""

    APPLY = "put back"
    """The declared object is applied by the manager that deployed it, and what was added is taken out."""

    TAKE_OUT = "take out"
    """What was added is taken out; nothing else of the object is touched."""

    DELETE = "delete"
    """The object is deleted."""

    LOAD = "load again"
    """The agent of the host loads its declared rules again."""

    LEAVE = "leave"
    """Nothing."""


@dataclass(frozen=True)
class Planned:
    """What is to be done about one finding.

    Attributes:
        drift: the finding.
        action: what is done.
        why: why nothing is done; empty where something is.
    """

    drift: Drift
    action: Action
    why: str = ""


def plan_of(drift: Drift, declared: Declared | None, live: Document | None) -> Planned:
    """Return what is to be done about a finding, as far as it can be told before anything is read anew.

    Args:
        drift: the finding.
        declared: the object that it is about; None where nobody declared one.
        live: the live object of an undeclared one; None where it is not known.
    """
    if drift.kind is not Kind.IGNORE and is_loaded_again(drift.object):
        return Planned(drift, Action.LOAD)
    if why := _why_left(drift, declared):
        return Planned(drift, Action.LEAVE, why)
    if drift.kind is Kind.UNDECLARED:
        why = "it is gone meanwhile" if live is None else why_kept(drift.object.partition(" ")[0], live)
        return Planned(drift, Action.LEAVE if why else Action.DELETE, why)
    if declared is not None and declared.version.startswith(_DATABASES):
        if drift.kind is Kind.ADDED:
            return Planned(drift, Action.TAKE_OUT)
        return Planned(drift, Action.LEAVE, "putting a database's own settings back may restart or move it")
    return Planned(drift, Action.APPLY)


def _why_left(drift: Drift, declared: Declared | None) -> str:
    """Return why nothing is done about a finding: the first reason that holds; empty where none does."""
    kind = drift.object.partition(" ")[0]
    is_database = declared is not None and declared.version.startswith(_DATABASES)
    reasons = (
        (drift.kind is Kind.IGNORE, "entries of the ignores are their owners'"),
        (drift.site == EDGE, "what the edge has is put back by its deployment, or by the command of the finding"),
        (is_table(drift.object), "an agent loads its own tables alone: who made this one may still need it"),
        (drift.kind is Kind.UNDECLARED and kind in _BY_KIND, ""),
        (kind in _OWNERS_RIGHTS, "the cluster's owner applies the rights of its agents"),
        (drift.kind is Kind.TOUCHED, "its command says how: a controller made it, and may not make it anew as it was"),
        (declared is None, "it is no declared object of a cluster"),
        (kind == SECRET, "secrets are put back by a deployment alone"),
        (drift.kind is Kind.MISSING, "an object that is gone is made anew by a deployment alone"),
        (is_database and drift.field.startswith(_ROLE), "it may be the role of a database"),
        (declared is not None and not declared.manager, "the stack's state does not say who deployed it"),
    )
    return next((why for holds, why in reasons if holds), "")


def why_kept(kind: str, live: Document) -> str:
    """Return why an object that nobody declared is not deleted; empty where it is."""
    if kind == "ClusterRoleBinding" and binds_holders(kind, live):
        return "it gives our own programs a right: the cluster's owner may have bound it under a name of his"
    if not opens_way_out(kind, live):
        return "it opens no way out by itself: whoever made it may still need it"
    if any(author.operation == APPLY and author.manager.startswith(_PULUMI) for author in Ownership(live).authors):
        return "a deployment of Pulumi made it, perhaps another stack's"
    return ""


def opens_way_out(kind: str, live: Document) -> bool:
    """Whether an object that nobody declared lets data out, or lets somebody in, so that it is safer without it."""
    spec = live.get("spec") or {}
    match kind:
        case "NetworkPolicy":
            return bool(spec.get("egress"))
        case "Service":
            return spec.get("type") == "ExternalName" or bool(spec.get("externalIPs"))
        case "Endpoints":
            return any(subset.get("addresses") for subset in live.get("subsets") or ())
        case "EndpointSlice":
            return bool(live.get("endpoints"))
    return kind in {"RoleBinding", "ClusterRoleBinding"}


def path_of(text: str) -> str:
    """Return where the API has an object that findings call `text`; empty for what is no object of a cluster."""
    kind, _, rest = text.partition(" ")
    namespace, slash, name = rest.partition("/")
    known = _BY_KIND.get(kind)
    if known is None or not rest or known.namespaced != bool(slash):
        return ""
    return f"{known.path(namespace if slash else '')}/{name if slash else rest}"


def by_object(planned: Sequence[Planned]) -> dict[tuple[str, str], list[Planned]]:
    """Return what is to be done by site and object, in its order; what is left alone is not in it."""
    found: dict[tuple[str, str], list[Planned]] = {}
    for each in planned:
        if each.action is not Action.LEAVE:
            found.setdefault((each.drift.site, each.drift.object), []).append(each)
    return found
