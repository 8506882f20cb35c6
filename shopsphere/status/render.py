"""A status as tables for people and as JSON for programs."""

from __future__ import annotations

import json
from dataclasses import asdict

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from shopsphere.status.model import NameAnswer, PairStatus, Replication, SiteStatus, Status

MEGABYTE = 10**6


def as_json(status: Status) -> str:
    """Return the whole status as a JSON document."""
    return json.dumps({"well": status.is_well, **asdict(status)}, indent=2)


def show(status: Status, console: Console) -> None:
    """Print the status as tables, then what is wrong."""
    parts = [_sites(status.sites)] if status.sites else []
    if status.pairs:
        parts.append(_pairs(status.pairs))
    if any(site.facts and site.facts.databases for site in status.sites):
        parts.append(_databases(status.sites))
    if status.names:
        parts.append(_names(status.names))
    console.print(Group(*parts))
    problems = [(each.site, each.problem) for each in status.sites]
    problems += [(each.pair, each.problem) for each in status.pairs]
    for name, problem in problems:
        if problem:
            console.print(f"{name}: {problem}", style="red", markup=False)


def _table(title: str, *columns: str, numbers: tuple[str, ...] = ()) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, no_wrap=True)
    for column in numbers:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _sites(sites: tuple[SiteStatus, ...]) -> Table:
    numbers = ("nodes", "pods", "racks", "kW used", "kW free", "kW total", "GiB used", "GiB total")
    table = _table("Sites", "site", "region", "role", numbers=numbers)
    for site in sites:
        facts = site.facts
        if facts is None:
            table.add_row(site.site, site.region, Text("unreachable", style="red"))
            continue
        power = Text(f"{facts.power.used_kw:.2f}", style="yellow" if facts.power.near_limit else "")
        table.add_row(
            site.site, site.region, site.role, f"{facts.nodes.ready}/{facts.nodes.total}",
            f"{facts.pods.ready}/{facts.pods.total}", str(facts.racks), power, f"{facts.power.free_kw:.2f}",
            f"{facts.power.total_kw:.0f}", f"{facts.storage.used_gib:.1f}", f"{facts.storage.total_gib:.1f}",
        )  # fmt: skip
    return table


def _pairs(pairs: tuple[PairStatus, ...]) -> Table:
    table = _table(
        "\nPairs, as the witness has them", "pair", "active", "epoch", "phase", "lease", "sync", "last change"
    )
    for pair in pairs:
        if not pair.epoch:
            table.add_row(pair.pair, Text("unknown", style="red"))
            continue
        sync = Text(pair.sync, style="" if pair.sync == "on" else "yellow")
        holder = pair.lease_holder or Text("nobody", style="red")
        table.add_row(pair.pair, pair.active, str(pair.epoch), pair.phase, holder, sync, pair.last_change)
    return table


def _databases(sites: tuple[SiteStatus, ...]) -> Table:
    table = _table("\nDatabases", "site", "database", "role", "replication", "condition", numbers=("MB",))
    for site in sites:
        for database in site.facts.databases if site.facts else ():
            size = "?" if database.size_bytes is None else f"{database.size_bytes / MEGABYTE:.0f}"
            streams = "; ".join(map(_stream, database.replication)) or "none"
            table.add_row(site.site, database.name, database.role, streams, database.condition, size)
    return table


def _stream(stream: Replication) -> str:
    milliseconds = "?" if stream.lag_ms is None else f"{stream.lag_ms:g}"
    size = "?" if stream.lag_bytes is None else str(stream.lag_bytes)
    way = f"to {stream.peer}, {stream.sync}" if stream.sync else f"from {stream.peer}"
    return f"{stream.state} {way}, {milliseconds} ms and {size} B behind"


def _names(names: tuple[NameAnswer, ...]) -> Table:
    table = _table("\nPublic names", "name", "clients of", "asked at", "answer")
    for answer in sorted(names, key=lambda each: (each.name, each.asked_for, each.server)):
        sites = f" ({', '.join(answer.sites)})" if answer.sites else ""
        told = Text(answer.problem, style="red") if answer.problem else Text(f"{', '.join(answer.addresses)}{sites}")
        table.add_row(answer.name, answer.asked_for, answer.server, told)
    return table
