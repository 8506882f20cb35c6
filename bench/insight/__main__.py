"""What a million clicks cost the worker that counts them: `python bench/insight`.

The worker is `shop insight` as it is, a process of its own, with a broker (librdkafka's own, or `--broker`) and a real
PostgreSQL of this bench. The log is written first; then the worker starts, and is measured from its first commit to its
last: CPU seconds of its process by /proc, of all processes of PostgreSQL, and its largest memory. Beside it the same
records read and decoded, and nothing done with them: what no worker in Python is below.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY), *(str(REPOSITORY / "tests" / each) for each in ("support", "app"))]

from click_log import fill  # noqa: E402 the path comes first
from counting_place import DATABASE, emptied, made_in, process, removed_from  # noqa: E402
from mock_broker import mock_broker  # noqa: E402
from postgres_cluster import Cluster  # noqa: E402
from reading_alone import floor  # noqa: E402

RESULTS = REPOSITORY / "bench" / "results" / "insight.jsonl"
TICK = 1 / os.sysconf("SC_CLK_TCK")
PATIENCE_SECONDS = 600


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000, help="of each round")
    parser.add_argument("--batches", default="5,10,25", help="events a batch")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tabs", type=int, default=5_000)
    parser.add_argument("--broker", default="mock", help="mock, or an address whose topic `clicks` is empty")
    parser.add_argument("--record", action="store_true", help="append a line to bench/results/insight.jsonl")
    return parser.parse_args()


@contextmanager
def broker_of(name: str) -> Iterator[str]:
    if name != "mock":
        yield name
        return
    with mock_broker() as address:
        yield address


def used(pid: int) -> float:
    """Return the CPU time of a process with all its threads (s)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK


def used_by_server(cluster: Cluster) -> float:
    """Return the CPU time of PostgreSQL and of all its processes, also of those that have ended (s)."""
    leader = int((cluster.data / "postmaster.pid").read_text().split()[0])
    fields = Path(f"/proc/{leader}/stat").read_text().rpartition(")")[2].split()
    children = Path(f"/proc/{leader}/task/{leader}/children").read_text().split()
    return sum(int(fields[place]) for place in (11, 12, 13, 14)) * TICK + sum(used(int(each)) for each in children)


def largest_mib(pid: int) -> float:
    """Return the most memory that a process had (MiB)."""
    return int(Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024


def counted(cluster: Cluster) -> int:
    ((found,),) = cluster.query(
        DATABASE, "SELECT coalesce(sum(events), 0)::int FROM insight.balance WHERE outcome = 'counted'"
    )
    return int(found)


def measured(cluster: Cluster, address: str, group: str, expected: int) -> dict[str, Any]:
    """Return what the worker uses for all that is in the log."""
    emptied(cluster)
    server = used_by_server(cluster)
    running = process(cluster, address, INSIGHT_GROUP=group)
    try:
        begun, until = time.monotonic(), time.monotonic() + PATIENCE_SECONDS
        while (found := counted(cluster)) < expected:
            if time.monotonic() > until:
                raise SystemExit(f"{found} of {expected} events were counted in {PATIENCE_SECONDS} s:\n{running.log()}")
            time.sleep(0.2)
        wall = time.monotonic() - begun
        if found != expected:
            raise SystemExit(f"{found} events were counted, not {expected}")
        return {
            "cpu_s_per_million": used(running.pid) / expected * 1e6,
            "database_cpu_s_per_million": (used_by_server(cluster) - server) / expected * 1e6,
            "seconds": wall,
            "rss_mib": largest_mib(running.pid),
        }
    finally:
        running.stop()


def shown(runs: list[dict[str, Any]], key: str, form: str = ".2f") -> str:
    """Return the median and the range of some runs."""
    values = sorted(run[key] for run in runs)
    return f"{median(values):{form}} ({values[0]:{form}} to {values[-1]:{form}})"


def main() -> None:
    options = arguments()
    runs: list[dict[str, Any]] = []
    cluster = Cluster()
    try:
        made_in(cluster)
        for events in (int(each) for each in options.batches.split(",")):
            with broker_of(options.broker) as address:
                expected = fill(address, options.events, events, options.tabs)
                for number in range(options.rounds):
                    group = f"bench-{events}-{number}"
                    run = measured(cluster, address, group, expected)
                    run |= {"events": events, "round": number, "floor_cpu_s_per_million": floor(address, expected)}
                    runs.append(run)
                    print(".", end="", file=sys.stderr, flush=True)
        removed_from(cluster)
    finally:
        cluster.remove()
    print("\n| events a batch | worker, CPU-s per million | read and decoded alone | PostgreSQL | MiB |")
    print("|---:|---|---|---|---:|")
    for events in sorted({run["events"] for run in runs}):
        of = [run for run in runs if run["events"] == events]
        cells = (shown(of, f"{name}cpu_s_per_million") for name in ("", "floor_", "database_"))
        print(f"| {events} | {' | '.join(cells)} | {max(run['rss_mib'] for run in of):.0f} |")
    if options.record:
        line = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"), "events": options.events, "tabs": options.tabs,
            "broker": "mock" if options.broker == "mock" else "kafka", "load": os.getloadavg(),
            "python": platform.python_version(), "runs": runs,
        }  # fmt: skip
        with RESULTS.open("a") as sink:
            sink.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
