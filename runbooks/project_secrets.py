"""A pair's secrets at a site, asked for by namespace: what others keep in the same cluster is not our business."""

from __future__ import annotations

from collections.abc import Callable

from shopsphere.clients.cluster import Document
from shopsphere.estate.site_declaration import REGIONAL_SITE
from shopsphere.foundation.side_by_side import at_each

PATHS = tuple(f"/api/v1/namespaces/{each.name}/secrets" for each in REGIONAL_SITE.namespaces)
"""Where a site's API lists them."""


def secrets_of(ask: Callable[[str], list[Document]]) -> list[Document]:
    """Return all of them, and raise what `ask` raises.

    Args:
        ask: returns what is listed at a path; whom the first namespace is refused is not heard about the others.
    """
    first, *others = PATHS
    found = ask(first)
    return [*found, *(each for part in at_each(others, ask) for each in part)]
