"""Processes and their processor time, in seconds, as the kernel counts it."""

from __future__ import annotations

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
_STAT_FROM = 3  # number of the field after the name in /proc/PID/stat
_STATE, _PARENT, _USER, _SYSTEM, _CHILDREN_USER, _CHILDREN_SYSTEM = (
    number - _STAT_FROM for number in (3, 4, 14, 15, 16, 17)
)


def of_process(pid: int) -> float:
    """Return what a process has used; 0 when it has ended."""
    fields = _fields(pid)
    return (int(fields[_USER]) + int(fields[_SYSTEM])) / TICKS if fields else 0.0


def postmaster_of(data: Path) -> int | None:
    """Return the first process of the PostgreSQL server of a data folder; None when none runs."""
    try:
        found = int((data / "postmaster.pid").read_text().split()[0])
        return found if Path(f"/proc/{found}/cwd").resolve() == data.resolve() else None
    except (OSError, ValueError, IndexError):
        return None


def of_server(data: Path) -> float:
    """Return what a PostgreSQL server has used, the sessions that have ended included; 0 when it has ended."""
    postmaster = postmaster_of(data)
    fields = [] if postmaster is None else _fields(postmaster)
    if postmaster is None or not fields:
        return 0.0
    own = sum(int(fields[each]) for each in (_USER, _SYSTEM, _CHILDREN_USER, _CHILDREN_SYSTEM)) / TICKS
    return own + sum(of_process(pid) for pid in children_of(postmaster))


def children_of(parent: int) -> list[int]:
    """Return the processes that a process has started and that have not been waited for."""
    running = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in running if (fields := _fields(pid)) and int(fields[_PARENT]) == parent]


def is_running(pid: int) -> bool:
    """Whether a process is there and has not ended."""
    fields = _fields(pid)
    return bool(fields) and fields[_STATE] not in {"Z", "X"}


def _fields(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
