"""Results of runs: one line each, and what they say together."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import time
from pathlib import Path
from typing import Any

from judging import RULES

COUNTED = (*RULES, "pending")


def write(path: Path, result: dict[str, Any]) -> None:
    """Append a result and show it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    line = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": f"{os.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release()}",
        "commit": commit,
        **result,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as sink:
        sink.write(json.dumps(line) + "\n")
    print(json.dumps(line, indent=1))


def show(path: Path) -> int:
    """Add up all runs; return 1 when one of them was wrong."""
    runs = [json.loads(line) for line in path.read_text().splitlines()]
    seconds = sum(run["seconds"] for run in runs)
    orders = sum(run["orders"] for run in runs)
    print(f"{len(runs)} runs, {orders} orders in {seconds:.0f} s: {orders / max(seconds, 1):.1f} orders/s")
    planted = sum(sum(run["planted"].values()) for run in runs)
    print(f"faults: {sum(run['faults_set'] for run in runs)}, planted: {planted}")
    print(f"kills: {sum(sum(run['kills'].values()) for run in runs)}")
    for name in COUNTED:
        print(f"{name.replace('_', ' ')}: {sum(run.get(name, 0) for run in runs)}")
    for part in ("serve", "payments", "postgres", "psp", "customers"):
        spent = sum(run["cpu_ms_per_order"].get(part, 0) * run["orders"] for run in runs) / max(orders, 1)
        print(f"processor time per order, {part}: {spent:.1f} ms")
    for run in runs:
        for violation in run["violations"]:
            print(f"{run['at']} seed {run['seed']} at {run['commit']}: {violation}")
    return int(any(run["violations"] for run in runs))
