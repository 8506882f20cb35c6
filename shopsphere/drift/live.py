"""What there is in a site's cluster: one list per kind, with the site's own credentials."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from shopsphere.drift.kinds import KINDS, SECRET, ObjectKind
from shopsphere.drift.undeclared import Live, is_meant
from shopsphere.foundation.errors import ShopSphereError, one_line

AT_ONCE = 4
"""Lists that one site is asked for at the same time: its API has customers to serve."""


class Lists(Protocol):
    """What is needed of a cluster."""

    def items(self, path: str, **query: str) -> list[dict[str, Any]]:
        """Return the entries of a list; of a kind that the cluster does not know, none."""


@dataclass(frozen=True)
class Seen:
    """What was listed.

    Attributes:
        lives: the live objects that can be compared.
        unreadable: kinds that could not be listed, with the reason.
    """

    lives: tuple[Live, ...]
    unreadable: dict[str, str]


def look(cluster: Lists, namespaces: Collection[str]) -> Seen:
    """List all kinds; one that cannot be listed hides no other.

    A kind is listed for the whole cluster in one request. Secrets are asked for by namespace: what others keep secret
    in the same cluster is nobody's business here.

    Args:
        cluster: of the site.
        namespaces: of the stack.
    """

    def listed(kind: ObjectKind) -> list[Live] | str:
        places = sorted(namespaces) if kind.kind == SECRET else [""]
        try:
            found = [each for place in places for each in cluster.items(kind.path(place))]
        except ShopSphereError as error:
            return one_line(error)
        return [Live(kind.kind, each) for each in found]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = dict(zip((each.kind for each in KINDS), pool.map(listed, KINDS), strict=True))
    unreadable = {kind: found for kind, found in answers.items() if isinstance(found, str)}
    lives = [live for found in answers.values() if not isinstance(found, str) for live in found]
    meant = [live for live in lives if is_meant(live, namespaces)]
    return Seen(tuple(live for live in meant if not _is_made_by(live, unreadable)), unreadable)


def _is_made_by(live: Live, kinds: Collection[str]) -> bool:
    """Whether an owner of an object is of a kind that could not be listed: then nobody knows who declared it."""
    return any(kind in kinds for kind in live.owner_kinds)
