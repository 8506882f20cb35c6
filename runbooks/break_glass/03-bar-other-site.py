"""The other site is told that it may not write, or the operator answers for its being off."""

from runbooks.bar import silence_of_source, silent_nodes, source_is_barred
from runbooks.change import MOVE, RoleChange
from runbooks.engine.errors import BlockedError
from runbooks.unwitnessed import lay_down

TITLE = "Bar the other site from writing"
SECONDS = 30


def check(change: RoleChange) -> str:
    """Say how it is barred; refuse when it cannot be, and nobody says that it is off."""
    silence = silence_of_source(change)
    if not silence:
        _require_nodes(change)
        return f"{change.source} is told, and keeps to it over a reboot until the witness is in the new epoch"
    if change.variant != MOVE:
        return f"{change.source} does not answer; it follows, and nobody has promoted it"
    if change.is_off(change.source):
        return f"{change.source} does not answer, and {change.actor} says that it is off and stays off"
    raise BlockedError.because(
        f"{change.source} does not answer: it may be writing for customers whom we do not see ({silence})",
        action=f"have somebody at the site cut its power or its network lines; then add --site-is-off {change.source}",
    )


def act(change: RoleChange) -> None:
    """Lay the permit of the other site down there."""
    if not silence_of_source(change):
        _require_nodes(change)
        lay_down(change, change.source)
        change.remember("barred", value=True)


def verify(change: RoleChange) -> bool:
    """Its agent keeps to the permit; of a site that does not answer, what was said above."""
    return source_is_barred(change)


def _require_nodes(change: RoleChange) -> None:
    """Refuse while a further node is silent: it may have been permitted before, and not have heard of this.

    Of a site that follows nobody was permitted.
    """
    if change.variant == MOVE and (silent := silent_nodes(change)):
        off = ",".join(silent)
        raise BlockedError.because(
            f"the agent of {off} does not answer: databases on that node may take writes, whatever the site is told",
            action=f"have somebody at {change.source} cut its power or its network lines; then add --site-is-off {off}",
        )
