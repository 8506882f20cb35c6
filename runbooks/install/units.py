"""systemd units: each program with the rights that it needs, and no others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

UNITS = "/etc/systemd/system"
Section = Mapping[str, str | Iterable[str]]

HARDENED: Section = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "ProtectKernelTunables": "yes",
    "ProtectKernelLogs": "yes",
    "ProtectControlGroups": "yes",
    "ProtectClock": "yes",
    "ProtectHostname": "yes",
    "RestrictNamespaces": "yes",
    "RestrictSUIDSGID": "yes",
    "RestrictRealtime": "yes",
    "LockPersonality": "yes",
    "SystemCallArchitectures": "native",
    "SystemCallFilter": "@system-service",
    "SystemCallErrorNumber": "EPERM",
    "UMask": "0077",
}
"""For every program. MemoryDenyWriteExecute is not here: Python's libraries of C may need such memory."""

KEPT_RUNNING: Section = {"Restart": "always", "RestartSec": "1"}
NO_DEVICES: Section = {"PrivateDevices": "yes"}
ONCE: Section = {"Type": "oneshot", "RemainAfterExit": "yes"}
RULES_ALONE: Section = {
    "CapabilityBoundingSet": "CAP_NET_ADMIN",
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
}
"""For what loads rules of the kernel and does nothing else."""
PYTHON: Section = {"Environment": ("PYTHONUNBUFFERED=1", "PYTHONDONTWRITEBYTECODE=1")}


def unit(description: str, about: Section, service: Section, wanted_by: Section | None = None) -> str:
    """Return the text of a service.

    Args:
        description: for people.
        about: order and conditions, beside the description.
        service: how it runs; a list becomes a line each.
        wanted_by: what starts it; by default a host that comes up.
    """
    return sections(
        {
            "Unit": {"Description": description, "Documentation": "file:///opt/shopsphere/docs/production.md", **about},
            "Service": service,
            "Install": {"WantedBy": "multi-user.target"} if wanted_by is None else wanted_by,
        }
    )


def sections(found: Mapping[str, Section]) -> str:
    """Return the text of a unit of any kind; an empty section is left out."""
    parts = []
    for name, entries in found.items():
        lines = [
            f"{key}={value}"
            for key, values in entries.items()
            for value in ([values] if isinstance(values, str) else values)
        ]
        if lines:
            parts.append("\n".join([f"[{name}]", *lines]))
    return "\n\n".join(parts) + "\n"


def command_line(words: Iterable[str]) -> str:
    """Return a command for ExecStart, a word on each line.

    Raises:
        ValueError: a word would mean something else to systemd than it says.
    """
    given = list(words)
    strange = [each for each in given if not each or any(sign in each for sign in " \t\n\"'\\$%;")]
    if strange:
        raise ValueError(f"no word for a unit: {strange}")
    return " \\\n  ".join(given)
