"""Who uses the processor while nothing happens: `python bench/idle.py --seconds 60 --windows 5`.

Counts processor time of everything that belongs to the lab (its hosts with their pods, the WAN, the cloud controller)
and of nothing else on the machine, so what runs beside it disturbs little. The total of a host is what its control
groups counted; a program's share is what its living processes used, and what is left over was used by processes that
ended in the meantime: probes, `nft`, `runc`. Kernel threads belong to nobody and are not counted.
Prints a table in % of one core and appends a line to bench/results/idle.jsonl.
"""

import argparse
import json
import os
import platform
import subprocess
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.control_group import identity
from lab.host import cgroups
from lab.paths import host_directory

RESULTS = Path(__file__).resolve().parent / "results" / "idle.jsonl"
HOSTS = host_directory("any").parent
CONTROL = "control"
ENDED = "(ended meanwhile)"
TICK = 1 / os.sysconf("SC_CLK_TCK")
PYTHON_PROGRAMS = {
    "runbooks.agent": "site-agent",
    "runbooks.agent.door": "site-door",
    "lab.cloud_controller": "cloud-controller",
    "lab.network.daemon": "wan",
    "lab.edge.cdn.agent": "cdn-agent",
    "supervisord": "supervisord",
    "payments": "payments",
    "psp": "psp",
    "serve": "shop",
}


@dataclass(frozen=True)
class Used:
    """Processor time (s) since some moment: per host as counted by the kernel's groups, and per living process."""

    hosts: dict[str, float]
    processes: dict[tuple[str, int], tuple[str, float]]  # by host and number: program, time


def program_of(words: list[str], name: str) -> str:
    """Name a process by what it is for: `words` is its command line, `name` what the kernel calls it.

    >>> program_of(["python", "-m", "app", "serve"], "python")
    'shop'
    >>> program_of(["/t/etcd", "--name=ashburn", "--initial-cluster-token=witness-rdc-a"], "etcd")
    'etcd (witness)'
    """
    if name.startswith("python") or name == "supervisord":
        found = [program for word in words for key, program in PYTHON_PROGRAMS.items() if word.endswith(key)]
        return found[0] if found else name
    if name.startswith("postgres"):
        return "postgres"
    if name == "etcd":
        return "etcd (witness)" if any("witness-" in word for word in words) else "etcd (site)"
    if name == "manager":
        return "database operator" if "controller" in words else "database instance manager"
    return Path(words[0]).name if words else name


def look() -> Used:
    """Read what was used until now."""
    hosts, processes = {}, {}
    for host in sorted(entry.name for entry in HOSTS.iterdir()):
        numbers = cgroups.processes(host)
        if numbers:
            hosts[host] = cgroups.processor_seconds(host)
            processes.update({(host, number): found for number in numbers if (found := process(number))})
    control = family_of(supervisor.pid) if (supervisor := identity()) else set()
    of_control = {(CONTROL, number): found for number in control if (found := process(number))}
    hosts[CONTROL] = sum(seconds for _, seconds in of_control.values())
    return Used(hosts, {**processes, **of_control})


def process(number: int) -> tuple[str, float] | None:
    """Return program and processor time of a process; None when it is gone."""
    try:
        stat = Path(f"/proc/{number}/stat").read_text()
        words = Path(f"/proc/{number}/cmdline").read_text(errors="replace").split("\0")[:-1]
    except OSError:
        return None
    before, _, after = stat.rpartition(")")
    fields = after.split()
    return program_of(words, before.partition("(")[2]), (int(fields[11]) + int(fields[12])) * TICK


def family_of(number: int) -> set[int]:
    """Return a process and all that it has started."""
    children: dict[int, list[int]] = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            after = file.read_text().rpartition(")")[2]
        except OSError:
            continue
        children.setdefault(int(after.split()[1]), []).append(int(file.parent.name))
    found, left = {number}, [number]
    while left:
        new = children.get(left.pop(), [])
        found.update(new)
        left.extend(new)
    return found


def between(before: Used, after: Used, seconds: float) -> tuple[dict[str, float], dict[str, float]]:
    """Return % of a core by program and by host."""
    hosts = {host: used - before.hosts.get(host, 0.0) for host, used in after.hosts.items()}
    programs: defaultdict[str, float] = defaultdict(float)
    left = dict(hosts)
    for (host, number), (program, used) in after.processes.items():
        _, earlier = before.processes.get((host, number), ("", 0.0))
        programs[program] += used - earlier
        left[host] -= used - earlier
    programs[ENDED] = sum(max(0.0, rest) for rest in left.values())
    return percent(programs, seconds), percent(hosts, seconds)


def percent(used: Mapping[str, float], seconds: float) -> dict[str, float]:
    return {name: value / seconds * 100 for name, value in used.items()}


def mean(windows: list[dict[str, float]]) -> dict[str, float]:
    """Return the mean of each value, the largest first; what is missing in a window was nothing."""
    names = {name for window in windows for name in window}
    means = {name: sum(window.get(name, 0.0) for window in windows) / len(windows) for name in names}
    return {name: round(means[name], 2) for name in sorted(means, key=lambda name: -means[name])}


def measure(seconds: float, windows: int) -> dict[str, Any]:
    """Measure one window after the other and return the result."""
    programs: list[dict[str, float]] = []
    hosts: list[dict[str, float]] = []
    loads: list[float] = []
    before, start = look(), time.monotonic()
    for _ in range(windows):
        time.sleep(seconds)
        after, now = look(), time.monotonic()
        by_program, by_host = between(before, after, now - start)
        programs.append(by_program)
        hosts.append(by_host)
        loads.append(round(os.getloadavg()[0], 1))
        print(f"{now - start:.0f} s: {sum(by_host.values()):.1f} % of a core, load average {loads[-1]}", flush=True)
        before, start = after, now
    totals = [round(sum(each.values()), 1) for each in hosts]
    return {
        "percent_of_a_core": round(sum(totals) / windows, 1),
        "windows": totals,
        "load_average": loads,
        "programs": mean(programs),
        "hosts": mean(hosts),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60, help="length of a window")
    parser.add_argument("--windows", type=int, default=5, help="at most 100")
    parser.add_argument("--commit", default="", help="that the lab was started from, if not this one")
    parser.add_argument("--note", default="", help="what is being compared")
    parser.add_argument("--results", type=Path, default=RESULTS)
    wanted = parser.parse_args()
    if not 0 < wanted.windows <= 100:
        parser.error("--windows must be in [1, 100]")
    result = measure(wanted.seconds, wanted.windows)
    for kind in ("programs", "hosts"):
        print(f"\n{kind}: % of a core")
        for name, value in result[kind].items():
            print(f"{value:8.2f}  {name}")
    print(f"\n{result['percent_of_a_core']} % of a core in all; windows of {wanted.seconds:.0f} s: {result['windows']}")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    head = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True).stdout
    line = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": f"{os.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release()}",
        "commit": wanted.commit or head.strip(),
        "note": wanted.note,
        "seconds": wanted.seconds,
        **result,
    }
    with wanted.results.open("a") as sink:
        sink.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
