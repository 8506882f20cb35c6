"""A change of the active site without the witness: what is known then, and how a permit is laid down."""

from __future__ import annotations

from datetime import UTC, datetime

from runbooks.change import MOVE, STAY, RoleChange
from runbooks.direction import Direction
from runbooks.names import shown_records
from runbooks.permit import Permit, write_permit
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.names.pair_state import PairState


def direction_without_witness(change: RoleChange, to: str) -> Direction:
    """Return source, target, epoch and variant as they follow from what DNS and the agents know.

    Args:
        change: any of the pair; only its pair and environment count.
        to: site that is to write; empty for the one that does not now.

    Raises:
        ShopSphereError: neither knows the pair's state.
    """
    known = [*_shown(change), *_read(change)]
    if not known:
        raise ShopSphereError.build(
            f"{change.pair.name}: nobody knows which site is active",
            expected="a DNS authority that shows the pair's state, or an agent that has read the witness",
            found="neither",
            action="bring a DNS authority back",
        )
    newest = max(known, key=lambda state: state.epoch)
    target = to or change.pair.other_than(newest.active)
    variant = STAY if target == newest.active else MOVE
    return Direction(change.pair.other_than(target), target, newest.epoch, variant)


def lay_down(change: RoleChange, site: str) -> None:
    """Write the permit of this change into a site's API."""
    permit = Permit(
        pair=change.pair.name,
        epoch=change.epoch + 1,
        active=change.target,
        session=str(change.agent_state(change.target)["session"]),
        actor=change.actor,
        reason=change.reason,
        at=datetime.now(UTC),
    )
    write_permit(change.cluster(site), permit)


def _shown(change: RoleChange) -> list[PairState]:
    declaration = change.declaration()
    return [state for record in shown_records(change) if (state := declaration.stated(record))]


def _read(change: RoleChange) -> list[PairState]:
    found = []
    for site in change.pair.sites:
        try:
            record = change.agent_state(site)["record"]
        except ShopSphereError:
            continue
        if record:
            found.append(PairState(int(record["epoch"]), str(record["active"])))
    return found
