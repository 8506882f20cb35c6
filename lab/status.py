"""Reports which hosts and programs of the lab run."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from typing import Any

from rich.console import Console
from rich.table import Table

from lab.host import power, supervision
from lab.hosts import LabHosts
from lab.network import control
from lab.paths import control_directory, run_directory
from shopsphere.foundation.process import CommandError


def collect(hosts: LabHosts) -> dict[str, Any]:
    """Return hosts with power and component states, and the state of the WAN (None when it does not answer)."""
    report: dict[str, Any] = {"hosts": {}, "control": _states(control_directory()), "wan": None}
    with suppress(control.WanError):
        report["wan"] = control.ask("status")
    for name, host in sorted(hosts.hosts.items()):
        on = power.is_on(name)
        states = _states(run_directory(name)) if on else {}
        report["hosts"][name] = {"address": str(host.address), "on": on, "components": states}
    return report


def _states(run: Any) -> dict[str, str]:
    with suppress(CommandError):
        return supervision.states(run)
    return {}


def show_status(hosts: LabHosts, *, as_json: bool) -> None:
    """Print what `collect` found, as a table or as JSON."""
    report = collect(hosts)
    if as_json:
        sys.stdout.write(json.dumps(report, indent=2) + "\n")
        return
    table = Table("host", "address", "power", "components")
    for name, entry in report["hosts"].items():
        states = entry["components"]
        trouble = [f"{component} {state}" for component, state in states.items() if state != supervision.RUNNING]
        text = ", ".join(trouble) if trouble else f"{len(states)} running"
        table.add_row(name, entry["address"], "on" if entry["on"] else "off", text if entry["on"] else "")
    console = Console()
    console.print(table)
    wan = report["wan"]
    console.print("WAN: does not answer" if wan is None else f"WAN: {len(wan['hosts'])} ports, {wan['frames']} frames")
    for source, destination in (wan or {}).get("cuts", []):
        console.print(f"  cut: {source} -> {destination}")
    for source, destination, percent in (wan or {}).get("losses", []):
        console.print(f"  loses {percent:g} %: {source} -> {destination}")
    for source, destination, seconds in (wan or {}).get("detours", []):
        console.print(f"  takes {1000 * seconds:g} ms longer: {source} -> {destination}")
