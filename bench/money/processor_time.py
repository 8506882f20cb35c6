"""Processor time of processes, in seconds, as the kernel counts it."""

from __future__ import annotations

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
_STAT_FROM = 3  # number of the field after the name in /proc/PID/stat
_PARENT, _USER, _SYSTEM, _CHILDREN_USER, _CHILDREN_SYSTEM = (number - _STAT_FROM for number in (4, 14, 15, 16, 17))


def of_process(pid: int) -> float:
    """Return what a process has used; 0 when it has ended."""
    fields = _fields(pid)
    return (int(fields[_USER]) + int(fields[_SYSTEM])) / TICKS if fields else 0.0


def of_server(data: Path) -> float:
    """Return what a PostgreSQL server has used, the sessions that have ended included; 0 when it has ended."""
    try:
        postmaster = int((data / "postmaster.pid").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 0.0
    fields = _fields(postmaster)
    if not fields:
        return 0.0
    own = sum(int(fields[each]) for each in (_USER, _SYSTEM, _CHILDREN_USER, _CHILDREN_SYSTEM)) / TICKS
    running = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return own + sum(of_process(pid) for pid in running if _is_child(pid, postmaster))


def _is_child(pid: int, parent: int) -> bool:
    fields = _fields(pid)
    return bool(fields) and int(fields[_PARENT]) == parent


def _fields(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
