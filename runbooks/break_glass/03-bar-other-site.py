"""The other site is told that it may not write, or the operator answers for its being off."""

from runbooks.change import MOVE, RoleChange
from runbooks.engine.errors import BlockedError
from runbooks.unwitnessed import lay_down
from shopsphere.foundation.errors import ShopSphereError

TITLE = "Bar the other site from writing"
SECONDS = 30


def check(change: RoleChange) -> str:
    """Say how it is barred; refuse when it cannot be, and nobody says that it is off."""
    if _answers(change):
        return f"{change.source} is told, and keeps to it over a reboot until the witness is in the new epoch"
    if change.variant != MOVE:
        return f"{change.source} does not answer; it follows, and nobody has promoted it"
    if change.site_is_off == change.source:
        return f"{change.source} does not answer, and {change.actor} says that it is off and stays off"
    raise BlockedError.because(
        f"{change.source} does not answer: it may be writing for customers whom we do not see",
        action=f"have its power or its lines cut by somebody at the place; then add --site-is-off {change.source}",
    )


def act(change: RoleChange) -> None:
    """Lay the permit of the other site down there."""
    if _answers(change):
        lay_down(change, change.source)
        change.remember("barred", value=True)


def verify(change: RoleChange) -> bool:
    """Its agent keeps to the permit; of a site that does not answer, what was said above."""
    if change.recall("barred"):
        return _keeps_to_it(change)
    return not _answers(change) and (change.variant != MOVE or change.site_is_off == change.source)


def _answers(change: RoleChange) -> bool:
    try:
        change.access.cluster(change.source).get("/version")
    except ShopSphereError:
        return False
    return True


def _keeps_to_it(change: RoleChange) -> bool:
    state = change.access.agent_state(change.source)
    permit = state.get("permit") or {}
    return not state["writes"] and permit.get("epoch") == change.epoch + 1
