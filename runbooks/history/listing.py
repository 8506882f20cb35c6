"""All that was done, the newest last, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text

from runbooks.history.deployments import deployments
from runbooks.history.drills import drills
from runbooks.history.entry import HistoryEntry
from runbooks.history.runs import runs
from runbooks.putting_in_place.records import REPLACEMENTS
from runbooks.rotation.records import ROTATIONS
from shopsphere.foundation.columns import Cell, columns, table

GOOD = frozenset({"finished", "green", "succeeded"})
_COLUMNS = ("began (UTC)", "what", "on", "result", "#seconds", "who", "why", "report")


@dataclass(frozen=True)
class Listing:
    """What was found.

    Attributes:
        entries: in the order of their beginning.
        unreadable: what is wrong with records that cannot be read.
    """

    entries: tuple[HistoryEntry, ...]
    unreadable: tuple[str, ...]


def listing(directory: Path, wanted: Iterable[str] = ()) -> Listing:
    """Read all records of an environment.

    Args:
        directory: where its records are.
        wanted: pairs, sites and targets of deployments; empty for everything.
    """
    names = frozenset(wanted)
    folders = (directory, directory / ROTATIONS, directory / REPLACEMENTS)
    found = [*(each for folder in folders for each in runs(folder)), *drills(directory), *deployments(directory)]
    entries = [each for each in found if isinstance(each, HistoryEntry) and (not names or each.on in names)]
    return Listing(
        tuple(sorted(entries, key=lambda each: each.began)), tuple(each for each in found if isinstance(each, str))
    )


def as_json(found: Listing) -> str:
    """Return all of it as a JSON document."""
    entries = [each.as_document() for each in found.entries]
    return json.dumps({"entries": entries, "unreadable": list(found.unreadable)}, indent=2)


def as_lines(found: Listing, width: int) -> list[Text]:
    """Return a table, and below it what could not be read; `width` is the terminal's, in characters."""
    if not found.entries:
        return [Text("nothing was done here yet"), *map(Text, found.unreadable)]
    rows: list[list[Cell]] = [
        [
            f"{each.began:%Y-%m-%d %H:%M:%S}",
            each.what,
            each.on,
            Text(each.result, style="" if each.result in GOOD else "yellow"),
            "-" if each.seconds is None else f"{each.seconds:.1f}",
            each.who,
            each.why,
            each.report,
        ]
        for each in found.entries
    ]
    return [*table(columns(*_COLUMNS), rows, width), *(Text(f"unreadable: {each}") for each in found.unreadable)]
