"""P2: a payment is acknowledged only when both sites have it, and the witness knows that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runbooks.readiness.pair_view import PairView
from shopsphere.clients.postgres import followers_in
from shopsphere.estate.databases import LEDGER
from shopsphere.foundation.finding import Finding, fails, passes, together
from shopsphere.witness import PairRecord, Sync

NAME = "The ledger is synchronous to the recovery site, and the witness says so"


def ask(view: PairView) -> Finding:
    """Ask the active ledger and the witness."""
    name = LEDGER.cluster(view.recovery)
    return together([judge_ledger(name, view.instance(view.active, LEDGER)), judge_record(view.record)])


def judge_ledger(name: str, active: Mapping[str, Any]) -> Finding:
    """Judge by what PostgreSQL does, never by what it is told; `name` is the recovery site's in replication."""
    found = followers_in(active, name)
    if len(found) > 1:
        return fails(
            f"{len(found)} followers call themselves {name}: what one of them confirms the other may lack",
            "one of them is cut off from its site: find its node with `shopsphere ready`, and shut it off",
        )
    state = found[0].get("sync") if found else "not connected"
    if state == "sync":
        return passes(f"{name} is synchronous")
    return fails(f"{name} is {state}", "the active site's agent makes it synchronous once it streams: look at its log")


def judge_record(record: PairRecord) -> Finding:
    """Judge what a failover would go by."""
    if record.sync is Sync.ON:
        return passes("the witness says sync on")
    return fails(
        f"the witness says sync off ({record.actor}: {record.reason})",
        "the active site's agent tells it when the ledger confirms at both sites",
    )
