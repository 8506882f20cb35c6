"""Control groups of hosts: one for each host in every hierarchy of this machine, with a bound on memory for all."""

import os
import subprocess
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
UNIFIED = ROOT / "unified"
MEMORY = 6 * 2**30
"""What all hosts of a run may take together (bytes)."""
_CONTROLLERS = ("cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids", "systemd")
_JANITOR = """
folder=$1
shift
read -r _ || true
for _ in $(seq 100); do
  left=
  for group; do
    find "$group" -depth -type d -exec rmdir {} + 2> /dev/null
    if [ -e "$group" ]; then left=yes; fi
  done
  [ "$left" ] || break
  sleep 0.1
done
rm -rf --one-file-system "$folder"
"""


def hierarchies() -> list[Path]:
    """Return all of this machine; one alone where it has cgroup v2 only."""
    if (ROOT / "cgroup.controllers").exists():
        return [ROOT]
    return [each for each in (UNIFIED, *(ROOT / name for name in _CONTROLLERS)) if each.is_dir()]


def has_controllers() -> bool:
    """Whether hosts can be given controllers of cgroup v1, which their nodes need for pods."""
    return all((ROOT / name / "cgroup.procs").exists() for name in _CONTROLLERS)


def make_group(name: str) -> list[Path]:
    """Make the group of a run in every hierarchy."""
    made = [_made(each / name) for each in hierarchies()]
    if (memory := ROOT / "memory" / name / "memory.limit_in_bytes").exists():
        memory.write_text(str(MEMORY))
    return made


def make_groups_of(host: str, groups: list[Path]) -> list[Path]:
    """Make the groups of a host below those of its run."""
    return [_made(each / host) for each in groups]


def _made(group: Path) -> Path:
    group.mkdir()
    for name in ("cpuset.cpus", "cpuset.mems"):
        if (group / name).exists():
            (group / name).write_text((group.parent / name).read_text())
    if (group / "cgroup.clone_children").exists() and (group / "cpuset.cpus").exists():
        (group / "cgroup.clone_children").write_text("1")
    return group


def joining(groups: list[Path]) -> str:
    """Return shell that joins a host's groups and goes on as what it is given."""
    return "".join(f"echo $$ > '{each}/cgroup.procs'; " for each in groups) + 'exec "$@"'


def janitor(folder: Path, groups: list[Path]) -> subprocess.Popen[bytes]:
    """Start what removes groups and folder of a run when its standard input is closed, in whatever way that happens."""
    command = ["bash", "-c", _JANITOR, "janitor", os.fspath(folder), *map(os.fspath, groups)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
