"""From a change to the line that tells of it: `python bench/drift_watch.py rdc-a --rounds 5`, with the lab running.

Starts `shopsphere drift TARGET --watch --json`, waits until it watches every site of the target, and measures what it
uses while nothing happens. Then it changes one thing after the other at each site through kubectl, as another identity,
waits for the line that names it, takes it back and waits for the line that says so. A time counts from before kubectl
is started. What admission refuses is counted apart: it never became drift.
Prints p50 and p95 and appends a line to bench/results/drift_watch.jsonl. Ends with 1 when a change was not told.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import queue
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shopsphere.estate.access import site_access
from shopsphere.estate.stack import Environment, site_stack, sites_of
from shopsphere.foundation.paths import REPOSITORY, tools_directory
from shopsphere.topology import load_topology

RESULTS = Path(__file__).resolve().parent / "results" / "drift_watch.jsonl"
STRANGER = "drift-bench"
TICK = 1 / os.sysconf("SC_CLK_TCK")
START_SECONDS, TOLD_SECONDS, KUBECTL_SECONDS = 180.0, 60.0, 30.0
WATCH = "import sys; from cli.main import main; sys.argv[0] = 'shopsphere'; main()"
Line = tuple[float, dict[str, Any]]


@dataclass(frozen=True)
class Change:
    """What is done to a site, what undoes it, and what has to be told.

    Attributes:
        kind: what sort of change it is.
        object: as findings call it.
        do: words for kubectl.
        undo: words for kubectl.
    """

    kind: str
    object: str
    do: tuple[str, ...]
    undo: tuple[str, ...]


def patched(kind: str, resource: str, name: str, patch: object, back: object) -> Change:
    """Return a JSON patch of an object in the namespace `shop`, and the one that takes it back."""
    words = ("patch", resource, name, "--namespace=shop", "--type=json")
    title = {"networkpolicy": "NetworkPolicy", "pdb": "PodDisruptionBudget"}.get(resource, resource.capitalize())
    return Change(
        kind, f"{title} shop/{name}", (*words, f"--patch={json.dumps(patch)}"), (*words, f"--patch={json.dumps(back)}")
    )


def made(kind: str, title: str, *words: str) -> Change:
    """Return an object that nobody declared; the words are what `kubectl create` takes, its name the last."""
    name = words[-1]
    return Change(
        kind,
        f"{title} shop/{name}",
        ("create", *words[:-1], name, "--namespace=shop"),
        ("delete", title.lower(), name, "--namespace=shop", "--wait=false"),
    )


ANYWHERE = {"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}
CHANGES = (
    patched(
        "egress rule added", "networkpolicy", "to-dns",
        [{"op": "add", "path": "/spec/egress/0", "value": ANYWHERE}], [{"op": "remove", "path": "/spec/egress/0"}],
    ),
    patched(
        "label added", "deployment", "shop",
        [{"op": "add", "path": "/metadata/labels/bench", "value": "x"}],
        [{"op": "remove", "path": "/metadata/labels/bench"}],
    ),
    patched(
        "label of a service added",
        "service",
        "shop",
        [{"op": "add", "path": "/metadata/labels/bench", "value": "x"}],
        [{"op": "remove", "path": "/metadata/labels/bench"}],
    ),
    patched(
        "address added", "service", "shop",
        [{"op": "add", "path": "/spec/externalIPs", "value": ["203.0.113.7"]}],
        [{"op": "remove", "path": "/spec/externalIPs"}],
    ),
    patched(
        "secret added", "secret", "shop-settings",
        [{"op": "add", "path": "/data/BENCH", "value": "eA=="}], [{"op": "remove", "path": "/data/BENCH"}],
    ),
    made("config map made", "ConfigMap", "configmap", "drift-bench"),
    made("service account made", "ServiceAccount", "serviceaccount", "drift-bench"),
    made("role binding made", "RoleBinding", "rolebinding", "--clusterrole=view", "--user=mallory", "drift-bench"),
    made("way out made", "Service", "service", "externalname", "--external-name=us.example", "drift-bench"),
    made("quota made", "ResourceQuota", "quota", "--hard=pods=9000", "drift-bench"),
)  # fmt: skip


class Watch:
    """The watch as a process, and its lines with the time at which they came."""

    def __init__(self, target: str) -> None:
        self.lines: queue.Queue[Line] = queue.Queue()
        self._process = subprocess.Popen(
            [sys.executable, "-c", WATCH, "drift", target, "--watch", "--json"],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def used(self) -> float:
        """Processor time of the process and of those that it waited for (s)."""
        after = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(int(each) for each in after[11:15]) * TICK

    @property
    def memory(self) -> float:
        """What of it is in memory (MiB)."""
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def until(self, event: str, site: str, name: str, *, seconds: float) -> float | None:
        """Return when a line came, or None; other lines are dropped."""
        for at, line in self._next(seconds):
            if (line["event"], line["site"], line.get("object", "")) == (event, site, name):
                return at
        return None

    def not_watched(self, sites: Iterable[str]) -> list[str]:
        """Wait until every site is watched, in whatever order, and return those that are not."""
        waiting = set(sites)
        for _, line in self._next(START_SECONDS):
            if line["event"] == "watching":
                waiting.discard(line["site"])
            if not waiting:
                break
        return sorted(waiting)

    def _next(self, seconds: float) -> Iterator[Line]:
        """Yield the lines that come within some seconds."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                yield self.lines.get(timeout=left)
            except queue.Empty:
                return

    def stop(self) -> int:
        """End it as a supervisor would, and return its exit code."""
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait(10)

    def _read(self) -> None:
        for line in self._process.stdout or ():
            self.lines.put((time.monotonic(), json.loads(line)))


