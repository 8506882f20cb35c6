"""Which voter leads a witness: each change and each read of the quorum goes by way of it, so it had better be near.

Voters elect whoever calls for it first: after each start of one it may be the farthest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import httpx

from shopsphere.foundation.errors import ShopSphereError, one_line
from shopsphere.foundation.side_by_side import at_each
from shopsphere.witness.said import message, why
from shopsphere.witness.store import Store

_MOVE_SECONDS = 5.0
"""Bound on the answer (s): the voter that leads waits until the other one has all, and has been elected."""


def let_quickest_lead(store: Store, quickest: Sequence[str], told: Callable[[str], object]) -> None:
    """Let that voter lead under which a change takes least, of those that answer; where that fails, say so.

    Leases last a little longer for it: whoever leads anew counts them from the beginning.

    Args:
        store: the witness, asked as root.
        quickest: where the voters reach each other, that one first.
        told: gets a line when another one leads, or does not come to it.

    Raises:
        WitnessUnreachableError: no quorum answered.
    """
    members = store.call("/v3/cluster/member/list", {}).get("members", [])
    number_at = {address: str(each.get("ID")) for each in members for address in each.get("peerURLs", [])}
    urls = sorted(store.gateway.order.in_order())
    said = dict(zip(urls, at_each(urls, lambda url: _status(store, url)), strict=True))
    url_of = {str(each["header"]["member_id"]): url for url, each in said.items() if each and not each.get("isLearner")}
    leaders = {str(each["leader"]) for each in said.values() if each}
    best = next((address for address in quickest if number_at.get(address) in url_of), "")
    if len(leaders) != 1 or not leaders <= url_of.keys() or not best:
        told("who leads the witness is not known: its voters do not agree, or the one that leads does not answer here")
        return
    (now,) = leaders
    if now == number_at[best]:
        return
    problem = _move(store, url_of[now], number_at[best])
    told(f"the voter at {best} leads from now on" if not problem else f"the voter at {best} should lead, but {problem}")


def _status(store: Store, url: str) -> dict[str, Any]:
    """Return what a voter says of itself; nothing where it does not answer."""
    try:
        answer = store.gateway.post(url, "/v3/maintenance/status", {})
        found = answer.json() if answer.is_success else {}
    except (httpx.HTTPError, ValueError, ShopSphereError):
        return {}
    return found if isinstance(found, dict) and found.get("leader") and found.get("header") else {}


def _move(store: Store, leading: str, to: str) -> str:
    """Have a voter let another one lead; return what kept it from that."""
    try:
        answer = store.gateway.post(
            leading, "/v3/maintenance/transfer-leadership", {"targetID": to}, seconds=_MOVE_SECONDS
        )
        return "" if answer.is_success else message(answer.json()) or str(answer.status_code)
    except httpx.HTTPError as error:
        return why(error)
    except (ValueError, ShopSphereError) as error:
        return one_line(error)
