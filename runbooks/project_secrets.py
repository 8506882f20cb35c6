"""A pair's secrets at a site, asked for by namespace: what others keep in the same cluster is not our business."""

from __future__ import annotations

from collections.abc import Callable

from shopsphere.clients.cluster import Document
from shopsphere.estate.site_declaration import REGIONAL_SITE, SiteDeclaration
from shopsphere.foundation.side_by_side import at_each


def secrets_of(ask: Callable[[str], list[Document]], site: SiteDeclaration = REGIONAL_SITE) -> list[Document]:
    """Return all of them, and raise what `ask` raises.

    Args:
        ask: returns what is listed at a path; whom the first namespace is refused is not heard about the others.
        site: what the site is declared to have; without the event log where only what orders need is of interest.
    """
    first, *others = (f"/api/v1/namespaces/{each.name}/secrets" for each in site.namespaces)
    found = ask(first)
    return [*found, *(each for part in at_each(others, ask) for each in part)]
