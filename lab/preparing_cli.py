"""`shopsphere lab prepare|packages|tools|images`: what a machine needs before a lab can start."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from lab.images.build import MIB, build_archives
from lab.packages import ensure_packages
from lab.prepare import prepare as prepare_machine
from lab.tools.ensure import ensure_tools
from lab.tools.report import show_tools

Json = Annotated[bool, typer.Option("--json", help="for programs")]


def prepare() -> None:
    """Install system packages, build tools and images: whatever is missing."""
    prepare_machine()


def packages() -> None:
    """Install the system packages that are missing; none of them starts a service."""
    added = ensure_packages()
    sys.stdout.write(" ".join(added) + "\n" if added else "all system packages are there\n")


def tools(
    names: Annotated[list[str] | None, typer.Argument(help="all tools when none is named")] = None,
    *,
    show: Annotated[bool, typer.Option("--list", help="only show them")] = False,
    as_json: Json = False,
) -> None:
    """Take tools from PATH when their version is right, else build them once."""
    if not show:
        ensure_tools(names)
    show_tools(as_json=as_json)


def images(
    names: Annotated[list[str] | None, typer.Argument(help="all images when none is named")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Build the container images that are missing or outdated."""
    archives = build_archives(names)
    if as_json:
        facts = [
            {
                "image": archive.reference,
                "archive": str(archive.path),
                "digest": f"sha256:{archive.digest}",
                "unpacked_bytes": archive.unpacked_bytes,
                "packages": archive.packages,
            }
            for archive in archives
        ]
        sys.stdout.write(json.dumps(facts, indent=2) + "\n")
        return
    for archive in archives:
        sys.stdout.write(f"{archive.unpacked_bytes / MIB:6.0f} MiB  {archive.reference:48} {archive.path}\n")


def register(app: typer.Typer) -> None:
    """Add these verbs to the lab's."""
    for command in (prepare, packages, tools, images):
        app.command()(command)
