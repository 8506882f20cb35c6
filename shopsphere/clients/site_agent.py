"""What a site's agent says about itself."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from shopsphere.estate.access import SiteAccess
from shopsphere.estate.site_agent import STATE_PATH, UNTIL_HEADER
from shopsphere.foundation.errors import NoAnswerError, ShopSphereError, one_line
from shopsphere.foundation.exchanged import Epoch, Name
from shopsphere.foundation.trust import usual_trust
from shopsphere.topology import Site


class _Reign(BaseModel):
    model_config = ConfigDict(strict=True)

    epoch: Epoch | None = None
    active: Name | None = None


class _State(BaseModel):
    """What readers of a state rely on where it is there; an agent of another version may say less, or more."""

    model_config = ConfigDict(strict=True)

    databases: bool
    writes: bool
    because: str
    role: str | None = None
    site: Name | None = None
    session: Name | None = None
    refused: str | None = None
    lease_seconds_left: float = 0.0
    record: _Reign | None = None
    permit: _Reign | None = None
    witness: _Reign | None = None


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
        SiteAgentError: no answer in time, one that is no state, an agent that is gone, or this machine may not ask.
    """
    try:
        headers = {UNTIL_HEADER: until} if until else {}
        answer = httpx.get(
            f"{address}{STATE_PATH}", headers=headers, timeout=seconds, verify=usual_trust(), trust_env=False
        )
        state = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise _silent(address, type(error).__name__) from error
    if answer.status_code != HTTPStatus.OK:
        raise _silent(address, f"{answer.status_code}: {_reason(state)}")
    try:
        _State.model_validate(state)
    except ValidationError as error:
        raise _silent(address, f"no state: {one_line(error)[:200]}") from error
    known: dict[str, Any] = state
    return known


def another_is_active(state: Mapping[str, Any]) -> bool:
    """Whether an agent says that another site of its pair is active, and that no change is under way."""
    record = state.get("record") or {}
    return record.get("active", state.get("site")) != state.get("site") and record.get("phase") == "steady"


def _reason(answer: object) -> str:
    return str(answer.get("message", "no reason"))[:200] if isinstance(answer, dict) else "no reason"


def _silent(address: str, found: str) -> ShopSphereError:
    return SiteAgentError.build(
        f"the site's agent at {address} does not answer",
        expected="its state",
        found=found,
        action="read its log and its door's on the site's host, and check the network path to it",
    )
