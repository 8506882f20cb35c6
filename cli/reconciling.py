"""`shopsphere reconcile`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli.common import In
from cli.pairs import PairName, require_pair
from shopsphere.estate.stack import Environment
from shopsphere.foundation.columns import terminal
from shopsphere.topology import load_topology


def reconcile(
    pair: PairName,
    environment: In = Environment.LAB,
    *,
    days: Annotated[int, typer.Option("--days", min=1, max=90, help="how many days (UTC), today included")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="a JSON document instead of a list")] = False,
) -> None:
    """Compare a pair's payments with the provider's settlements and with orders; list every difference; read-only."""
    topology = load_topology(environment=environment)
    require_pair(topology, pair)
    # The Kubernetes client takes a second to import, so only this verb does.
    from shopsphere.status import reconciliation  # noqa: PLC0415 - see above

    found = reconciliation.compare(topology, pair, environment, days)
    text = reconciliation.as_json(found) if as_json else reconciliation.as_text(found, terminal().width)
    sys.stdout.write(f"{text}\n")
    raise typer.Exit(found.exit_code)
