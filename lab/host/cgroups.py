"""Control groups of a host: one for its own programs, one that its kubelet fills with pods."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
_PARENT = "shopsphere"
_CONTROLLERS = ("cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids", "systemd")


def is_unified() -> bool:
    """Whether the machine has cgroup v2 only."""
    return (_ROOT / "cgroup.controllers").exists()


def _hierarchies() -> list[Path]:
    if is_unified():
        return [_ROOT]
    seen: dict[Path, Path] = {}
    for name in _CONTROLLERS:
        directory = _ROOT / name
        if directory.is_dir():
            seen.setdefault(directory.resolve(), directory)
    return list(seen.values())


def _hierarchies_with_groups() -> list[Path]:
    """All hierarchies in which groups of ours can be: on a hybrid machine runc also makes some in the unified one."""
    unified = _ROOT / "unified"
    return [*_hierarchies(), *([unified] if unified.is_dir() else [])]


def pods_cgroup(host: str) -> str:
    """The kubelet's `cgroupRoot` at a site."""
    return f"/{_PARENT}/{host}/pods"


def create(host: str) -> list[Path]:
    """Make the groups of a host in every hierarchy and return those its init has to join."""
    paths = []
    for root in _hierarchies():
        for relative in (_PARENT, f"{_PARENT}/{host}", f"{_PARENT}/{host}/system", f"{_PARENT}/{host}/pods"):
            group = root / relative
            group.mkdir(exist_ok=True)
            _make_usable(root, group)
        paths.append(root / _PARENT / host / "system")
    return paths


def _make_usable(root: Path, group: Path) -> None:
    if is_unified():
        if group.name != "system":
            available = (group / "cgroup.controllers").read_text().split()
            (group / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in available))
    elif root.name == "cpuset":
        for name in ("cpuset.cpus", "cpuset.mems"):
            (group / name).write_text((group.parent / name).read_text())
        (group / "cgroup.clone_children").write_text("1")


def processes(host: str | None = None) -> set[int]:
    """Numbers of all processes in the groups of one host, or of all."""
    found: set[int] = set()
    for root in _hierarchies_with_groups():
        start = root / _PARENT / host if host else root / _PARENT
        for group in _groups_below(start):
            with contextlib.suppress(OSError):
                found.update(int(line) for line in (group / "cgroup.procs").read_text().split())
    return found


def _groups_below(start: Path) -> list[Path]:
    """Return a group and all below it, parents first; one that ends while they are looked for is left out."""
    return [Path(folder) for folder, _, _ in os.walk(start)]


def processor_seconds(host: str) -> float:
    """Processor time that all processes of a host have used since it was started, those that have ended included."""
    if is_unified():
        start = _ROOT / _PARENT / host
        words = (start / "cpu.stat").read_text().split()
        return int(words[words.index("usage_usec") + 1]) / 1e6
    return int((_ROOT / "cpuacct" / _PARENT / host / "cpuacct.usage").read_text()) / 1e9


def remove(host: str | None = None) -> None:
    """Remove the groups of one host, or all of ours; a group that still has processes stays."""
    for root in _hierarchies_with_groups():
        start = root / _PARENT / host if host else root / _PARENT
        for group in reversed(_groups_below(start)):
            with contextlib.suppress(OSError):
                group.rmdir()