class Stranger:
    """Another identity at one site."""

    def __init__(self, site: str) -> None:
        self.site = site
        access = site_access(site_stack(load_topology(), site, Environment.LAB))
        kubeconfig = Path(access.kubeconfig).expanduser()
        self._words = [
            str(tools_directory() / "kubectl"), f"--kubeconfig={kubeconfig}", f"--context={access.context or site}",
            f"--as={STRANGER}", "--as-group=system:masters",
        ]  # fmt: skip

    def call(self, words: tuple[str, ...]) -> str:
        """Call kubectl and return why it failed; empty when it did not."""
        done = subprocess.run(
            [*self._words, *words], capture_output=True, text=True, timeout=KUBECTL_SECONDS, check=False
        )
        return done.stderr.strip() if done.returncode else ""


def measured(watch: Watch, stranger: Stranger, change: Change) -> Iterator[tuple[str, float | None]]:
    """Yield `refused`, or `found` and `gone` with the time that each took (s), None for a line that never came."""
    began = time.monotonic()
    if why := stranger.call(change.do):
        sys.stdout.write(f"{stranger.site}: {change.kind}: refused: {why.splitlines()[-1][:200]}\n")
        yield "refused", None
        return
    for what, words in (("found", ()), ("gone", change.undo)):
        if words:
            began = time.monotonic()
            if why := stranger.call(words):
                sys.stdout.write(f"{stranger.site}: {change.kind}: NOT TAKEN BACK: {why}\n")
        at = watch.until(what, stranger.site, change.object, seconds=TOLD_SECONDS)
        yield what, None if at is None else at - began


def centile(values: list[float], part: int) -> float:
    """Return the value that `part` of 100 do not exceed."""
    return statistics.quantiles(values, n=100, method="inclusive")[part - 1] if len(values) > 1 else values[0]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", help="a region, a site or all, in the lab")
    parser.add_argument("--rounds", type=int, default=5, help="so often each change at each site")
    parser.add_argument("--idle", type=float, default=60.0, help="so long nothing is changed (s)")
    parser.add_argument("--results", type=Path, default=RESULTS)
    return parser.parse_args()


def main() -> int:
    wanted = arguments()
    sites = sites_of(load_topology(), wanted.target)
    watch = Watch(wanted.target)
    took: dict[str, list[float]] = {"found": [], "gone": []}
    counts = {"refused": 0, "missed": 0}
    try:
        if missing := watch.not_watched(sites):
            told = ", ".join(missing)
            sys.stdout.write(f"not watched within {START_SECONDS:g} s: {told}; `shopsphere drift {wanted.target}`\n")
            return 1
        before, began = watch.used, time.monotonic()
        time.sleep(wanted.idle)
        idle = 100 * (watch.used - before) / (time.monotonic() - began)
        before, began = watch.used, time.monotonic()
        for _ in range(wanted.rounds):
            for stranger in [Stranger(site) for site in sites]:
                for change in CHANGES:
                    for what, seconds in measured(watch, stranger, change):
                        if seconds is not None:
                            took[what].append(seconds)
                        else:
                            counts["refused" if what == "refused" else "missed"] += 1
        busy = 100 * (watch.used - before) / (time.monotonic() - began)
        memory = watch.memory
    finally:
        code = watch.stop()
    row: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{os.cpu_count()} cores, Linux {platform.release()}",
        "target": wanted.target,
        "sites": len(sites),
        **counts,
        "idleCpuPercent": round(idle, 2),
        "busyCpuPercent": round(busy, 2),
        "residentMiB": round(memory),
        "exitCode": code,
    }
    for what, values in took.items():
        if values:
            row[what] = {
                "count": len(values),
                "p50": round(centile(values, 50), 2),
                "p95": round(centile(values, 95), 2),
            }
    sys.stdout.write(f"{json.dumps(row, indent=2)}\n")
    with wanted.results.open("a") as file:
        file.write(f"{json.dumps(row)}\n")
    return 1 if counts["missed"] or not took["found"] else 0


if __name__ == "__main__":
    sys.exit(main())
