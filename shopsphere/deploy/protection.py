"""Takes Pulumi's own protection of resources away, and puts it back; the state is all that changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from shopsphere.deploy.environment import variables
from shopsphere.deploy.programs import find_program
from shopsphere.estate.stack import StackId
from shopsphere.foundation.errors import ShopSphereError, one_line
from shopsphere.foundation.process import run

SECONDS = 120.0
"""Bound on one change of a state (s); it takes one or two."""


class ProtectionError(ShopSphereError):
    """The protection of resources could not be changed."""


def unprotect(stack: StackId, urns: Sequence[str]) -> None:
    """Let Pulumi delete and replace these resources; who repeats it changes nothing.

    A run that is killed after this leaves them without protection: the next `up` protects what the program declares,
    and a destroy that is repeated goes on.

    Raises:
        ProtectionError: the state could not be changed, or does not have them.
    """
    _change(stack, "unprotect", urns)


def protect(stack: StackId, urns: Sequence[str]) -> None:
    """Let Pulumi delete and replace these resources no more. Arguments and errors are those of `unprotect`."""
    _change(stack, "protect", urns)


@contextmanager
def unprotected(stack: StackId, urns: Sequence[str]) -> Iterator[None]:
    """Take the protection of these resources away for what follows this block; put it back where the block fails."""
    unprotect(stack, urns)
    try:
        yield
    except BaseException:
        protect(stack, urns)
        raise


def _change(stack: StackId, verb: str, urns: Sequence[str]) -> None:
    if not urns:
        return
    words = ("state", verb, *urns, "--stack", stack.name, "--yes", "--non-interactive")
    done = run([find_program("pulumi"), *words], cwd=stack.folder, env=variables(stack), seconds=SECONDS, check=False)
    if done.code:
        raise ProtectionError.build(
            f"{stack.label}: `pulumi state {verb}` failed",
            expected=f"{len(urns)} resources of {stack.name} that it can {verb}",
            found=one_line(done.stderr)[-300:] or f"exit code {done.code}",
            action="look at the stack with `pulumi stack export`, then repeat",
        )
