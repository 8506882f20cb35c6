"""A change of the active site without the witness: what is known then, and how a permit is laid down."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from runbooks.change import MOVE, STAY, RoleChange
from runbooks.direction import Direction
from runbooks.engine.errors import BlockedError
from runbooks.names import shown_records
from runbooks.pair_access import PairAccess
from runbooks.permit import NOBODY, OtherPermitError, Permit, write_permit
from runbooks.site_nodes import answering
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.progress import say
from shopsphere.names.believed import MOST_AHEAD, believed
from shopsphere.names.pair_state import PairState

MOST_MISSED = 8
"""Epochs that a site may have missed: more changes than that without one of its two sites are no likely truth."""


def direction_without_witness(access: PairAccess, to: str) -> Direction:
    """Return source, target, epoch and variant as they follow from what DNS and the agents know.

    The epoch is the newest that anybody knows of, also of a permit that opened nothing: it is used up. The active site
    is that of the newest epoch in which one could write.

    Args:
        access: the ways to the pair.
        to: site that is to write; empty for the one that does not now.

    Raises:
        ShopSphereError: neither knows the pair's state, or DNS shows what the agents cannot believe.
    """
    shown, states = _shown(access), _agents(access)
    nodes = [state for site in access.pair.sites for state in answering(access, site).values()]
    told = [known for state in (*states, *nodes) for known in _could_write(state)]
    if not shown and not told:
        raise ShopSphereError.build(
            f"{access.pair.name}: nobody knows which site is active",
            expected="a DNS authority that shows the pair's state, or an agent that has read the witness",
            found="neither",
            action="bring a DNS authority back",
        )
    known = [known_epoch(state) for state in states]
    used = max([*known, *map(known_epoch, nodes)], default=0)
    is_whole = len(known) == len(access.pair.sites) and all(known)
    # Whoever took writes in the newest epoch has read it: two agents that know one are at most one behind.
    true = _plausible(access, shown, used, missed=MOST_AHEAD if is_whole else MOST_MISSED)
    newest = max([*true.values(), *told], key=lambda state: state.epoch)
    target = to or access.pair.other_than(newest.active)
    variant = STAY if target == newest.active else MOVE
    return Direction(access.pair.other_than(target), target, max(newest.epoch, used), variant)


def known_epoch(state: Mapping[str, Any]) -> int:
    """Return the newest epoch that an agent knows of, be it the witness's or a permit's; 0 when it knows none."""
    known = [state.get(name) or {} for name in ("witness", "record", "permit")]
    return max(int(each.get("epoch") or 0) for each in known)


def lay_down(change: RoleChange, site: str) -> None:
    """Write the permit of this change into a site's API.

    An agent takes no permit that skips an epoch, so a site that was away is told first of those that it missed. Those
    permits open nothing.

    Raises:
        BlockedError: the site has missed more epochs than can be.
        OtherPermitError: the epoch was decided before, for the other site.
        ShopSphereError: the site's API or an agent does not answer.
    """
    cluster, before = change.access.cluster(site), change.source if change.variant == MOVE else change.target
    agents = (change.access.agent_state(site), *answering(change.access, site).values())
    known = min(filter(None, map(known_epoch, agents)), default=change.epoch)  # one that knows none takes any epoch
    if change.epoch - known > MOST_MISSED:
        raise BlockedError.because(
            f"the agent of {site} knows epoch {known}, and this change ends epoch {change.epoch}",
            action="find out which of the two is wrong: look at `shopsphere status` and the DNS authorities",
        )
    for epoch in range(known + 1, change.epoch + 1):
        try:
            write_permit(cluster, _permit(change, epoch, before, NOBODY))
        except OtherPermitError:
            continue  # that epoch was decided, which is all that the agent has to know
    session = str(change.access.agent_state(change.target)["session"])
    nodes = {node: str(state["session"]) for node, state in answering(change.access, change.target).items()}
    permit = _permit(change, change.epoch + 1, change.target, session, nodes)
    decision = change.access.witness.belief.decide(permit.epoch, permit.active, permit.actor)
    write_permit(cluster, permit.model_copy(update={"decision": decision}))


def _permit(
    change: RoleChange, epoch: int, active: str, session: str, nodes: Mapping[str, str] | None = None
) -> Permit:
    return Permit(
        pair=change.pair.name,
        epoch=epoch,
        active=active,
        session=session,
        nodes=dict(nodes or {}),
        actor=change.actor,
        reason=change.reason,
        at=datetime.now(UTC),
    )


def _shown(access: PairAccess) -> dict[str, PairState]:
    declaration = access.declaration()
    found = shown_records(access).items()
    return {name: state for name, record in found if (state := declaration.stated(record))}


def _agents(access: PairAccess) -> list[dict[str, Any]]:
    found = []
    for site in access.pair.sites:
        try:
            found.append(access.agent_state(site))
        except ShopSphereError:
            continue
    return found


def _could_write(state: Mapping[str, Any]) -> list[PairState]:
    """Return the reigns that an agent knows of: by the witness, and by a permit that has opened its own site."""
    found = [each for name in ("witness", "record") if (each := state.get(name))]
    permit = state.get("permit")
    if permit and permit.get("active") == state.get("site"):
        found.append(permit)
    told = [each for each in found if each.get("epoch") and each.get("active")]
    return [PairState(int(each["epoch"]), str(each["active"])) for each in told]


def _plausible(
    access: PairAccess, shown: Mapping[str, PairState], known: int, *, missed: int
) -> Mapping[str, PairState]:
    """Return what DNS shows without the one authority whose epoch cannot be: names follow the witness, one at a time.

    Where no agent knows an epoch, the one is outvoted by two others that agree.

    Raises:
        ShopSphereError: the agents cannot have missed what several authorities show, or the only one that answers.
    """
    true = believed(shown, known, missed)
    wrong = shown.keys() - true.keys()
    if (not true and wrong) or len(wrong) > 1:
        newest = max(state.epoch for state in shown.values())
        raise ShopSphereError.build(
            f"{access.pair.name}: what DNS shows cannot be true",
            expected=f"at most epoch {known + missed}: an agent of the pair knows of {known}",
            found=f"epoch {newest}, at {', '.join(sorted(wrong))}",
            action="find out who wrote the pair's state record; `shopsphere up edge` writes the true one",
        )
    for name in wrong:
        say(f"DNS authority {name} shows epoch {shown[name].epoch}, which cannot be: it is not believed")
    return true
