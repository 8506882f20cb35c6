"""What a site's agent says about itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from shopsphere.estate.access import SiteAccess
from shopsphere.estate.site_agent import STATE_PATH, UNTIL_HEADER
from shopsphere.foundation.errors import NoAnswerError, ShopSphereError
from shopsphere.foundation.trust import usual_trust
from shopsphere.topology import Site


class SiteAgentError(NoAnswerError):
    """An agent does not answer, or its answer is not a state."""


def agent_address(access: SiteAccess, site: Site) -> str:
    """Return where a site's agent answers, as its stack says; else at the site's own address."""
    return f"http://{access.site_agent or site.address}:{access.site_agent_port}"


def ask_agent(address: str, *, seconds: float = 2, until: str = "") -> dict[str, Any]:
    """Return an agent's state: `databases` and `writes` (open or not), `because`, `role` and what else it knows.

    Args:
        address: where it answers, as in `http://10.99.0.11:8405`.
        seconds: bound on connecting and on the answer.
        until: what is waited for, as `estate.site_agent` names it: the answer comes when it is so, or a moment later.

    Raises:
        SiteAgentError: no answer in time, or one that is no state.
    """
    try:
        headers = {UNTIL_HEADER: until} if until else {}
        state = httpx.get(
            f"{address}{STATE_PATH}", headers=headers, timeout=seconds, verify=usual_trust(), trust_env=False
        ).json()
    except (httpx.HTTPError, ValueError) as error:
        raise _silent(address, type(error).__name__) from error
    if not isinstance(state, dict):
        raise _silent(address, repr(state))
    return state


def another_is_active(state: Mapping[str, Any]) -> bool:
    """Whether an agent says that another site of its pair is active, and that no change is under way."""
    record = state.get("record") or {}
    return record.get("active", state.get("site")) != state.get("site") and record.get("phase") == "steady"


def _silent(address: str, found: str) -> ShopSphereError:
    return SiteAgentError.build(
        f"the site's agent at {address} does not answer",
        expected="its state",
        found=found,
        action="read its log on the site's host, and check the network path to it",
    )
