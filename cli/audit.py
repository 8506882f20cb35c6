"""`shopsphere audit`: whether the log of what operators did is still the one that others were told of."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.common import In
from cli.pairs import require_pair
from shopsphere.estate.stack import Environment
from shopsphere.foundation.columns import folded, terminal
from shopsphere.foundation.exit_code import ExitCode
from shopsphere.topology import load_topology
from shopsphere.topology.completion import completing, pairs

app = typer.Typer(no_args_is_help=True, suggest_commands=False, help="The log of what operators did.")
_ENDS = {"intact": ExitCode.GOOD, "broken": ExitCode.FAILED, "unknown": ExitCode.UNKNOWN}
_MARKS = {"pass": "ok", "fail": "BROKEN", "unknown": "UNKNOWN"}


@app.callback()
def about() -> None:
    """Check what operators left on record."""


@app.command()
def verify(
    pair: Annotated[
        str,
        typer.Argument(
            metavar="[PAIR]",
            help="ask only the witness and the agents of this pair",
            show_default=False,
            autocompletion=completing(pairs),
        ),
    ] = "",
    environment: In = Environment.LAB,
    *,
    kept: Annotated[
        list[Path] | None,
        typer.Option("--kept", metavar="FILE", help="compare also with an agent's file, as its site's owner gave it"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="a JSON document instead of a list")] = False,
) -> None:
    """Compare this machine's audit log with what witnesses and sites keep of it: edits, cuts, a log that is gone."""
    topology = load_topology(environment=environment)
    if pair:
        require_pair(topology, pair)
    # The Kubernetes client takes a second to import, so only this verb does.
    from runbooks import audit_asking, audit_check  # noqa: PLC0415 - see above

    wanted = [pair] if pair else sorted(topology.pairs)
    found = audit_asking.verify(topology, wanted, environment, kept or ())
    if as_json:
        sys.stdout.write(f"{json.dumps(audit_check.as_document(found), indent=2)}\n")
    else:
        width = terminal().width
        for each in found:
            head = f"{_MARKS[each.verdict.value]:<7}  "
            lines = folded(f"{each.subject}: {each.found}", width, first=head, indent=" " * 9)
            more = folded(f"do: {each.action}", width, first=" " * 9, indent=" " * 13) if each.action else []
            sys.stdout.write("\n".join([*lines, *more]) + "\n")
        sys.stdout.write(f"audit log: {audit_check.verdict(found)}\n")
    raise typer.Exit(_ENDS[audit_check.verdict(found)])
