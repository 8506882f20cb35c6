"""The other site is told that it may not write, or the operator answers for its being off."""

from runbooks.change import MOVE, RoleChange
from runbooks.engine.errors import BlockedError
from runbooks.unwitnessed import lay_down
from shopsphere.clients.cluster_errors import NoAccessError, RefusedError
from shopsphere.foundation.errors import NoAnswerError, one_line

TITLE = "Bar the other site from writing"
SECONDS = 30


def check(change: RoleChange) -> str:
    """Say how it is barred; refuse when it cannot be, and nobody says that it is off."""
    silence = _silence(change)
    if not silence:
        return f"{change.source} is told, and keeps to it over a reboot until the witness is in the new epoch"
    if change.variant != MOVE:
        return f"{change.source} does not answer; it follows, and nobody has promoted it"
    if change.site_is_off == change.source:
        return f"{change.source} does not answer, and {change.actor} says that it is off and stays off"
    raise BlockedError.because(
        f"{change.source} does not answer: it may be writing for customers whom we do not see ({silence})",
        action=f"have somebody at the site cut its power or its network lines; then add --site-is-off {change.source}",
    )


def act(change: RoleChange) -> None:
    """Lay the permit of the other site down there."""
    if not _silence(change):
        lay_down(change, change.source)
        change.remember("barred", value=True)


def verify(change: RoleChange) -> bool:
    """Its agent keeps to the permit; of a site that does not answer, what was said above."""
    if change.recall("barred"):
        return _keeps_to_it(change)
    return _silence(change) != "" and (change.variant != MOVE or change.site_is_off == change.source)


def _silence(change: RoleChange) -> str:
    """Return why nothing is heard of the other site's API; empty when it answers, be it with a refusal.

    That this machine does not know the way there is no silence, unless the operator says that the site is off.

    Raises:
        NoAccessError: no usable kubeconfig leads there.
        AccessError: the configuration of its stack cannot be read.
    """
    try:
        change.access.cluster(change.source).get("/version")
    except RefusedError:
        return ""
    except NoAnswerError as error:
        return one_line(error)
    except NoAccessError as error:
        if change.site_is_off != change.source:
            raise
        return one_line(error)
    return ""


def _keeps_to_it(change: RoleChange) -> bool:
    state = change.access.agent_state(change.source)
    permit = state.get("permit") or {}
    is_ours = (permit.get("epoch"), permit.get("active")) == (change.epoch + 1, change.target)
    return not state["writes"] and is_ours
