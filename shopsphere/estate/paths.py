"""Where Pulumi's things of this checkout and of the lab are, and what operators leave on record."""

from __future__ import annotations

import os
from pathlib import Path

from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.group_folders import make_folder
from shopsphere.foundation.paths import cache_directory, lab_directory

MACHINE_RECORDS = Path("/var/lib/shopsphere-records")


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
    `SHOPSPHERE_RECORDS`, else in one folder of this machine. All operators of a machine share it: who else is at work,
    and what is unfinished, is known from there, also while the witness is lost.
    """
    if environment is Environment.LAB:
        return lab_directory() / "runbooks"
    if named := os.environ.get("SHOPSPHERE_RECORDS"):
        return Path(named).expanduser().absolute()
    return MACHINE_RECORDS / environment / "runbooks"


def residency_directory(environment: Environment) -> Path:
    """Planted customers' words and the proofs about them: beside the records, in which those words are looked for."""
    return records_directory(environment).parent / "residency"


def require_records_directory(environment: Environment) -> Path:
    """Return the folder of the records, made if it was missing.

    Raises:
        ShopSphereError: this user cannot write there.
    """
    folder = records_directory(environment)
    try:
        make_folder(folder)
    except OSError as error:
        raise _no_records(folder, error.strerror or str(error)) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _no_records(folder, "no right to write")
    return folder


def _no_records(folder: Path, found: str) -> ShopSphereError:
    return ShopSphereError.build(
        "records of runs cannot be kept",
        expected=f"the folder {folder}, in which every operator of this machine may write",
        found=found,
        action="make it for a group of all operators, or name another one that they share in SHOPSPHERE_RECORDS",
    )
