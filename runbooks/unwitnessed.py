"""A change of the active site without the witness: what is known then, and how a permit is laid down."""

from __future__ import annotations

from datetime import UTC, datetime

from runbooks.change import MOVE, STAY, RoleChange
from runbooks.direction import Direction
from runbooks.names import shown_records
from runbooks.pair_access import PairAccess
from runbooks.permit import Permit, write_permit
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.names.pair_state import PairState


def direction_without_witness(access: PairAccess, to: str) -> Direction:
    """Return source, target, epoch and variant as they follow from what DNS and the agents know.

    Args:
        access: the ways to the pair.
        to: site that is to write; empty for the one that does not now.

    Raises:
        ShopSphereError: neither knows the pair's state.
    """
    known = [*_shown(access), *_read(access)]
    if not known:
        raise ShopSphereError.build(
            f"{access.pair.name}: nobody knows which site is active",
            expected="a DNS authority that shows the pair's state, or an agent that has read the witness",
            found="neither",
            action="bring a DNS authority back",
        )
    newest = max(known, key=lambda state: state.epoch)
    target = to or access.pair.other_than(newest.active)
    variant = STAY if target == newest.active else MOVE
    return Direction(access.pair.other_than(target), target, newest.epoch, variant)


def lay_down(change: RoleChange, site: str) -> None:
    """Write the permit of this change into a site's API."""
    permit = Permit(
        pair=change.pair.name,
        epoch=change.epoch + 1,
        active=change.target,
        session=str(change.access.agent_state(change.target)["session"]),
        actor=change.actor,
        reason=change.reason,
        at=datetime.now(UTC),
    )
    write_permit(change.access.cluster(site), permit)


def _shown(access: PairAccess) -> list[PairState]:
    declaration = access.declaration()
    return [state for record in shown_records(access) if (state := declaration.stated(record))]


def _read(access: PairAccess) -> list[PairState]:
    found = []
    for site in access.pair.sites:
        try:
            record = access.agent_state(site)["record"]
        except ShopSphereError:
            continue
        if record:
            found.append(PairState(int(record["epoch"]), str(record["active"])))
    return found
