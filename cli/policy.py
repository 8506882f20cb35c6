"""`shopsphere policy`: judge what is declared, and print what API servers enforce of it."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.common import Of
from shopsphere.deploy.filling_in import topology_for
from shopsphere.estate.cluster_role import Role
from shopsphere.estate.stack import EVERYTHING, Environment, check_target, site_stack
from shopsphere.foundation.columns import terminal
from shopsphere.foundation.errors import UsageError
from shopsphere.foundation.progress import say
from shopsphere.topology import Topology
from shopsphere.topology.completion import completing, sites, targets

if TYPE_CHECKING:
    from policies.fleet.check import Report

app = typer.Typer(no_args_is_help=True, suggest_commands=False, help="The policies, without Pulumi's engine.")


Site = Annotated[
    str, typer.Argument(metavar="SITE", help="whose API server", show_default=False, autocompletion=completing(sites))
]


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


@app.command()
def admission(site: Site, environment: Of = Environment.LAB) -> None:
    """Print the admission policies of a site, as its stack declares them but for the labels."""
    topology = _topology_with(site, environment)
    from policies.admission.printed import site_yaml  # noqa: PLC0415 - see above

    sys.stdout.write(site_yaml(topology, site, environment))


@app.command()
def rights(
    site: Site,
    environment: Of = Environment.LAB,
    *,
    way_in: Annotated[
        bool,
        typer.Option("--namespaces", help="print what lets `up` into the stack's namespaces instead, with these"),
    ] = False,
) -> None:
    """Print the roles of agents and programs at a site's API server, for the owner of the cluster to apply."""
    topology = _topology_with(site, environment)
    from policies.admission.printed import rights_yaml, way_in_yaml  # noqa: PLC0415 - see above

    sys.stdout.write(way_in_yaml(topology, site, environment) if way_in else rights_yaml(topology, site, environment))


@app.command()
def certificate(
    site: Site,
    environment: Of = Environment.LAB,
    *,
    role: Annotated[Role, typer.Option(help="whose, as the site's stack file names its kubeconfig")],
    signed: Annotated[
        Path | None, typer.Option(metavar="FILE", help="what the cluster has signed: goes into the kubeconfig")
    ] = None,
) -> None:
    """Renew the certificate of a role at a site's API server: print what the cluster's owner types, then take it."""
    topology = _topology_with(site, environment)
    # The clients take a second to import, so only this verb does.
    from shopsphere.clients.role_renewal import RoleLogin  # noqa: PLC0415 - see above
    from shopsphere.estate.access import site_access  # noqa: PLC0415 - see above

    stack = site_stack(topology, site, environment)
    login = RoleLogin.of(site_access(stack), stack.label, role)
    if signed:
        say(f"{site}: the certificate of {role} ends {login.take(signed):%Y-%m-%d} now; restart what runs with it")
        return
    sys.stdout.write(login.typed())
    say(f"the owner of {site}'s cluster types that; the new key waits in {login.new_key}")
    say(f"then: shopsphere policy certificate {site} --role {role} --environment {environment} --signed FILE")


@app.command()
def guard(
    users: Annotated[
        list[str],
        typer.Argument(
            metavar="USER...", help="who may change admission, as the API server names them", show_default=False
        ),
    ],
    *,
    directory: Annotated[
        Path | None,
        typer.Option(
            "--configuration",
            metavar="FOLDER",
            help="print the file for --admission-control-config-file instead; FOLDER is where the guard's file is",
        ),
    ] = None,
) -> None:
    """Print the file with which an API server lets nobody but USER change its admission policies."""
    from policies.admission.printed import configuration_yaml, guard_yaml  # noqa: PLC0415 - see above

    if empty := [each for each in users if not each.strip()]:
        raise UsageError.build("a user without a name", expected="names", found=repr(empty[0]), action="give one")
    if directory is not None and not directory.is_absolute():
        raise UsageError.build(
            "the API server cannot find the guard's file",
            expected="an absolute path of its folder",
            found=str(directory),
            action="--configuration /etc/kubernetes/admission, or where else you put it",
        )
    sys.stdout.write(guard_yaml(users) if directory is None else configuration_yaml(directory))


def _topology_with(site: str, environment: Environment) -> Topology:
    """Return the environment's topology.

    Raises:
        UsageError: it has no such site.
    """
    topology = topology_for(site, environment)
    if site not in topology.sites:
        raise UsageError.build(
            f"there is no site {site!r}",
            expected=", ".join(topology.sites),
            found=repr(site),
            action="name one of these",
        )
    return topology


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
