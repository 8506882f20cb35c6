"""Arguments that verbs share."""

from __future__ import annotations

from typing import Annotated

import typer

from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.typed_commands import OPTION, print_for
from shopsphere.topology.completion import completing, targets


def lab_is_here() -> bool:
    """Whether the lab's network can be reached from here."""
    from lab.network.presence import is_here  # noqa: PLC0415 - only those who work on the lab depend on it

    return is_here()


def name_environment(environment: Environment) -> Environment:
    """Let what this command prints be typed as it stands: commands without an environment mean the lab."""
    print_for("" if environment is Environment.LAB else environment)
    return environment


def require_network(context: typer.Context, environment: Environment) -> Environment:
    """Let nobody ask the lab's addresses where no lab runs: whatever answers there is a stranger's.

    Raises:
        ShopSphereError: the lab is meant, and its network is not on this machine.
    """
    if context.resilient_parsing or name_environment(environment) is not Environment.LAB:
        return environment
    if not lab_is_here():
        raise ShopSphereError.build(
            "no lab runs on this machine, and nothing was asked or changed",
            expected="the lab's network, which `make up` or `shopsphere lab up REGION` starts",
            found="no such network: the lab was never started, was taken down, or went with the machine",
            action="start it, or name your own clusters with `--environment prod`",
        )
    return environment


Target = Annotated[
    str,
    typer.Argument(
        metavar="TARGET",
        help="a region (a pair or hq), a site, edge or all",
        show_default=False,
        autocompletion=completing(targets),
    ),
]
_WORDS = (OPTION, "-e")
_MEANING = "where the stacks' resources live"
In = Annotated[Environment, typer.Option(*_WORDS, help=_MEANING, callback=require_network)]
"""For verbs that ask sites, witnesses, name servers or the edge."""
Of = Annotated[Environment, typer.Option(*_WORDS, help=_MEANING, callback=name_environment)]
"""For verbs that look at files alone."""
Refresh = Annotated[
    bool, typer.Option("--refresh", help="first read the real state of the resources, so that drift counts as a change")
]
