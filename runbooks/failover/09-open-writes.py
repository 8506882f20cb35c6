"""The agent of the site that is active now holds the lease, and its gateway lets writes through."""

import httpx

from runbooks.change import RoleChange
from shopsphere.errors import ShopSphereError

TITLE = "Wait until the site that is active now lets writes through"
SECONDS = 30


def check(change: RoleChange) -> str:
    """Ask whether the agent is there at all."""
    return f"the agent of {change.target} takes the lease; now it says: {_state(change)['because']}"


def act(change: RoleChange) -> None:
    """Nothing: the agent reads the witness by itself."""


def verify(change: RoleChange) -> bool:
    """The agent says that writes are open."""
    return bool(_state(change)["writes"])


def _state(change: RoleChange) -> dict[str, object]:
    address = change.agent_address(change.target)
    try:
        state: dict[str, object] = httpx.get(f"{address}/state", timeout=2, trust_env=False).json()
    except (httpx.HTTPError, ValueError) as error:
        raise ShopSphereError.build(
            f"the agent of {change.target} does not answer",
            expected=f"{address}/state",
            found=type(error).__name__,
            action=f"look at its log: `shopsphere lab logs {change.target} site-agent`",
        ) from error
    return state
