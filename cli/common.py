"""Arguments that verbs share."""

from __future__ import annotations

from typing import Annotated

import typer

from shopsphere.estate.stack import Environment
from shopsphere.topology.completion import completing, targets

Target = Annotated[
    str,
    typer.Argument(
        metavar="TARGET",
        help="a region (a pair or hq), a site, edge or all",
        show_default=False,
        autocompletion=completing(targets),
    ),
]
In = Annotated[Environment, typer.Option("--environment", "-e", help="where the stacks' resources live")]
Refresh = Annotated[
    bool, typer.Option("--refresh", help="first read the real state of the resources, so that drift counts as a change")
]
