"""Makes every tool available: from its stamp, from PATH, or by a build."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lab.exclusive import exclusive
from lab.tools.build import build_tool, work_folder
from lab.tools.catalogue import Tool, load_catalogue, of_the_lab
from lab.tools.go_toolchain import find_caches
from lab.tools.on_path import tool_on_path
from lab.tools.stamps import valid_stamp, write_stamp
from shopsphere.foundation.errors import UsageError
from shopsphere.foundation.paths import tools_directory
from shopsphere.foundation.progress import say, step

State = Literal["built", "path", "to build"]
LOCK_SECONDS = 5400  # a cold build of everything, twice over


@dataclass(frozen=True)
class Plan:
    """What has to be done for one tool.

    Attributes:
        tool: the catalogue's entry.
        state: built: ready; path: a program on PATH has the right version; to build: neither.
        places: where PATH has its executables, when they still have to be linked.
    """

    tool: Tool
    state: State
    places: Mapping[str, Path] | None = None


def plan_tools(tools: Mapping[str, Tool]) -> list[Plan]:
    """Look at each tool's stamp, then at PATH."""
    return [plan_tool(tool) for tool in tools.values()]


def plan_tool(tool: Tool) -> Plan:
    """Decide what one tool needs."""
    stamp = valid_stamp(tool)
    if stamp:
        return Plan(tool, stamp.source)
    places = tool_on_path(tool)
    return Plan(tool, "path", places) if places else Plan(tool, "to build")


def choose(names: Iterable[str] | None, tools: dict[str, Tool]) -> dict[str, Tool]:
    """The named tools; all that a lab needs when none is named.

    Raises:
        UsageError: a name is unknown.
    """
    if names is None:
        return of_the_lab(tools)
    chosen = list(names)
    unknown = sorted(set(chosen) - set(tools))
    if unknown:
        raise UsageError.build(
            "unknown tool", expected=", ".join(tools), found=", ".join(unknown), action="name one of these"
        )
    return {name: tools[name] for name in chosen}


def ensure_tools(names: Iterable[str] | None = None, *, tools: dict[str, Tool] | None = None) -> None:
    """Link or build what is missing; return at once when all is there.

    Raises:
        ToolBuildError: a build failed.
        LockedError: another build did not end in time.
    """
    chosen = choose(names, tools or load_catalogue())
    if all(valid_stamp(tool) for tool in chosen.values()):
        return
    with exclusive(tools_directory().parent / "lock", "building tools", seconds=LOCK_SECONDS):
        # Planned again under the lock: another process may have built them while this one waited.
        plans = [plan for plan in plan_tools(chosen) if plan.state == "to build" or plan.places]
        for plan in plans:
            if plan.places:
                link(plan.tool, plan.places)
        build_all([plan.tool for plan in plans if plan.state == "to build"])


def build_all(tools: list[Tool]) -> None:
    """Build tools one after another, then delete the Go caches that were made for it."""
    if not tools:
        return
    minutes = sum(tool.seconds for tool in tools) / 60
    say(f"building {len(tools)} tools from source, once: {minutes:.0f} min with empty caches on 2 cores")
    caches = find_caches()
    for tool in tools:
        start = time.monotonic()
        build_tool(tool, caches.environment)
        write_stamp(tool, "built", time.monotonic() - start)
        shutil.rmtree(work_folder(tool))
    if caches.ours:
        with step("delete the Go caches of this build"):
            caches.trim()


def link(tool: Tool, places: Mapping[str, Path]) -> None:
    """Let the tools folder point to programs on PATH."""
    folder = tools_directory()
    folder.mkdir(parents=True, exist_ok=True)
    for name, place in places.items():
        partial = folder / f".{name}.partial"
        partial.unlink(missing_ok=True)
        partial.symlink_to(place)
        partial.replace(folder / name)
    write_stamp(tool, "path", 0)
    say(f"{tool.name} {tool.version}: taken from PATH ({places[next(iter(tool.programs))]})")
