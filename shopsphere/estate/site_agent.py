"""Where a site's agent answers: what the gateway, the runbooks and the agent itself agree on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SITE_AGENT_PORT = 8405
WRITES_PATH = "/writes"
"""Whether writes are open: 200, or anything else for no."""
STATE_PATH = "/state"
"""What the agent knows, as JSON."""
RULES_PATH = "/rules"
"""What the host's kernel enforces, as JSON; POST loads again what is declared. It answers the site's API alone."""
UNTIL_HEADER = "Answer-When"
"""In a question for the state: what is waited for, so that the answer comes as soon as it is so, or after
`UNTIL_SECONDS`. An agent from before this header answers at once."""
UNTIL_SECONDS = 1.0
HAS_LEASE, OPEN_FOR_WRITES = "leased", "writes-open"
"""What may be waited for, as `has_lease` and `lets_writes_through` read it in a state."""


def has_lease(state: Mapping[str, Any]) -> bool:
    """Whether an agent says that its site holds the lease to write."""
    return float(state.get("lease_seconds_left") or 0) > 0


def lets_writes_through(state: Mapping[str, Any]) -> bool:
    """Whether an agent says that its site's gateway lets writes through."""
    return bool(state["writes"])
