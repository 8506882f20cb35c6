"""A status as tables for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime

from rich.console import Console
from rich.text import Text

from shopsphere.foundation.columns import Cell, columns, folded, table
from shopsphere.status.model import Database, NameAnswer, PairStatus, Replication, Restorable, SiteStatus, Status

MEGABYTE = 10**6
_SMALL_GIB = 100


def as_json(status: Status) -> str:
    """Return the whole status as a JSON document."""
    document = asdict(status)
    document.pop("between")  # among the problems
    return json.dumps({"well": status.is_well, "problems": list(map(asdict, status.problems)), **document}, indent=2)


def show(status: Status, console: Console) -> None:
    """Print the status: who is active first, then sites, databases and names, then what is wrong."""
    for line in lines(status, console.width):
        console.print(line, soft_wrap=True)


def lines(status: Status, width: int) -> list[Text]:
    """Return what is printed on a terminal of a width, in characters."""
    databases = list(_databases(status.sites))
    parts = [
        _part("Pairs, as the witness has them", _PAIR, map(_pair, status.pairs), width),
        _part("Sites", _SITE, map(_site, status.sites), width),
        _part("Databases", _DATABASE, databases, width),
        _part("Restorable to any time, as the archive has it", _RESTORABLE, map(_restorable, status.restorable), width),
        _part("Public names", _NAME, _names(status.names), width),
        _problems(status, width),
    ]
    shown: list[Text] = []
    for part in filter(None, parts):
        shown += [Text(), *part] if shown else part
    return shown


def _part(title: str, titles: tuple[str, ...], rows: Iterable[list[Cell]], width: int) -> list[Text]:
    found = list(rows)
    return [Text(title, style="bold"), *table(columns(*titles), found, width)] if found else []


_PAIR = ("pair", "active", "#epoch", "phase", "lease", "sync", "last change")


def _pair(pair: PairStatus) -> list[Cell]:
    if not pair.epoch:
        return [pair.pair, Text("unknown", style="red"), "?", "-", "-", "-", ""]
    return [
        pair.pair,
        pair.active,
        str(pair.epoch),
        pair.phase,
        pair.lease_holder or Text("nobody", style="red"),
        Text(pair.sync, style="" if pair.sync == "on" else "yellow"),
        pair.last_change,
    ]


_SITE = ("site", "region", "role", "#nodes", "#pods", "#kW used", "#kW free", "#GiB used", "#racks")


def _site(site: SiteStatus) -> list[Cell]:
    facts = site.facts
    if facts is None:
        return [site.site, site.region, Text("unknown", style="red"), *["-"] * 6]
    power, storage = facts.power, facts.storage
    return [
        site.site,
        site.region,
        site.role,
        _count(facts.nodes.ready, facts.nodes.total),
        _count(facts.pods.ready, facts.pods.total),
        Text(f"{power.used_kw:.2f}/{power.total_kw:.0f}", style="yellow" if power.near_limit else ""),
        f"{power.free_kw:.2f}",
        f"{_gib(storage.used_gib)}/{_gib(storage.total_gib)}",
        str(facts.racks),
    ]


def _count(ready: int, total: int) -> Text:
    return Text(f"{ready}/{total}", style="" if ready == total else "yellow")


def _gib(size: float) -> str:
    return f"{size:.1f}" if size < _SMALL_GIB else f"{size:.0f}"


_DATABASE = ("site", "database", "role", "#MB", "condition", "replication")


def _databases(sites: tuple[SiteStatus, ...]) -> Iterator[list[Cell]]:
    for site in sites:
        for database in site.facts.databases if site.facts else ():
            size = "?" if database.size_bytes is None else f"{database.size_bytes / MEGABYTE:.0f}"
            streams = "; ".join(map(_stream, database.replication)) or "none"
            yield [site.site, database.name, database.role, size, _condition(database), streams]


def _condition(database: Database) -> str:
    if database.may_lead is None:
        return database.condition
    return f"{database.condition}; {', '.join(database.may_lead) or 'no other instance'} may lead in its place"


def _stream(stream: Replication) -> str:
    milliseconds = "?" if stream.lag_ms is None else f"{stream.lag_ms:g}"
    size = "?" if stream.lag_bytes is None else str(stream.lag_bytes)
    way = f"to {stream.peer}, {stream.sync}" if stream.sync else f"from {stream.peer}"
    return f"{stream.state} {way}, {milliseconds} ms and {size} B behind"


_RESTORABLE = ("pair", "database", "since", "until", "#days kept", "remark")


def _restorable(restorable: Restorable) -> list[Cell]:
    since, until = _moment(restorable.since), _moment(restorable.until)
    unknown = Text("unknown", style="red") if restorable.problem and not since else "none"
    return [
        restorable.pair,
        restorable.database,
        since or unknown,
        until or "-",
        str(restorable.kept_days or "-"),
        restorable.note or ("not every bucket answered" if restorable.problem and since else ""),
    ]


def _moment(iso: str) -> str:
    return f"{datetime.fromisoformat(iso).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if iso else ""


_NAME = ("name", "for", "answer", "asked at")


def _names(names: tuple[NameAnswer, ...]) -> Iterator[list[Cell]]:
    """Return a row for each answer that name servers give to a name, with all that give it."""
    servers: dict[tuple[str, str, str], list[str]] = {}
    for each in sorted(names, key=lambda each: (each.name, each.asked_for, each.server)):
        sites = f" ({', '.join(each.sites)})" if each.sites else ""
        told = "" if each.problem else f"{', '.join(each.addresses)}{sites}"
        servers.setdefault((each.name, each.asked_for, told), []).append(_server(each))
    for (name, asked_for, told), asked in servers.items():
        yield [name, asked_for or "-", told or Text("no answer", style="red"), ", ".join(asked)]


def _server(answer: NameAnswer) -> str:
    return answer.server.partition(" ")[0]


def _problems(status: Status, width: int) -> list[Text]:
    """Return one entry for each thing that is wrong, and what it is wrong with: a cause is told once."""
    told: dict[str, tuple[list[str], str]] = {}
    for each in status.problems:
        whose, _ = told.setdefault(each.what.replace(each.whose, "…"), ([], each.what.replace(f"{each.whose}: ", "")))
        whose.append(each.whose)
    if not told:
        return [Text("all is well", style="green")]
    head = Text(f"NOT well: {len(told)} problem{'s' if len(told) > 1 else ''}", style="bold red")
    entries = [folded(problem, width, first=f"{', '.join(whose)}: ", indent="    ") for whose, problem in told.values()]
    return [head, *(Text(line, style="red") for entry in entries for line in entry)]
