"""`shopsphere images`: container images, from this machine to a registry."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from shopsphere.foundation.progress import say

app = typer.Typer(no_args_is_help=True, suggest_commands=False, help="Container images, and a registry of yours.")


@app.callback()
def about() -> None:
    """Bring images to a registry."""


@app.command()
def push(
    registry: Annotated[
        str, typer.Argument(metavar="REGISTRY", help="host, port and path, as in registry.eu.example.com/retail")
    ],
    names: Annotated[
        list[str] | None, typer.Argument(metavar="IMAGE...", help="all that clusters run of ours when none is named")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="a JSON document instead of lines for a stack file")] = False,
) -> None:
    """Build what is missing or has updates, push it, and print the digests for `shopsphere:images`.

    That of the database operator is a comment there: no stack names it.

    Credentials are those of `docker login` or `crane auth login`. It needs what `shopsphere lab images` needs.
    """
    from lab.images.ensure import build_archives  # noqa: PLC0415 - only those who build images depend on the lab
    from lab.images.push import DEPLOYED, OPERATOR, push_all  # noqa: PLC0415 - see above
    from lab.tools import program  # noqa: PLC0415 - see above
    from lab.tools.ensure import ensure_tools  # noqa: PLC0415 - see above

    ensure_tools(["crane"])
    archives = build_archives(names or DEPLOYED)
    found = push_all(archives, registry, program("crane"))
    if as_json:
        facts = [{"image": each.name, "reference": found[each.name], "sbom": str(each.sbom)} for each in archives]
        sys.stdout.write(json.dumps(facts, indent=2) + "\n")
        return
    of_stacks = {name: reference for name, reference in found.items() if name != OPERATOR}
    if of_stacks:
        sys.stdout.write("  shopsphere:images:\n")
    for name, reference in of_stacks.items():
        sys.stdout.write(f"    {name}: {reference}\n")
    if OPERATOR in found:
        sys.stdout.write("  # of no stack, but of the operator's own manifest (docs/production.md, step 2):\n")
        sys.stdout.write(f"  # {OPERATOR}: {found[OPERATOR]}\n")
    for each in archives:
        say(f"bill of materials of {each.name}: {each.sbom}")
