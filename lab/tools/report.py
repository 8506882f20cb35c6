"""Shows which tools there are, in which version and where they come from."""

from __future__ import annotations

import json
import sys

from rich.table import Table

from lab.tools.catalogue import load_catalogue
from lab.tools.ensure import Plan, plan_tools
from lab.tools.stamps import valid_stamp
from shopsphere.foundation.paths import tools_directory
from shopsphere.foundation.progress import console


def show_tools(*, as_json: bool) -> None:
    """Print one line per tool: on a terminal as a table, as JSON for programs."""
    plans = plan_tools(load_catalogue())
    if as_json:
        sys.stdout.write(json.dumps([facts(plan) for plan in plans], indent=2) + "\n")
        return
    table = Table(title=f"tools in {tools_directory()}", box=None, title_justify="left")
    for heading in ("tool", "version", "state", "programs"):
        table.add_column(heading, no_wrap=heading != "programs")
    for plan in plans:
        table.add_row(plan.tool.name, plan.tool.version, state(plan), " ".join(plan.tool.executables))
    console.print(table)


def state(plan: Plan) -> str:
    """The state in words, with a time where there is one."""
    stamp = valid_stamp(plan.tool)
    if plan.state == "to build":
        return f"to build, {plan.tool.seconds} s cold"
    if stamp and stamp.source == "built":
        return f"built in {stamp.seconds:.0f} s"
    return "from PATH"


def facts(plan: Plan) -> dict[str, object]:
    """Return the facts of one tool as plain values, for JSON."""
    places = plan.places or {name: tools_directory() / name for name in plan.tool.executables}
    return {
        "tool": plan.tool.name,
        "version": plan.tool.version,
        "state": plan.state,
        "programs": {name: str(place) for name, place in places.items()},
        "cold_build_seconds": plan.tool.seconds,
    }
