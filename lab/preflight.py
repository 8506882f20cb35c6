"""Whether this machine can carry the lab: everything that is missing, in one message, before anything is changed."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Sequence
from pathlib import Path

from lab.kernel import missing_kernel_features
from lab.packages import missing_packages, wanted_packages
from lab.tools.catalogue import Tool, required_go
from lab.tools.go_toolchain import go_version
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.paths import cache_directory, lab_directory

GIB = 1 << 30
STATE_GIB = 8  # images, archives and disks of one region
BUILD_MEMORY_GIB = 4  # linking kube-apiserver and compiling the provider's schema beside each other
MEMINFO = Path("/proc/meminfo")


class MachineError(ShopSphereError):
    """The machine lacks something."""


def check_machine(to_build: Sequence[Tool], *, memory_gib: float = BUILD_MEMORY_GIB) -> None:
    """Check system, rights, programs, kernel, memory and disk.

    Args:
        to_build: tools that are not there yet.
        memory_gib: what the lab needs available (GiB).

    Raises:
        MachineError: lists all that is missing.
    """
    missing = [*system_problems(), *go_problems(to_build), *disk_problems(to_build), *memory_problems(memory_gib)]
    if platform.system() == "Linux":
        missing += missing_kernel_features()
    if missing:
        lines = "\n".join(f"  - {line}" for line in missing)
        raise MachineError(
            f"this machine cannot run the lab yet; missing:\n{lines}\n"
            "  do:       provide all of it, then run the command again"
        )


def system_problems() -> list[str]:
    """Return what is wrong with operating system, processor, rights, package tool and system packages."""
    problems = []
    system, processor = platform.system(), platform.machine()
    if (system, processor) != ("Linux", "x86_64"):
        problems.append(f"Linux on x86_64: found {system} on {processor}")
    if os.geteuid() != 0:
        problems.append(f"root (namespaces, mounts, interfaces): found user id {os.geteuid()}")
    if shutil.which("apt-get") is None or shutil.which("dpkg-query") is None:
        problems.append("Debian 12 with apt-get and dpkg-query: found neither or only one")
    elif os.geteuid() != 0 and (packages := missing_packages(wanted_packages())):
        problems.append(f"system packages, which only root can install: {' '.join(packages)}")
    return problems


def go_problems(to_build: Sequence[Tool]) -> list[str]:
    """Return what is wrong with Go; nothing if no tool has to be built."""
    if not to_build:
        return []
    needed = required_go({tool.name: tool for tool in to_build})
    found = go_version()
    if found is None or found < needed:
        shown = "no go on PATH" if found is None else f"go {dotted(found)}"
        return [
            f"go {dotted(needed)} or newer on PATH, to build {', '.join(tool.name for tool in to_build)}: found {shown}"
        ]
    return []


def dotted(version: Sequence[int]) -> str:
    """Return (1, 26, 4) as `1.26.4`."""
    return ".".join(str(part) for part in version)


def disk_problems(to_build: Sequence[Tool]) -> list[str]:
    """Return where disk is too small for builds, images and the lab's disks; needs on one file system add up."""
    needs: dict[int, tuple[Path, float]] = {}
    wanted = {cache_directory(): disk_gib(to_build), lab_directory(): float(STATE_GIB)}
    for folder, gib in wanted.items():
        place = existing(folder)
        device = place.stat().st_dev
        needs[device] = (place, needs.get(device, (place, 0.0))[1] + gib)
    problems = []
    for place, gib in needs.values():
        free = shutil.disk_usage(place).free / GIB
        if free < gib:
            problems.append(f"{gib:.0f} GiB of free disk at {place}: found {free:.1f} GiB")
    return problems


def disk_gib(to_build: Sequence[Tool]) -> float:
    """Return the disk that Go's caches take while tools are built cold, and the programs themselves (GiB)."""
    return sum(tool.disk_gib for tool in to_build) + 2


def existing(folder: Path) -> Path:
    """The folder itself or its nearest parent that exists."""
    return next(place for place in (folder, *folder.parents) if place.exists())


def memory_problems(needed_gib: float) -> list[str]:
    """Return a problem when programs cannot have `needed_gib` of memory now, without swap."""
    lines = dict(line.split(":", 1) for line in MEMINFO.read_text().splitlines()) if MEMINFO.exists() else {}
    available = int(lines.get("MemAvailable", "0").split()[0]) / (1 << 20)
    if available < needed_gib:
        return [f"{needed_gib:.0f} GiB of available memory: found {available:.1f} GiB"]
    return []
