"""Which logs have a line about an attempt: new lines that name the attacker's address and port, or what was asked.

Logs of the host that the attacker is root at do not count. For a pod the `refused` log of its own host does: it is no
root there, and that is where policies refuse it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from attempt import OWN_POD, POD, Attempt

from lab.host_firewall import LOG
from shopsphere.foundation.paths import lab_directory

PATTERNS = ("*/log/*.log", "*/disk/var-log/pods/*/*/*.log")
"""Of a host's programs, and of the containers of its pods."""


def logs(attacker: str, *, is_pod: bool) -> list[Path]:
    """Return the logs that an attacker cannot change."""
    hosts = lab_directory() / "hosts"
    found = (file for pattern in PATTERNS for file in hosts.glob(pattern))
    return [file for file in found if file.relative_to(hosts).parts[0] != attacker or (is_pod and file.stem == LOG)]


def sizes(files: Iterable[Path]) -> dict[Path, int]:
    """Return how long each log is."""
    found = {}
    for file in files:
        try:
            found[file] = file.stat().st_size
        except FileNotFoundError:  # a pod's, whose pod has ended
            continue
    return found


def new_text(before: Mapping[Path, int]) -> dict[Path, str]:
    """Return what was added to each log; one that was begun anew is read whole, and so is its former file's end."""
    found = {}
    for file, size in before.items():
        try:
            with file.open("rb") as text:
                text.seek(size if size <= file.stat().st_size else 0)
                found[file] = text.read().decode(errors="replace")
        except FileNotFoundError:
            continue
    return found


def needles(tried: Attempt, answers: Sequence[Mapping[str, Any]], address: str) -> list[re.Pattern[str]]:
    """Return what a line about this attempt holds, any of them.

    A packet that a host or a policy refused is named by the attacker's address and the port that it came from. Where
    others ask from the same address too, only the attempt's own text counts.
    """
    if tried.trace:
        return [re.compile(re.escape(tried.trace))]
    ports = {each["port"] for each in answers if each["kind"] == "refused" and each.get("port")}
    ports |= {port for each in answers if each["kind"] == "scan" for port in each["ports"]}
    source = rf"SRC={re.escape(address)} .*" if address else ""
    of_packets = [re.compile(rf"{source}SPT={port}\b") for port in sorted(ports)]
    if tried.place in {POD, OWN_POD} or not address:
        return of_packets
    is_sent_away = not any(each["kind"] in {"refused", "scan"} for each in answers)
    by_programs = [re.compile(rf"(?<![\d.]){re.escape(address)}(?![\d.]*\d)")] if is_sent_away else []
    return [*of_packets, *by_programs]


def seen_in(texts: Mapping[Path, str], wanted: Iterable[re.Pattern[str]]) -> list[str]:
    """Return `host log` of each log that has such a line."""
    given = list(wanted)
    found = {
        _name(file)
        for file, text in texts.items()
        if any(each.search(line) for line in text.splitlines() for each in given)
    }
    return sorted(found)


def _name(file: Path) -> str:
    parts = file.parts
    host = parts[parts.index("hosts") + 1]
    return f"{host} {file.stem if 'pods' not in parts else file.parent.parent.name.split('_')[0]}"
