"""Our own command line, as an operator gives it."""

import os
import subprocess
import time
from collections.abc import Mapping

from shopsphere.foundation.paths import REPOSITORY

SHOPSPHERE = str(REPOSITORY / ".venv/bin/shopsphere")


class CommandFailedError(Exception):
    """A command of ours ended with another code than 0; carries what it said."""


def shopsphere(
    *words: str,
    seconds: float = 600,
    environment: Mapping[str, str] | None = None,
    check: bool = True,
) -> tuple[int, str, float]:
    """Run our own command line; returns (exit code, what it said, seconds it took)."""
    began = time.monotonic()
    done = subprocess.run(
        [SHOPSPHERE, *words], capture_output=True, text=True, check=False, timeout=seconds,
        env={**os.environ, **(environment or {})},
    )  # fmt: skip
    if check and done.returncode:
        raise CommandFailedError(f"{' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.returncode, done.stdout + done.stderr, time.monotonic() - began
