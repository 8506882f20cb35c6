"""Finds programs of the right version on PATH."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from lab.tools.catalogue import Tool
from shopsphere.foundation.paths import tools_directory
from shopsphere.foundation.process import CommandError, run

PROBE_SECONDS = 10


def search_path() -> str:
    """Return PATH without our own tools folder: only programs that somebody else installed are looked for."""
    ours = tools_directory().resolve()
    entries = os.environ.get("PATH", "").split(os.pathsep)
    return os.pathsep.join(entry for entry in entries if entry and Path(entry).resolve() != ours)


def tool_on_path(tool: Tool) -> dict[str, Path] | None:
    """Return where each executable of the tool is, if all are on PATH in exactly the right version."""
    if not tool.may_come_from_path:
        return None
    path = search_path()
    found: dict[str, Path] = {}
    for name in tool.executables:
        place = shutil.which(name, path=path)
        if place is None:
            return None
        found[name] = Path(place)
    for name, program in tool.programs.items():
        if not says_version(found[name], program.version_arguments, tool.version):
            return None
    return found


def says_version(program: Path, arguments: tuple[str, ...], version: str) -> bool:
    """Run a program and look for the version as a whole number: 1.36.2 is not in 1.36.21."""
    try:
        answer = run([program, *arguments], check=False, seconds=PROBE_SECONDS)
    except (CommandError, OSError):
        return False
    pattern = rf"(?<![\d.])v?{re.escape(version)}(?![\d.]|-\w)"
    return answer.code == 0 and re.search(pattern, answer.stdout + answer.stderr) is not None
