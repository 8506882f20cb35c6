"""The archive of a jurisdiction: object storage for its databases' backups, on a host outside both sites.

What its collectors and operators need to reach it lies beside the lab's other keys: `pki/archive-<jurisdiction>/`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lab.component import Component
from lab.own_program import own_program
from lab.paths import disk_directory, pki_directory
from shopsphere.estate.archive_keys import IDENTITY_FILE, OWNER, OWNER_FILE, READER, RECIPIENT_FILE
from shopsphere.estate.databases import DATABASES
from shopsphere.foundation.certificates import KeyPair, issue, new_authority
from shopsphere.foundation.files import secret_in, write_whole
from shopsphere.foundation.paths import tools_directory
from shopsphere.foundation.process import run
from shopsphere.topology import ARCHIVE_PORT, Archive, Jurisdiction

ADMINISTRATION_PORT = 8444
"""Where accounts and buckets are managed; on loopback, so that only programs of the host itself reach it."""
MOST_CONNECTIONS = 512  # two databases at two sites, each with a handful; the rest is room for a restore
MOST_REQUESTS = 128  # each holds up to a MiB of what it passes on
_PRIVATE, _SECRET = 0o700, 0o600


def prepare_keys(host: str, sites: Iterable[str]) -> None:
    """Make the secrets of the accounts of an archive, and the restorers' key pair; what is there stays.

    Raises:
        CommandError: age is missing.
    """
    folder = archive_folder(host)
    folder.mkdir(parents=True, exist_ok=True)
    for name in (READER, *buckets_of(sites)):
        secret_in(folder / f"{name}.secret")
    identity, recipient = folder / IDENTITY_FILE, folder / RECIPIENT_FILE
    if not identity.exists():
        write_whole(identity, run(["age-keygen"]).stdout, mode=_SECRET)
    if not recipient.exists():
        write_whole(recipient, run(["age-keygen", "-y", identity]).stdout)


def buckets_of(sites: Iterable[str]) -> list[str]:
    """Return the buckets of an archive, and the names of the accounts that write them."""
    return [database.cluster(site) for site in sites for database in DATABASES]


def keeper_component(jurisdiction: Jurisdiction) -> Component:
    """Return the program that makes the archive's accounts and buckets and looks after what is kept.

    It runs on the archive's host, because that is where the archive is managed from.
    """
    return own_program(
        "archive-keeper",
        "lab.archive_keeper",
        jurisdiction.name,
        packages=("lab", "runbooks", "shopsphere"),
        priority=200,
    )


def archive_folder(host: str) -> Path:
    """Return where what an archive needs to prove who it is lies: its certificate and the owner's secret."""
    return pki_directory() / host


def prepare_archive(host: str, archive: Archive) -> KeyPair:
    """Make the archive's authority, certificate, owner's secret and folders; what is there stays.

    Each archive has an authority of its own: whoever holds the one of another jurisdiction cannot be this one.

    Returns:
        the archive's certificate and key.
    """
    folder = archive_folder(host)
    authority = new_authority(folder, f"ShopSphere lab authority of {host}")
    served = KeyPair(folder / "tls.crt", folder / "tls.key")
    issue(authority, served, common_name=host, alternatives=(host, str(archive.address), "127.0.0.1"))
    secret_in(folder / OWNER_FILE)
    for name in ("store", "versions", "accounts"):
        place = disk_directory(host) / name
        place.mkdir(parents=True, exist_ok=True)
        place.chmod(_PRIVATE)
    return served


def archive_component(host: str, archive: Archive) -> Component:
    """Return the gateway of an archive, and make what it starts with.

    What is deleted or overwritten in a bucket with versioning stays in `versions`, which no account of a site reaches.
    """
    served = prepare_archive(host, archive)
    disk = disk_directory(host)
    command = (
        # The secret goes from its file into the gateway's environment: arguments are seen by every process.
        *(
            "/bin/sh",
            "-c",
            'ROOT_SECRET_ACCESS_KEY="$(cat "$0")" exec "$@"',
            str(archive_folder(host) / OWNER_FILE),
        ),
        str(tools_directory() / "versitygw"),
        f"--access={OWNER}",
        f"--port={archive.address}:{ARCHIVE_PORT}",
        f"--cert={served.certificate}",
        f"--key={served.key}",
        f"--admin-port=127.0.0.1:{ADMINISTRATION_PORT}",
        f"--admin-cert={served.certificate}",
        f"--admin-cert-key={served.key}",
        f"--iam-dir={disk / 'accounts'}",
        f"--max-connections={MOST_CONNECTIONS}",
        f"--max-requests={MOST_REQUESTS}",
        "--quiet",
        "--access-log=stdout",  # who asked, for what, and what was answered, refusals too
        "posix",
        "--dir-perms=0700",
        "--file-perms=0600",
        f"--versioning-dir={disk / 'versions'}",
        str(disk / "store"),
    )
    # Go gives memory back before it passes this; the gateway rests at 30 MB.
    return Component("archive", command, {"GOMEMLIMIT": "192MiB"})
