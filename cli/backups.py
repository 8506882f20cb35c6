"""`shopsphere backups` and `shopsphere restore`."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.common import In
from cli.pairs import PairName, require_pair
from shopsphere.estate.databases import DATABASES
from shopsphere.estate.stack import Environment
from shopsphere.foundation.columns import columns, table, terminal
from shopsphere.foundation.errors import UsageError
from shopsphere.foundation.exit_code import ExitCode
from shopsphere.foundation.progress import say
from shopsphere.topology import load_topology

if TYPE_CHECKING:
    from runbooks.restore.archives import Backup

LATEST = "latest"
"""In place of a time: all that the archive has."""


def backups(
    pair: PairName,
    environment: In = Environment.LAB,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="a JSON document instead of a table")] = False,
) -> None:
    """Tell what backups of a pair's databases there are: newest base backup, WAL until when, gaps.

    And between which times each can be restored. Read-only.
    """
    topology = load_topology(environment=environment)
    require_pair(topology, pair)
    from runbooks.readiness.p12_backups import judge  # noqa: PLC0415 - see below
    from runbooks.restore.archives import backups_of  # noqa: PLC0415 - the archive's library takes 0.3 s to import

    now = datetime.now(UTC)
    found = backups_of(topology, topology.pair(pair), environment)
    if as_json:
        sys.stdout.write(json.dumps([each.as_json() for each in found], indent=2) + "\n")
    else:
        console = terminal()
        rows = [
            [
                each.database,
                each.site,
                _age(each.base_at, now),
                _age(each.covered_at, now),
                f"{each.timeline}:{each.position}" if each.position else "not told",
                each.problem or ", ".join(each.missing[:3]) or "none",
            ]
            for each in found
        ]
        heads = columns("database", "site", "base backup", "WAL until", "position", "gap")
        for line in table(heads, rows, console.width):
            console.print(line)
        for each in found:
            for stretch in each.stretches:
                console.print(f"{each.database} of {each.site} can be restored: {stretch.text}")
            for wrong in each.unread:
                console.print(f"{each.database} of {each.site}: {wrong}")
            console.print(f"{each.database} of {each.site}: {_retention(each, now)}")
    judged = judge(pair, found, now)  # as `shopsphere ready` does: what is too old is no success here either
    if not judged.passed:
        say(f"{judged.found}\n  do: {judged.action}")
    raise typer.Exit(0 if judged.passed else ExitCode.FAILED)


def restore(
    pair: PairName,
    environment: In = Environment.LAB,
    *,
    database: Annotated[str, typer.Option("--database", help="commerce or ledger")],
    to: Annotated[str, typer.Option("--to", metavar="TIME", help="2026-11-29T09:30:00+00:00, UTC if no zone; latest")],
    beside: Annotated[Path, typer.Option("--beside", metavar="FOLDER", help="an empty folder of this machine")],
    key: Annotated[Path | None, typer.Option("--key", metavar="FILE", help="the restorers' private key")] = None,
    site: Annotated[str, typer.Option("--site", help="whose bucket; the best one if not given")] = "",
    base: Annotated[str, typer.Option("--base", metavar="LABEL", help="of the base backup: 20261129T093145Z")] = "",
    system: Annotated[str, typer.Option("--system", metavar="NUMBER", help="PostgreSQL's system identifier")] = "",
) -> None:
    """Bring a database back to a time in a folder of this machine, beside the live one, and serve it for looking.

    Nothing of the pair is touched. What is missing or damaged in the archive is named before anything is started.
    """
    topology = load_topology(environment=environment)
    require_pair(topology, pair)
    models = {each.name: each for each in DATABASES}
    if database not in models:
        raise UsageError.build(
            "no such database", expected=" or ".join(models), found=database, action="name one of these"
        )
    from runbooks.restore.beside import restore_beside  # noqa: PLC0415 - see above
    from runbooks.restore.pieces import Wanted  # noqa: PLC0415 - see above

    wanted = Wanted(None if to == LATEST else time_of(to), site, base, system)
    for line in restore_beside(topology, topology.pair(pair), environment, models[database], wanted, beside, key):
        sys.stdout.write(f"{line}\n")


def time_of(text: str) -> datetime:
    """Return a time; without a zone it is UTC.

    Raises:
        UsageError: it is none.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError.build(
            "no time", expected="a time as in 2026-11-29T09:30:00+00:00", found=text, action="write it so"
        ) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _retention(backup: Backup, now: datetime) -> str:
    if backup.pruning_problem:
        return f"retention removed nothing: {backup.pruning_problem}"
    if backup.looked_at is None:
        return "retention never looked, so that only what follows from the newest base backup is known"
    return f"retention looked {_age(backup.looked_at, now)}"


def _age(when: datetime | None, now: datetime) -> str:
    if when is None:
        return "none"
    seconds = round((now - when).total_seconds())
    return f"{when:%Y-%m-%d %H:%M:%S} ({f'{seconds} s ago' if seconds >= 0 else f'in {-seconds} s'})"
