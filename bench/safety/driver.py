"""One run: customers, a fault, repair, and the judgement."""

import json
import os
import platform
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import checks
from customers import CLIENTS, Customers
from faults_of_changes import planned
from pair import PairUnderTest
from scene import NOTICED, Fault, Scene

from shopsphere.foundation.clock import WaitExpiredError, wait_until
from shopsphere.witness.record import PairRecord

SETTLED = "select count(*) from {} where state in ({})"
FEW = 5  # violations of a kind that a result shows one by one
PENDING = {
    "orders": ("commerce", SETTLED.format('orders."order"', "'pending_payment'")),
    "payments": ("ledger", SETTLED.format("payments.payment", "'created', 'unknown'")),
}

Measured = Callable[[Scene, Mapping[str, Any]], Mapping[str, Any]]
"""Looks at a journal of customers once they have ended."""


def carry_out(
    under_test: PairUnderTest,
    name: str,
    fault: Fault,
    seed: int,
    number: int,
    *,
    region: str | None = None,
    pace: float = 0.0,
    seconds: float = 600,
    measured: Measured | None = None,
) -> dict[str, Any]:
    """Let a fault happen to a steady pair under load, repair what it left, and return the result.

    Customers of the pair pause `pace` seconds after each order; without a pause they take all processor time there is.
    They go on for `seconds` at most, which a fault has to be shorter than. What `measured` finds in their journal
    belongs to the result, and what it adds to the scene's problems is a violation.
    """
    before = under_test.record()
    scene = Scene(under_test, Random(f"{seed}:{number}:{name}"), before.active)
    timeline, charged = under_test.timeline(scene.active), set(under_test.charges())
    direct = [word for site in under_test.pair.sites for word in ("--direct", under_test.address(site))]
    crowd = ("--workers", "3", "--patient", "1", "--readers", "1", "--pace", str(pace))
    groups = [Customers(under_test.client, *crowd, *direct, seconds=seconds)]
    if pace:
        scene.facts["pace"] = pace
    if region:
        groups.append(Customers(CLIENTS[region], "--workers", "1"))
    try:
        scene.pause(5, 10)
        fault(scene)
        scene.mark("over")
        time.sleep(NOTICED)
        journal, *others = [each.end() for each in groups]
    finally:
        for each in groups:
            each.leave()
    scene.facts |= measured(scene, journal) if measured else {}
    is_near = region is None or under_test.may_be_felt_in(region)
    scene.facts["repair_seconds"] = round(under_test.repair(), 1)
    judged = judge(under_test, scene, journal, before, timeline, charged)
    for other in [] if is_near else others:
        judged["violations"] += checks.elsewhere(other["failures"], other["count"])
    start = scene.at.get("fault")
    marks = {**scene.at, "gap began": journal["gap"]["from"]}
    events = {event: round(at - start, 2) for event, at in marks.items()} if start else {}
    return {
        "fault": name, "seed": seed, "run": number, "pair": under_test.pair.name, "from": scene.active, **judged,
        "events": events, **scene.facts,
    }  # fmt: skip


def _few(violations: Sequence[str]) -> list[str]:
    """Return the first violations of each kind, and how many more of it there are: one cause makes hundreds."""
    kinds: dict[str, list[str]] = {}
    for each in violations:
        kinds.setdefault(each.partition(":")[0], []).append(each)
    found: list[str] = []
    for kind, alike in kinds.items():
        found += alike[:FEW]
        if len(alike) > FEW:
            found.append(f"{kind}: {len(alike) - FEW} more")
    return found


def failback(under_test: PairUnderTest, seed: int, number: int, *, pace: float = 0.0) -> dict[str, Any]:
    """Back to where the pair was, planned, under load: a measurement of its own."""
    return carry_out(under_test, "failback", planned, seed, number, pace=pace)


def judge(
    under_test: PairUnderTest,
    scene: Scene,
    journal: dict[str, Any],
    before: PairRecord,
    timeline: int,
    charged: set[str],
) -> dict[str, Any]:
    """What the customers saw, and every violation."""
    after = under_test.record()
    epochs, site = after.epoch - before.epoch, after.active
    with suppress(WaitExpiredError):  # then it is said below
        wait_until(lambda: not any(pending(under_test, site).values()), what="final states", seconds=60, interval=2)
    paid = under_test.ask(site, "ledger", "select key from payments.payment")
    stored = set(under_test.ask(site, "commerce", 'select id from orders."order"'))
    balance = int(under_test.ask(site, "ledger", "select coalesce(sum(amount_minor), 0) from ledger.entry")[0])
    lost = checks.lost_orders(journal["orders"], stored)
    violations = [
        *scene.problems,
        *checks.lost_or_doubled(journal["orders"], paid),
        *checks.unrecorded(set(under_test.charges()) - charged, paid),
        *checks.two_writers(journal["writes"], before.active, epochs),
        *checks.uneven(balance, pending(under_test, site)),
        *checks.timeline(timeline, under_test.timeline(site), epochs),
        *checks.names(under_test.names(), after.epoch, site),
    ]
    violations += checks.silent_before(journal["orders"], scene.at.get("fault", scene.at["over"]))
    if not scene.may_stay_shut:
        violations += checks.silent(journal["orders"], scene.at["over"])
    if not scene.may_show_errors:
        violations += checks.errors_shown(journal["failures"])
    if lost and not scene.may_lose_orders:
        violations.append(f"{len(lost)} order(s) lost though nothing was promoted without them")
    return {
        "epochs": epochs,
        "orders": journal["count"],
        "payments_pending": sum(not each["paid"] for each in journal["orders"]),
        "gap_seconds": round(journal["gap"]["seconds"], 2),
        "browse_gap_seconds": round(journal["browse_gap"]["seconds"], 2),
        "orders_lost": len(lost),
        "orders_lost_paid": sum(each["paid"] for each in lost),
        "orders_lost_ms": round(1000 * span(lost, scene.at.get("fault"))),
        "failures": {kind: each["count"] for kind, each in journal["failures"].items()},
        "violations": _few(violations),
    }


def pending(under_test: PairUnderTest, site: str) -> dict[str, int]:
    """Orders and payments that have not come to their final state."""
    return {what: int(under_test.ask(site, *question)[0]) for what, question in PENDING.items()}


def span(lost: Sequence[checks.Order], fault: float | None) -> float:
    """How long before the fault the earliest lost order was acknowledged."""
    return max(0.0, fault - min(each["acknowledged"] for each in lost)) if lost and fault else 0.0


def machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release()}"


def commit() -> str:
    return subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()


def write(path: Path, result: dict[str, Any]) -> None:
    """Append a result, and say the main thing about it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    line = {"at": now, "machine": machine(), "commit": commit(), **result}
    with path.open("a") as sink:
        sink.write(json.dumps(line).replace(f"{Path.home()}/", "~/") + "\n")  # what broke says where its log is
    names = ("fault", "run", "killed_at", "gap_seconds", "browse_gap_seconds", "orders", "orders_lost", "violations",
             "error")  # fmt: skip
    print(time.strftime("%H:%M:%S"), json.dumps({key: result[key] for key in names if key in result}), flush=True)
