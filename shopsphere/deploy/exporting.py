"""What a stack's state says, read in one process and never written anywhere."""

from __future__ import annotations

import json
from typing import Any

from shopsphere.deploy.environment import variables
from shopsphere.deploy.programs import find_program
from shopsphere.estate.stack import StackId
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.process import run

EXPORT_SECONDS = 60.0
"""Bound on the export (s): on an idle machine it takes two."""


class ExportError(ShopSphereError):
    """A stack's state cannot be read."""


def exported_state(stack: StackId) -> dict[str, Any]:
    """Return a stack's state with its secrets in the clear; it takes no lock, and a deployment may go on meanwhile.

    The document is as sensitive as the stack's secrets: it must not leave this process.

    Raises:
        ShopSphereError: the stack, its backend or its passphrase cannot be reached.
    """
    words = ("stack", "export", "--stack", stack.name, "--show-secrets", "--non-interactive")
    done = run(
        [find_program("pulumi"), *words], cwd=stack.folder, env=variables(stack), seconds=EXPORT_SECONDS, check=False
    )
    if done.code:
        told = " ".join(done.stderr.split()[-30:])
        raise ExportError.build(
            f"{stack.label}: the state of {stack.name} cannot be read",
            expected="a stack that was deployed, and its backend and passphrase within reach",
            found=told or f"exit code {done.code}",
            action=f"`shopsphere doctor {stack.label}` says what is missing",
        )
    try:
        document: dict[str, Any] = json.loads(done.stdout)
    except ValueError as error:
        raise ExportError(f"{stack.label}: `pulumi stack export` printed no JSON") from error
    return document
