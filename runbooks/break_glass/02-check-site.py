"""The site that would write has both databases, and the operator knows what may be lost."""

from runbooks.change import MOVE, RoleChange
from runbooks.engine.errors import BlockedError
from runbooks.site_database import SiteDatabase
from shopsphere.foundation.errors import ShopSphereError

TITLE = "Check the site that would write, and what may be lost"
SECONDS = 15


def check(change: RoleChange) -> str:
    """Say what may be lost; refuse until that is accepted."""
    standing = change.at_target(SiteDatabase.is_standby)
    if change.variant != MOVE:
        if any(standing):
            raise BlockedError.because(
                f"a database of {change.target} follows the other site, so it is not the one that wrote last",
                action=f"leave --to {change.target} out to move the pair there",
            )
        return f"{change.target} continues with the data that it has; nothing is lost"
    if not change.accept_data_loss:
        raise BlockedError.because(
            f"without the witness nobody knows whether {change.source} acknowledged payments that {change.target} "
            f"lacks; {_last_known(change)}",
            action="bring two voters back, or repeat with --accept-data-loss",
        )
    return f"{change.target} continues with the data that it has; {_last_known(change)}"


def verify(change: RoleChange) -> bool:
    """What `check` says holds."""
    check(change)
    return True


def _last_known(change: RoleChange) -> str:
    try:
        record = change.access.agent_state(change.target).get("record")
    except ShopSphereError:
        record = None
    if not record:
        return f"the agent of {change.target} knows nothing of it either"
    sync, epoch = record.get("sync") or "unknown", record.get("epoch") or "unknown"
    return f"the agent of {change.target} last read sync {sync} in epoch {epoch}"
