"""`python -m lab.archive_keeper JURISDICTION`: makes an archive's accounts and buckets, then looks after what is kept.

An owner of an archive does the same with the tools of that archive (docs/backups.md).
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime

from lab.archive import ADMINISTRATION_PORT, archive_folder, buckets_of
from lab.archive_accounts import ArchiveAccounts
from lab.hosts import archive_host
from runbooks.pruning.owner import owned_buckets
from runbooks.pruning.pruning import prune_all
from shopsphere.estate.archive_keys import AUTHORITY_FILE, OWNER, OWNER_FILE, READER
from shopsphere.estate.stack import Environment
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.errors import ShopSphereError, told
from shopsphere.foundation.files import secret_in
from shopsphere.topology import ARCHIVE_PORT, Jurisdiction, load_topology

START_SECONDS = 120
ROUND_SECONDS = 3600


def main(jurisdiction: str) -> None:
    """Make what is missing, and look again every hour.

    Raises:
        ShopSphereError: the archive does not answer.
    """
    own = load_topology(environment="lab").jurisdictions[jurisdiction]
    if own.archive is None:
        raise ShopSphereError(f"{jurisdiction} has no archive")
    folder = archive_folder(archive_host(jurisdiction))
    accounts = ArchiveAccounts(
        f"https://{own.archive.address}:{ARCHIVE_PORT}",
        f"https://127.0.0.1:{ADMINISTRATION_PORT}",
        folder / AUTHORITY_FILE,
        OWNER,
        secret_in(folder / OWNER_FILE),
    )
    wait_until(accounts.answers, what="the archive", seconds=START_SECONDS)
    while True:
        accounts.ensure_account(READER, secret_in(folder / f"{READER}.secret"))
        for bucket in buckets_of(own.sites):
            accounts.ensure_account(bucket, secret_in(folder / f"{bucket}.secret"))
            accounts.ensure_bucket(bucket, readers=[READER])
        remove_old(own)
        time.sleep(ROUND_SECONDS)


def remove_old(jurisdiction: Jurisdiction) -> None:
    """Remove what `shopsphere prune-backups` would; what keeps it from that is said, and tried again with the rest."""
    try:
        for line in prune_all(*owned_buckets(jurisdiction, Environment.LAB), datetime.now(UTC), execute=True):
            sys.stdout.write(f"{line}\n")
    except Exception as error:  # noqa: BLE001 - accounts and buckets are looked after whatever a bucket holds
        sys.stdout.write(f"{error if isinstance(error, ShopSphereError) else told(error)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
