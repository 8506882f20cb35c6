"""What customers met between two moments, by their journal: pure functions of what bench/orders.py prints."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

GAP_MORE = 3.0
"""Longest gap (s) that is allowed to be longer than the one before: a machine of two cores has moments of its own."""
SLOWER, SLOWER_BY = 2.0, 0.5
"""An order at the 95th percentile may take so many times as long as before, and so many seconds."""
FAILURES_MORE = 2.0
"""So many times as many failures a second as before are none of the fault's."""
NO_CUSTOMERS = "direct: "
"""Failures of who passes DNS by and asks the site that takes nothing, all the time."""


def percentile(values: Sequence[float], percent: int) -> float:
    """The nearest rank; 0 for no values."""
    ordered = sorted(values)
    return ordered[max(1, -(-len(ordered) * percent // 100)) - 1] if ordered else 0.0


def window(journal: Mapping[str, Any], begin: float, end: float) -> dict[str, Any]:
    """What customers of the public name met between two moments of the machine's monotonic clock.

    A gap counts from the beginning or to the end where no order was acknowledged before or after it.
    """
    public = [each for each in journal["orders"] if each["public"]]
    own = [each for each in public if begin <= each["acknowledged"] < end]
    times = [begin, *sorted(each["acknowledged"] for each in own), end]
    took = [each["acknowledged"] - each["sent"] for each in own]
    failures = {
        kind: count
        for kind, each in journal["failures"].items()
        if not kind.startswith(NO_CUSTOMERS) and (count := sum(begin <= at < end for at in each["times"]))
    }
    seconds = end - begin
    return {
        "seconds": round(seconds, 1),
        "orders": len(own),
        "per_second": round(len(own) / seconds, 2) if seconds else 0.0,
        "gap_seconds": round(max(later - earlier for earlier, later in pairwise(times)), 2),
        "p50_seconds": round(percentile(took, 50), 3),
        "p95_seconds": round(percentile(took, 95), 3),
        "max_seconds": round(max(took, default=0.0), 3),
        "failures": failures,
    }


def delayed(before: Mapping[str, Any], during: Mapping[str, Any]) -> list[str]:
    """What customers met in a window that they had not met in the one before."""
    found = []
    if during["gap_seconds"] > before["gap_seconds"] + GAP_MORE:
        found.append(f"orders: longest gap {during['gap_seconds']} s, and {before['gap_seconds']} s before")
    if during["p95_seconds"] > SLOWER * before["p95_seconds"] + SLOWER_BY:
        found.append(f"orders: p95 {during['p95_seconds']} s, and {before['p95_seconds']} s before")
    rates = [sum(each["failures"].values()) / each["seconds"] if each["seconds"] else 0.0 for each in (before, during)]
    if rates[1] > FAILURES_MORE * rates[0] and sum(during["failures"].values()) > 2:
        found.append(f"orders: failures {during['failures']}, and {before['failures']} before")
    return found


def acknowledged_before(orders: Sequence[Mapping[str, Any]], at: float, *, paid: bool = False) -> set[str]:
    """Orders that were acknowledged before a moment of the monotonic clock; with `paid` those said to be paid."""
    return {each["order"] for each in orders if each["acknowledged"] < at and (each["paid"] or not paid)}


def sent_after(orders: Sequence[Mapping[str, Any]], at: float) -> set[str]:
    """Orders whose form was sent after a moment of the monotonic clock."""
    return {each["order"] for each in orders if each["sent"] > at}
