"""Where the lab's operator keeps what belongs to an archive: authority, public key, secrets of its accounts.

For an owner's own archive all of this is configuration: stack files name the public key and hold the secrets, and the
restorers keep their private key themselves.
"""

from __future__ import annotations

from pathlib import Path

from shopsphere.foundation.paths import lab_directory
from shopsphere.topology import Topology

AUTHORITY_FILE = "ca.crt"
RECIPIENT_FILE = "restorers.pub"
"""age's public key of those who may restore."""
IDENTITY_FILE = "restorers.key"
"""Their private key. It is on the operator's machine only: at no site, and not at the archive's host."""
READER = "operator"
"""The account that reads and lists every bucket of an archive."""
OWNER = "owner"
"""The archive's own account, which may delete; it is on the archive's host only, and no site has it."""
OWNER_FILE = "owner.secret"


def lab_archive_folder(jurisdiction: str) -> Path:
    """Return the folder of a jurisdiction's archive, in the lab."""
    return lab_directory() / "pki" / f"archive-{jurisdiction}"


def archive_keys_folder(topology: Topology, site: str) -> Path:
    """Return the folder of the archive of a site's jurisdiction, in the lab."""
    return lab_archive_folder(topology.jurisdiction_of(site))
