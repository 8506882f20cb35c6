"""P9: the pair is at rest; nothing of an earlier change is in the way of the next one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from runbooks.agent.databases import Role
from runbooks.engine import Journal, RunRecord
from runbooks.readiness.nodes import nodes_asked
from runbooks.readiness.pair_view import PairView
from shopsphere.clients.cluster import Document
from shopsphere.clients.postgres import fenced_instances
from shopsphere.estate.databases import DATABASES, DatabaseModel
from shopsphere.estate.paths import records_directory
from shopsphere.foundation.finding import Finding, fails, passes, together
from shopsphere.witness import Phase
from shopsphere.witness.seen import Seen
from shopsphere.witness.store import Entry

NAME = "The pair is at rest: no change under way, nothing left over from one"
FINISH = "finish the change that left it: `shopsphere failover` goes on where it stopped"


REWOUND = (
    "a fence around single instances is of a rewind: `shopsphere rebuild` of that site, at the machine that began it, "
    "goes on; where that machine is lost, see docs/failover.md, “A fence that a rewind left”"
)


def ask(view: PairView) -> Finding:
    """Ask databases, witness, journals, both agents, and those of further nodes."""
    works: dict[str, Callable[[], Finding]] = {
        database.cluster(site): partial(_cluster, view, site, database)
        for site in (view.active, view.recovery)
        for database in DATABASES
    }
    works |= {
        "the witness": lambda: judge_witness(view.seen),
        "the operators' lock": lambda: judge_lock(view.once("the operators' lock", view.access.witness.locked_by)),
        "journals": lambda: _journal(view),
        f"the agent of {view.active}": lambda: judge_active_agent(view.active, view.agent(view.active)),
        f"the agent of {view.recovery}": lambda: judge_recovery_agent(view.recovery, view.agent(view.recovery)),
    }
    works |= nodes_asked(view)
    return together(view.judge_each(works))


def _journal(view: PairView) -> Finding:
    records = records_directory(view.access.environment)
    return judge_journal(Journal.unfinished(records, pair=view.pair.name))


def _cluster(view: PairView, site: str, database: DatabaseModel) -> Finding:
    return judge_cluster(view.document(site, database))


def judge_cluster(document: Document) -> Finding:
    """Judge a CloudNativePG cluster: no used token, no fence."""
    name, left = document["metadata"]["name"], []
    if document["spec"].get("replica", {}).get("promotionToken"):
        left.append("a promotion token")
    if fenced := fenced_instances(document):
        left.append(f"a fence around {', '.join(fenced)}")
    if left:
        of_rewind = left == [f"a fence around {', '.join(fenced)}"] and all(each.startswith(name) for each in fenced)
        return fails(f"{name} has {' and '.join(left)}", REWOUND if of_rewind else FINISH)
    return passes(f"{name} has no token and no fence")


def judge_witness(seen: Seen) -> Finding:
    """Judge the record and the lease to write."""
    record = seen.record
    if record is None or record.phase is not Phase.STEADY:
        found = f"{record.phase} ({record.actor}: {record.reason})" if record else "there is no record"
        return fails(f"the witness's phase is not steady: {found}", FINISH)
    if seen.lease_holder != record.active:
        return fails(
            f"the lease to write is held by {seen.lease_holder or 'nobody'}, not by {record.active}",
            f"look at the agent of {record.active}: without the lease that site takes no writes",
        )
    return passes(f"{record.active} holds the lease")


def judge_lock(entry: Entry | None) -> Finding:
    """Judge the lock of operators."""
    if entry is None:
        return passes("no operator is at work")
    return fails(f"an operator is at work: {entry.value}", "wait for them, or call them")


def judge_journal(left: RunRecord | None) -> Finding:
    """Judge the runs of this machine."""
    if left is None:
        return passes("no run is unfinished")
    words = " ".join(filter(None, (left.facts.runbook, left.facts.variant)))
    return fails(f"{left.run} ({words}: {left.facts.reason}) is unfinished", "call the command that started it again")


def judge_active_agent(site: str, state: Mapping[str, Any]) -> Finding:
    """Judge whether the active site lets writes through."""
    if state["writes"]:
        return passes(f"{site} takes writes")
    return fails(f"{site} takes no writes: {state['because']}", f"look at the log of the agent of {site}")


def judge_recovery_agent(site: str, state: Mapping[str, Any]) -> Finding:
    """Judge whether the recovery site is a replica that answers reads and nothing else."""
    if state.get("role") == Role.REPLICA and state["databases"] and not state["writes"]:
        return passes(f"{site} reads only")
    return fails(
        f"{site} is no replica that reads only: role {state.get('role') or 'unknown'}, {state['because']}",
        f"`shopsphere rebuild {site}` makes it a replica again",
    )
