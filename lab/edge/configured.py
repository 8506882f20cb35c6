"""Programs that read a configuration once: another text is another component, so `lab up` restarts it."""

from __future__ import annotations

import hashlib
from pathlib import Path

CONFIGURATION = "SHOPSPHERE_CONFIGURATION"
"""Variable of such a program, with the digest of its configuration."""


def digest_of(*files: Path) -> dict[str, str]:
    """Return the variable for a configuration as it is now; empty before it was written for the first time."""
    if not all(file.exists() for file in files):
        return {}
    return {CONFIGURATION: hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()}
