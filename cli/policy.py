"""`shopsphere policy check`."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from cli.common import Of
from shopsphere.deploy.filling_in import topology_for
from shopsphere.estate.stack import EVERYTHING, Environment, check_target
from shopsphere.foundation.columns import terminal
from shopsphere.foundation.errors import UsageError
from shopsphere.topology.completion import completing, targets

if TYPE_CHECKING:
    from policies.fleet.check import Report

app = typer.Typer(no_args_is_help=True, suggest_commands=False, help="The policies, without Pulumi's engine.")


class Format(StrEnum):
    """In which shape a report is written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    JUNIT = "junit"


@app.callback()
def about() -> None:
    """Judge what is declared, before anybody deploys it."""


@app.command()
def check(
    target: Annotated[
        str,
        typer.Argument(
            metavar="[TARGET]",
            help="a region (a pair or hq), a site, edge or all",
            show_default=False,
            autocompletion=completing(targets),
        ),
    ] = "",
    environment: Of = Environment.LAB,
    *,
    everything: Annotated[bool, typer.Option("--all", help="all stacks of the environment")] = False,
    form: Annotated[
        Format, typer.Option("--format", help="text for people, json for programs, sarif and junit for CI")
    ] = Format.TEXT,
) -> None:
    """Judge all stacks together, offline: each rule on each stack, and the paths by which data would leave them."""
    wanted = _wanted(target, everything=everything)
    topology = topology_for(wanted, environment)
    check_target(topology, wanted)
    # Pulumi's SDK takes a second to import, so only this verb does.
    from policies.fleet.environment import judge_environment  # noqa: PLC0415 - see above

    report = judge_environment(topology, wanted, environment)
    sys.stdout.write(f"{_written(report, form)}\n")
    raise typer.Exit(report.exit_code)


def _wanted(target: str, *, everything: bool) -> str:
    """Return what is meant by a target and `--all`.

    Raises:
        UsageError: neither is given, or both are and differ.
    """
    if everything and target in ("", EVERYTHING):
        return EVERYTHING
    if everything or not target:
        raise UsageError(
            f"{'two targets' if everything else 'no target'}\n  expected: a TARGET, or --all\n"
            f"  found:    {f'{target} and --all' if everything else 'neither'}\n"
            "  do:       `shopsphere policy check --all` judges every stack of the environment"
        )
    return target


def _written(report: Report, form: Format) -> str:
    from policies.fleet import as_junit, as_sarif, as_text  # noqa: PLC0415 - see above

    match form:
        case Format.TEXT:
            return as_text.as_text(report, terminal().width)
        case Format.JSON:
            return as_text.as_json(report)
        case Format.SARIF:
            return as_sarif.as_sarif(report)
        case Format.JUNIT:
            return as_junit.as_junit(report)
