"""P5: the recovery site can carry the load of the active one.

A recovery site may run fewer pods than the active one: it is declared with what it needs to take over at once, and its
limits must have room for all the rest. The event log is P13's: no order waits for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from functools import partial

from runbooks.readiness.pair_view import PairView
from shopsphere.clients.cluster import PART_OF, Document
from shopsphere.clients.document_place import place_of
from shopsphere.clients.workloads import FoundWorkload, find_workloads
from shopsphere.estate.ready_workloads import OF_EVENT_LOG
from shopsphere.foundation.finding import Finding, fails, passes, together
from shopsphere.status.quantities import allocatable_watts, ready_nodes, requested_watts
from shopsphere.topology.quantities import parse_quantity

NAME = "The recovery site runs every workload and has room for the active site's load"
ROOM = "more racks or power at that site, a larger share for that namespace, or less load"


def ask(view: PairView) -> Finding:
    """Compare workloads, quotas and nodes of both sites."""
    subjects = {"workloads": _workloads, "quotas": _quotas, "nodes": _nodes}
    return together(view.judge_each({subject: partial(judge, view) for subject, judge in subjects.items()}))


def _workloads(view: PairView) -> Finding:
    active, recovery = (workloads_at(view, site) for site in (view.active, view.recovery))
    return judge_workloads(view.recovery, active, recovery)


def workloads_at(view: PairView, site: str, *, of_event_log: bool = False) -> list[FoundWorkload]:
    """Return the workloads of a site: those of its event log, or all others."""
    declared = [each for each in view.access.workloads(site) if each.of_event_log is of_event_log]
    found = find_workloads(lambda path: view.items(site, path, labelSelector=PART_OF), declared)
    return [each for each in found if each.of_event_log is of_event_log]


def _quotas(view: PairView) -> Finding:
    return quotas_compared(view)


def quotas_compared(view: PairView, *, of_event_log: bool = False) -> Finding:
    """Compare the quotas of both sites: those of the event log, or all others."""
    active, recovery = (
        [
            each
            for each in view.items(site, "/api/v1/resourcequotas", labelSelector=PART_OF)
            if (each["metadata"]["namespace"] in OF_EVENT_LOG) is of_event_log
        ]
        for site in (view.active, view.recovery)
    )
    return judge_quotas(view.recovery, active, recovery)


def _nodes(view: PairView) -> Finding:
    needed = requested_watts(view.items(view.active, "/api/v1/pods"))
    return judge_nodes(view.recovery, view.items(view.recovery, "/api/v1/nodes"), needed)


def judge_workloads(site: str, active: Collection[FoundWorkload], recovery: Collection[FoundWorkload]) -> Finding:
    """Judge whether a site runs every workload of the active one, each with all its replicas ready.

    A ready pod is also the proof that its image is there.
    """
    there, wanted = ({each.place: each for each in found} for found in (recovery, active))
    problems, smaller = [], []
    for place in sorted({*there, *wanted}):
        own = there.get(place)
        if own is None or own.document is None:
            problems.append(f"{place} is not at {site}")
            continue
        if not own.is_ready:
            problems.append(f"{place} at {site} has {own.ready} of {own.wanted} pods ready")
        if place in wanted and own.ready < wanted[place].wanted:
            smaller.append(f"{place} {own.ready} instead of {wanted[place].wanted}")
    if problems:
        return fails(", ".join(problems), f"`shopsphere status {site}` and `shopsphere up {site}`")
    found = f"all workloads are ready at {site}"
    return passes(f"{found}, with fewer pods: {', '.join(smaller)}" if smaller else found)


def judge_quotas(site: str, active: Iterable[Document], recovery: Iterable[Document]) -> Finding:
    """Judge whether each quota of a site, whatever it limits, has room for what the active site uses of its like."""
    used = {place_of(each): _amounts(each, "used") for each in active}
    problems, count = [], 0
    for quota in recovery:
        place = place_of(quota)
        for resource, hard in _amounts(quota, "hard").items():
            needed = used.get(place, {}).get(resource, Decimal(0))
            count += 1
            if needed > hard:
                problems.append(f"{place} at {site} allows {hard:f} {resource}, the active site uses {needed:f}")
    if problems:
        return fails(", ".join(problems), ROOM)
    return passes(f"{count} quotas have room")


def judge_nodes(site: str, nodes: Iterable[Document], needed: int) -> Finding:
    """Judge whether a site's nodes are ready and offer the power that the active site's pods are charged (W)."""
    documents = list(nodes)
    count, offered = ready_nodes(documents), allocatable_watts(documents)
    if count.ready < count.total or not count.total:
        return fails(f"{count.ready} of {count.total} nodes of {site} are ready", f"`shopsphere status {site}`")
    if needed > offered:
        return fails(f"the nodes of {site} offer {offered} W, the active site's pods are charged {needed} W", ROOM)
    return passes(f"its nodes offer {offered} W, and {needed} W are needed")


def _amounts(quota: Document, part: str) -> Mapping[str, Decimal]:
    return {name: parse_quantity(value) for name, value in quota.get("status", {}).get(part, {}).items()}
