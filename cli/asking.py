"""Asking the person at the terminal before something is changed."""

from __future__ import annotations

import sys

import click
import typer

from shopsphere.foundation.errors import ShopSphereError, UsageError
from shopsphere.foundation.exit_code import ExitCode


class InterruptedAtQuestionError(ShopSphereError):
    """Ctrl-C came in place of an answer."""

    exit_code = ExitCode.INTERRUPTED


def is_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty()


def require_terminal(action: str, *, otherwise: str) -> None:
    """Refuse to go on where nobody can be asked.

    Args:
        action: what needs a yes.
        otherwise: what to give instead.

    Raises:
        UsageError: standard input is no terminal.
    """
    if not is_terminal():
        raise UsageError(
            f"{action} asks before it changes anything\n"
            "  expected: a terminal with somebody who answers\n"
            "  found:    standard input that is no terminal\n"
            f"  do:       {otherwise}"
        )


def require_yes(question: str) -> None:
    """Go on only after a yes; the answer to nothing is no.

    Raises:
        InterruptedAtQuestionError: somebody pressed Ctrl-C instead.
        ShopSphereError: the answer is no.
    """
    try:
        is_yes = typer.confirm(question, default=False, err=True)
    except click.Abort as error:
        # click makes one error of Ctrl-C and of an input that ended; its context tells them apart.
        if isinstance(error.__context__, KeyboardInterrupt):
            sys.stderr.write("\n")  # the terminal has put ^C behind the question
            raise InterruptedAtQuestionError("interrupted at the question; nothing was changed") from error
        raise
    if not is_yes:
        raise ShopSphereError("nothing was changed")
