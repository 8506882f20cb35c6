"""What hosts and nodes need of the kernel that they share with everything else on this machine."""

from pathlib import Path

from control_groups import has_controllers
from systemd_hosts import HostError

PLACES = 75
"""Instances of inotify that hosts and nodes take (60 were counted), and a few more."""
_MOST = Path("/proc/sys/fs/inotify/max_user_instances")


def require_kernel() -> None:
    """Refuse to start where the run would not come up, or would take from others what they need.

    Raises:
        HostError: control groups have no controllers of v1, or too few instances of inotify are left.
    """
    if not has_controllers():
        raise HostError.build(
            "nodes cannot be started here",
            expected="control groups of version 1, as on a hybrid machine",
            found="some or all of their hierarchies are missing",
            action="use another machine",
        )
    most, taken = int(_MOST.read_text()), inotify_instances()
    if most - taken < PLACES:
        raise HostError.build(
            "too few instances of inotify are left: of all that starts next, others' too, some would fail",
            expected=f"{PLACES}",
            found=f"{most - taken} of {most}",
            action=f"end what is not needed, or write a larger number to {_MOST}",
        )


def inotify_instances(processes: Path = Path("/proc"), user: int = 0) -> int:
    """Count the instances that processes of a user have, root if none is given."""
    found: set[Path] = set()
    for folder in processes.glob("[0-9]*/fd"):
        try:
            if folder.parent.stat().st_uid == user:
                links = [(each, each.readlink()) for each in folder.iterdir()]
                found.update(each for each, leads in links if str(leads) == "anon_inode:inotify")
        except OSError:
            continue  # it has ended meanwhile
    return len(found)
