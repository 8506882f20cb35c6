"""What a click costs the collector, and what it would cost behind Granian and uvicorn: `python bench/collector`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

FOLDER = Path(__file__).resolve().parent
REPOSITORY = FOLDER.parents[1]
RESULTS = REPOSITORY / "bench" / "results" / "collector.jsonl"
SERVERS = ("own", "granian", "uvicorn")
TICK = 1 / os.sysconf("SC_CLK_TCK")
PATHS = (REPOSITORY, FOLDER, REPOSITORY / "tests" / "support")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", default="1,5,10,25", help="events a POST")
    parser.add_argument("--servers", default=",".join(SERVERS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=8, help="of each measurement")
    parser.add_argument("--connections", type=int, default=500)
    parser.add_argument("--bytes", type=int, default=0, help="of each event at least")
    parser.add_argument(
        "--broker", default=os.environ.get("KAFKA_BOOTSTRAP", "mock"), help="mock, memory or an address"
    )
    parser.add_argument("--record", action="store_true", help="append a line to bench/results/collector.jsonl")
    return parser.parse_args()


def environment() -> dict[str, str]:
    path = [*map(str, PATHS), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path))}


@contextmanager
def program(core: int, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Run one of this folder's programs on a core, and end it."""
    running = subprocess.Popen(
        [sys.executable, str(FOLDER / words[0]), *words[1:]], env=environment(), stdout=subprocess.PIPE, text=True
    )
    os.sched_setaffinity(running.pid, {core})
    try:
        yield running
    finally:
        running.terminate()
        try:
            running.wait(15)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def used(pid: int) -> float:
    """Return the CPU time of a process with all its threads (s)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK


def largest_mib(pid: int) -> float:
    """Return the most memory that a process had (MiB)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def await_port(port: int, running: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 30
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if running.poll() is not None or time.monotonic() > until:
            raise SystemExit(f"the server does not listen at port {port}: exit code {running.poll()}")
        time.sleep(0.05)


def measured(server: str, events: int, broker: str, options: argparse.Namespace) -> dict[str, Any]:
    """Return what one server used for one kind of batch."""
    from free_port import free_port  # noqa: PLC0415 the path comes first

    cores = sorted(os.sched_getaffinity(0))
    port = free_port()
    with program(cores[0], "click_server.py", server, str(port), broker) as serving:
        await_port(port, serving)
        playing = (
            "click_player.py",
            str(port),
            str(options.connections),
            str(events),
            str(options.bytes),
            str(options.seconds),
        )
        with program(cores[-1], *playing) as browsers:
            assert browsers.stdout is not None
            if browsers.stdout.readline().strip() != "ready":
                raise SystemExit("the browsers could not begin")
            before = used(serving.pid)
            counted = json.loads(browsers.stdout.readline())
            seconds = used(serving.pid) - before
        posts = counted["posts"]
        if not posts:
            raise SystemExit(f"{server} took nothing: {counted}")
        return {
            "server": server,
            "events": events,
            "us_per_post": seconds / posts * 1e6,
            "cpu_s_per_million": seconds / posts / events * 1e6,
            "posts_per_s": posts / counted["seconds"],
            "others": counted["others"],
            "busy_percent": 100 * seconds / counted["seconds"],
            "rss_mib": largest_mib(serving.pid),
        }


@contextmanager
def broker_of(name: str) -> Iterator[str]:
    """Yield what servers are told of the broker."""
    if name != "mock":
        yield name
        return
    with program(sorted(os.sched_getaffinity(0))[-1], "click_broker.py") as running:
        assert running.stdout is not None
        yield running.stdout.readline().strip()


def shown(runs: list[dict[str, Any]], key: str, form: str) -> str:
    """Return the median and the range of some runs."""
    values = sorted(run[key] for run in runs)
    return f"{median(values):{form}} ({values[0]:{form}} to {values[-1]:{form}})"


def main() -> None:
    options = arguments()
    sys.path[:0] = [str(path) for path in PATHS]
    servers, batches = options.servers.split(","), [int(each) for each in options.batches.split(",")]
    runs: list[dict[str, Any]] = []
    with broker_of(options.broker) as broker:
        for round_ in range(options.rounds):
            for events in batches:
                turn = round_ % len(servers)
                for server in servers[turn:] + servers[:turn]:
                    runs.append({**measured(server, events, broker, options), "round": round_})
                    print(".", end="", file=sys.stderr, flush=True)
    print("\n| server | events a POST | us a POST | CPU-s per million events | POST/s | not 204 | MiB |")
    print("|---|---:|---|---|---|---:|---:|")
    for events in batches:
        for server in servers:
            of = [run for run in runs if (run["server"], run["events"]) == (server, events)]
            cells = (
                shown(of, "us_per_post", ".1f"),
                shown(of, "cpu_s_per_million", ".2f"),
                shown(of, "posts_per_s", ".0f"),
            )
            last = f"{sum(run['others'] for run in of)} | {max(run['rss_mib'] for run in of):.0f}"
            print(f"| {server} | {events} | {' | '.join(cells)} | {last} |")
    if options.record:
        kind = options.broker if options.broker in {"mock", "memory"} else "kafka"
        line = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"), "broker": kind, "bytes": options.bytes,
            "seconds": options.seconds, "connections": options.connections, "load": os.getloadavg(),
            "python": platform.python_version(), "runs": runs,
        }  # fmt: skip
        with RESULTS.open("a") as sink:
            sink.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
