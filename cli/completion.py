"""`shopsphere completion`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer
from typer.completion import shell_complete

PROGRAM = "shopsphere"


class Shell(StrEnum):
    """Shells that complete verbs, options and names."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(
    context: typer.Context, shell: Annotated[Shell, typer.Argument(help="bash, zsh or fish", show_default=False)]
) -> None:
    """Print what makes the shell complete verbs and names: `eval "$(shopsphere completion bash)"` in ~/.bashrc."""
    variable = f"_{PROGRAM}_COMPLETE".upper()
    shell_complete(context.find_root().command, {}, PROGRAM, variable, f"source_{shell}")
