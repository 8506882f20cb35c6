"""Files of an archive's host: retention by the clock, with the secret of the archive's owner."""

from __future__ import annotations

from pathlib import PurePosixPath

from runbooks.install.files import Brought, HostFiles, InstallationError, Places
from runbooks.install.units import HARDENED, NO_DEVICES, PYTHON, UNITS, command_line, sections, unit
from runbooks.pruning.owner import OWNER_KEYS
from shopsphere.estate.archive_keys import AUTHORITY_FILE, OWNER, OWNER_FILE
from shopsphere.topology import Topology

PREFIX = "archive-"
USER = "shopsphere-archive"
SERVICE, TIMER = "shopsphere-prune-backups.service", "shopsphere-prune-backups.timer"
MOST_SECONDS = 4 * 3600
"""A run ends by itself before: it removes for half an hour from a bucket, and lists each three times."""


def archive_targets(topology: Topology) -> dict[str, str]:
    """Return the jurisdictions that have an archive by the names of its host."""
    return {f"{PREFIX}{name}": name for name, each in topology.jurisdictions.items() if each.archive}


def archive_files(jurisdiction: str, topology: Topology, places: Places) -> HostFiles:
    """Return the files of the host of a jurisdiction's archive.

    Raises:
        InstallationError: it has none.
    """
    if topology.jurisdictions[jurisdiction].archive is None:
        raise InstallationError(f"{jurisdiction} has no archive")
    keys = PurePosixPath(OWNER_KEYS)
    owner = f"root:{USER}"
    brought = (
        Brought(keys / OWNER_FILE, owner, "0640", f"secret of the archive's account `{OWNER}`, which may delete"),
        Brought(keys / AUTHORITY_FILE, owner, "0640", "the archive's authority; not needed where it is a public one"),
    )
    program = str(places.repository / ".venv" / "bin" / "shopsphere")
    written = {
        "/etc/sysusers.d/shopsphere-archive.conf": f'u {USER} - "Retention of backups"\n',
        "/etc/tmpfiles.d/shopsphere-archive.conf": "\n".join(
            [f"d {keys} 0750 root {USER} -", *(f"z {each.path} {each.mode} root {USER} -" for each in brought), ""]
        ),
        f"{UNITS}/{SERVICE}": unit(
            "ShopSphere: removes backups that nothing needs any more",
            {
                "Wants": "network-online.target",
                "After": "network-online.target",
                "AssertPathExists": str(keys / OWNER_FILE),
            },
            {
                "Type": "oneshot",
                "ExecStart": command_line(
                    [program, "prune-backups", jurisdiction, "--environment", "prod", "--execute"]
                ),
                "WorkingDirectory": str(places.repository),
                **PYTHON,
                "User": USER,
                "Group": USER,
                "Nice": "10",
                "MemoryMax": "1G",
                "TimeoutStartSec": str(MOST_SECONDS),
                "CapabilityBoundingSet": "",
                "RestrictAddressFamilies": "AF_UNIX AF_INET AF_INET6",
                **NO_DEVICES,
                **HARDENED,
            },
            {},
        ),
        f"{UNITS}/{TIMER}": sections(
            {
                "Unit": {"Description": "ShopSphere: retention of backups by the clock"},
                # After a night without power it is made up for.
                "Timer": {"OnCalendar": "*-*-* 05:00:00 UTC", "RandomizedDelaySec": "30min", "Persistent": "yes"},
                "Install": {"WantedBy": "timers.target"},
            }
        ),
    }
    then = (
        f"look before it removes anything: runuser -u {USER} -- {program} prune-backups {jurisdiction} "
        "--environment prod",
    )
    return HostFiles(f"{PREFIX}{jurisdiction}", written, brought, (TIMER,), then)
