"""Whether a site's databases are whole copies of the active site's: following, of the wanted size, on their volumes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from runbooks.change import RoleChange
from runbooks.site_database import SiteDatabase
from shopsphere.clients.cluster import Document
from shopsphere.clients.postgres import follower_in, follows
from shopsphere.estate import stack_files
from shopsphere.estate.stack import site_stack
from shopsphere.topology.quantities import parse_quantity

COPY_SECONDS = 420.0
"""Seconds in which a new copy has to stream; one that is older and does not is broken."""


def wanted_size(change: RoleChange, database: SiteDatabase, document: Mapping[str, Any]) -> str:
    """Return the size that the stack's file gives a database; where it says none, the one that its cluster has.

    Raises:
        StackFileError: the file cannot be read.
    """
    access = change.access
    stack = site_stack(access.topology, database.site, access.environment)
    sizes = stack_files.wanted_configuration(stack).get(f"{stack_files.NAMESPACE}:databases")
    own = sizes.get(database.model.name) if isinstance(sizes, dict) else None
    return str(own["size"]) if isinstance(own, dict) and "size" in own else str(document["spec"]["storage"]["size"])


def what_is_wrong(change: RoleChange, database: SiteDatabase, document: Mapping[str, Any]) -> str:
    """Say why a database has to be made anew; nothing where it is a whole copy, or may become one by itself.

    Raises:
        ShopSphereError: a site's API or the leading instance does not answer.
    """
    if not follows(document):
        return "it does not follow the active site"
    size = wanted_size(change, database, document)
    if wrong := _wrong_size(document, size) or _wrong_claim(_claims(database), size):
        return wrong
    if not streams(change, database) and _age(database, document) > COPY_SECONDS:
        return "it does not stream from the active site"
    return ""


def streams(change: RoleChange, database: SiteDatabase) -> bool:
    """Whether a database streams from the same one at the other site."""
    found = follower_in(change.counterpart(database).instance(), database.name)
    return found.get("state") == "streaming"


def _wrong_size(document: Mapping[str, Any], size: str) -> str:
    has = str(document["spec"]["storage"]["size"])
    return f"its cluster asks for {has}, not for the {size} of its stack" if _differ(has, size) else ""


def _wrong_claim(claims: list[Document], size: str) -> str:
    for claim in claims:
        name, asked = claim["metadata"]["name"], str(claim["spec"]["resources"]["requests"]["storage"])
        if claim.get("status", {}).get("phase") == "Lost":
            return f"the volume of its claim {name} is lost"
        if _differ(asked, size):
            return f"its claim {name} is for {asked}, not for {size}, and cannot change"
    return ""


def _claims(database: SiteDatabase) -> list[Document]:
    path = f"/api/v1/namespaces/{database.model.namespace.name}/persistentvolumeclaims"
    return database.cluster.items_of_known_kind(path, labelSelector=f"cnpg.io/cluster={database.name}")


def _differ(one: str, other: str) -> bool:
    return parse_quantity(one) != parse_quantity(other)


def _age(database: SiteDatabase, document: Mapping[str, Any]) -> float:
    """Return for how long a cluster has existed (s), by the clock of its own API; without end where it does not say.

    By the clock of an operator's machine a copy that has just begun could look broken, and would be thrown away.
    """
    created = document["metadata"].get("creationTimestamp")
    if not created:
        return float("inf")
    now = database.cluster.date()
    return (parsedate_to_datetime(now) - datetime.fromisoformat(str(created))).total_seconds() if now else 0.0
