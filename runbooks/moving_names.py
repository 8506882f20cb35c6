"""Leading a pair's names to the target of a change, and readers before that, in all runbooks that do it."""

from __future__ import annotations

from runbooks.change import RoleChange
from runbooks.engine.errors import BlockedError
from runbooks.names import shows, write_at_each
from shopsphere.foundation.progress import say
from shopsphere.names.pair_state import PairState


def where_names_would_lead(change: RoleChange) -> str:
    """Say to which address, at which authorities, and for how long resolvers may still give the old one."""
    names = ", ".join(change.access.authority_names())
    declared = change.access.declaration()
    address = declared.addresses[change.target]
    return f"{change.pair.name} leads to {address} at {names}; resolvers follow within {declared.ttl} s"


def lead_readers_away(change: RoleChange) -> None:
    """Write at each authority that the active site is being left; one that does not answer keeps its names."""
    if not change.is_made_in(change.last_record()):
        write_at_each(change.access, PairState(change.epoch, change.source, leaving=True))


def lead_names_to_target(change: RoleChange) -> None:
    """Write the new state at each authority.

    Raises:
        BlockedError: not one of them took it.
    """
    left = write_at_each(change.access, _wanted(change))
    if len(left) == len(change.access.authority_names()):
        raise BlockedError.because(f"no DNS authority took the change: {'; '.join(left)}", action="bring one back")
    for problem in left:
        say(f"         NOT moved at {problem}; when it is back, the same command with --to {change.target} moves it")


def names_lead_to_target(change: RoleChange) -> bool:
    """Whether every authority that answers shows the new state, and at least one does."""
    return shows(change.access, _wanted(change))


def _wanted(change: RoleChange) -> PairState:
    return PairState(change.epoch + 1, change.target)
