"""The way to the buckets of an archive, as its owner has it on its host."""

from __future__ import annotations

from pathlib import Path

from runbooks.pruning.choosing import Keeping
from shopsphere.clients.archive import ArchiveAccess
from shopsphere.clients.owned_archive import OwnedBucket
from shopsphere.estate.archive_keys import OWNER, OWNER_FILE, lab_archive_folder
from shopsphere.estate.databases import DATABASES
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.topology import Jurisdiction

OWNER_KEYS = Path("/etc/shopsphere/archive")
"""Where an archive's host of an owner's own has what it proves itself with."""


def owned_buckets(
    jurisdiction: Jurisdiction, environment: Environment, folder: Path | None = None
) -> tuple[list[OwnedBucket], Keeping]:
    """Return the buckets of a jurisdiction, and what is to be kept in them.

    Args:
        jurisdiction: whose.
        environment: says where the owner's secret is.
        folder: where it is instead.

    Raises:
        ShopSphereError: the jurisdiction has no archive, or the secret is not here.
    """
    archive = jurisdiction.archive
    if archive is None:
        raise ShopSphereError.build(
            f"{jurisdiction.name} has no archive",
            expected=f"`archive` of jurisdiction {jurisdiction.name} in topology.yaml",
            found="nothing",
            action="add it (docs/backups.md)",
        )
    here = folder or (lab_archive_folder(jurisdiction.name) if environment is Environment.LAB else OWNER_KEYS)
    secret = here / OWNER_FILE
    if not secret.is_file():
        raise ShopSphereError.build(
            "the secret of the archive's owner is not on this machine",
            expected=f"the file {secret}: this is for the archive's own host",
            found="no such file",
            action="run it there, or name the folder with --keys (docs/backups.md)",
        )
    access = ArchiveAccess.of(archive, OWNER, secret)
    names = [database.cluster(site) for site in jurisdiction.sites for database in DATABASES]
    return [OwnedBucket(access, name) for name in names], Keeping(archive.keep_days, archive.keep_base_backups)
