"""Where Pulumi's things of this checkout and of the lab are, and what operators leave on record."""

from __future__ import annotations

import os
from pathlib import Path

from shopsphere.estate.stack import Environment
from shopsphere.foundation.paths import cache_directory, lab_directory


def pulumi_home() -> Path:
    """Pulumi's plugins and credentials; in the cache, because the plugin is built once per machine."""
    return cache_directory() / "pulumi"


def pulumi_directory() -> Path:
    """The lab's Pulumi state, passphrases and stack files."""
    return lab_directory() / "pulumi"


def state_directory(jurisdiction: str) -> Path:
    """The lab's file backend of one jurisdiction."""
    return pulumi_directory() / "state" / jurisdiction


def passphrase_file(jurisdiction: str) -> Path:
    """The lab's passphrase of one jurisdiction."""
    return pulumi_directory() / "passphrases" / jurisdiction


def records_directory(environment: Environment) -> Path:
    """Journals, reports, drill records and the audit log of an environment.

    The lab's are part of the lab. Production's are kept when a lab is taken down, and belong to no lab: they are in
    `SHOPSPHERE_RECORDS`, else in the user's state folder.
    """
    if environment is Environment.LAB:
        return lab_directory() / "runbooks"
    if named := os.environ.get("SHOPSPHERE_RECORDS"):
        return Path(named)
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return state / "shopsphere" / environment / "runbooks"
