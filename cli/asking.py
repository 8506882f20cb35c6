"""Asking the person at the terminal before something is changed."""

from __future__ import annotations

import sys

import typer

from shopsphere.foundation.errors import ShopSphereError, UsageError


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
        ShopSphereError: the answer is no.
    """
    if not typer.confirm(question, default=False, err=True):
        raise ShopSphereError("nothing was changed")
