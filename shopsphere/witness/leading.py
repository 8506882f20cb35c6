"""Which voter leads a witness: each change and each read of the quorum goes by way of it, so it had better be near.

Voters elect whoever calls for it first: after each start of one it may be the farthest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx

from shopsphere.foundation.errors import ShopSphereError, one_line
from shopsphere.foundation.side_by_side import at_each
from shopsphere.witness.said import message, why
from shopsphere.witness.store import Store

_BEHIND = 100
"""Changes that a voter may lack and still lead: until it has them, the witness takes no other one."""
_MOVE_SECONDS = 5.0
"""Bound on the answer (s): the voter that leads waits until the other one has all, and has been elected."""


def let_quickest_lead(store: Store, quickest: Sequence[str], told: Callable[[str], object]) -> None:
    """Let that voter lead under which a change takes least, of those that answer; where that fails, say so.

    Leases last a little longer for it: whoever leads anew counts them from the beginning.

    Args:
        store: the witness, asked as root.
        quickest: where the voters reach each other, that one first.
        told: gets a line when another one leads, or does not come to it.
    """
    try:
        members = store.call("/v3/cluster/member/list", {}).get("members", [])
    except ShopSphereError as error:
        told(f"who leads the witness is not known; `shopsphere witness tend` tries again: {one_line(error)}")
        return
    number_at = {address: str(each.get("ID")) for each in members for address in each.get("peerURLs", [])}
    said = [each for each in at_each(store.gateway.order.in_order(), lambda url: _status(store, url)) if each]
    by_number = {each.number: each for each in said}
    leaders = {each.leader for each in said}
    best = next((address for address in quickest if number_at.get(address) in by_number), "")
    if len(leaders) != 1 or not leaders <= by_number.keys() or not best:
        told("who leads the witness is not known: not every voter answers; then `shopsphere witness tend` sees to it")
        return
    now, wanted = by_number[said[0].leader], by_number[number_at[best]]
    if now is wanted:
        return
    behind = wanted.applied < now.index - _BEHIND
    problem = "it has not caught up" if behind else _move(store, now.url, wanted.number)
    if problem:
        told(f"the voter at {best} should lead: {problem}; `shopsphere witness tend` tries again")
    else:
        told(f"the voter at {best} leads from now on")


@dataclass(frozen=True)
class _Status:
    """What a voter says of itself: its number, who leads, and how far its log goes and is applied."""

    url: str
    number: str
    leader: str
    index: int
    applied: int


def _status(store: Store, url: str) -> _Status | None:
    """Ask a voter; None where it does not answer, has no vote yet, or knows of none that leads."""
    try:
        found = store.gateway.post(url, "/v3/maintenance/status", {}).json()
        number, leader = str(found["header"]["member_id"]), str(found["leader"])
        status = _Status(url, number, leader, int(found["raftIndex"]), int(found["raftAppliedIndex"]))
        return None if leader == "0" or found.get("isLearner") else status
    except (httpx.HTTPError, ValueError, LookupError, TypeError, AttributeError, ShopSphereError):
        return None


def _move(store: Store, leading: str, to: str) -> str:
    """Have a voter let another one lead; return what kept it from that."""
    try:
        answer = store.gateway.post(
            leading, "/v3/maintenance/transfer-leadership", {"targetID": to}, seconds=_MOVE_SECONDS
        )
        said: object = answer.json()
        return "" if answer.is_success else (message(said) if isinstance(said, dict) else "") or str(answer.status_code)
    except httpx.HTTPError as error:
        return why(error)
    except (ValueError, ShopSphereError) as error:
        return one_line(error)
