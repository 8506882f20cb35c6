"""Where a site's agent answers: what the gateway, the runbooks and the agent itself agree on."""

from __future__ import annotations

SITE_AGENT_PORT = 8405
WRITES_PATH = "/writes"
"""Whether writes are open: 200, or anything else for no."""
STATE_PATH = "/state"
"""What the agent knows, as JSON."""
