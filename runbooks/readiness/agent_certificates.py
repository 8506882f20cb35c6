"""When the certificates of a site's agents end, as they say it themselves: of each node, at API server and witness."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from runbooks.readiness.pair_view import PairView
from shopsphere.foundation.certificate_ends import judge_certificates
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.finding import Finding

RENEW = (
    "renew it (for the API server docs/production.md, step 6; for the witness docs/witness.md), and restart the agent, "
    "at the site that follows first"
)


def judge_agents(view: PairView, now: datetime) -> Finding:
    """Judge the certificates of both sites' agents, and of those of further nodes; P9 tells of one that is silent."""
    ends = {
        f"the certificate of {node}'s agent for the {whom}": end
        for node, state in _states(view)
        for whom, end in ends_in(state).items()
    }
    return judge_certificates(ends, now, RENEW)


def _states(view: PairView) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for site in view.pair.sites:
        with suppress(ShopSphereError):
            yield site, view.agent(site)
        for node in view.access.topology.site(site).further_nodes:
            with suppress(ShopSphereError):
                yield node.name, view.node(site, node)


def ends_in(state: Mapping[str, Any]) -> dict[str, datetime | None]:
    """Return when each certificate of an agent ends (UTC), by whom it asks with it; None where it is no certificate.

    An older agent says nothing of them.
    """
    said = state.get("certificates")
    return {str(name): _time(end) for name, end in said.items()} if isinstance(said, Mapping) else {}


def _time(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else None
