"""`shopsphere lab prepare|packages|tools|images`: what a machine needs before a lab can start."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from lab.images.ensure import build_archives, choose
from lab.images.report import show_images
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
    show: Annotated[bool, typer.Option("--list", help="only show them, with what is known about updates")] = False,
    refresh: Annotated[bool, typer.Option("--refresh", help="look for updates of packages now")] = False,
    as_json: Json = False,
) -> None:
    """Build the container images that are missing or outdated, and show them with their bills of materials."""
    if not show:
        build_archives(names, refresh=refresh)
    show_images(choose(names), as_json=as_json)


def register(app: typer.Typer) -> None:
    """Add these verbs to the lab's."""
    for command in (prepare, packages, tools, images):
        app.command()(command)
