"""`shopsphere prune-backups`: retention at the archive's host."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.common import In
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import UsageError
from shopsphere.topology import load_topology
from shopsphere.topology.completion import completing, jurisdictions


def prune_backups(
    jurisdiction: Annotated[
        str, typer.Argument(metavar="JURISDICTION", help="whose archive", autocompletion=completing(jurisdictions))
    ],
    environment: In = Environment.LAB,
    *,
    keys: Annotated[
        Path | None,
        typer.Option("--keys", metavar="FOLDER", help="with owner.secret and ca.crt; /etc/shopsphere/archive"),
    ] = None,
    execute: Annotated[bool, typer.Option("--execute", help="remove; without this, only say what would be")] = False,
) -> None:
    """Remove backups that no restore of the days that are kept needs, as the archive's owner, on its host.

    How many days, and how many base backups at least, is `archive` of the jurisdiction in topology.yaml. A bucket that
    lists something that does not fit together is left alone. A dry run unless --execute is given.
    """
    topology = load_topology(environment=environment)
    if jurisdiction not in topology.jurisdictions:
        raise UsageError.build(
            "no such jurisdiction",
            expected=", ".join(topology.jurisdictions),
            found=jurisdiction,
            action="name one of these",
        )
    from runbooks.pruning.owner import owned_buckets  # noqa: PLC0415 - the archive's library takes 0.3 s to import
    from runbooks.pruning.pruning import prune_all  # noqa: PLC0415 - see above

    buckets, keeping = owned_buckets(topology.jurisdictions[jurisdiction], environment, keys)
    for line in prune_all(buckets, keeping, datetime.now(UTC), execute=execute):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
