"""Both databases stream from the active site."""

import time
from contextlib import suppress

from runbooks.change import RoleChange
from runbooks.databases import all_follow, checkpoint
from runbooks.site_database import SiteDatabase
from shopsphere.foundation.errors import ShopSphereError

TITLE = "Wait until both databases are copied and stream"
SECONDS = 420
_HURRY_SECONDS, _PAUSE = 60.0, 3.0


def check(change: RoleChange) -> str:
    """Say who streams from whom."""
    return f"{change.target} streams both databases from {change.source}"


def act(change: RoleChange) -> None:
    """Ask for checkpoints until the copies have had theirs; the operator of the site copies."""
    end = time.monotonic() + _HURRY_SECONDS
    while time.monotonic() < end and not _follow(change):
        change.at_source(_hurry)
        time.sleep(_PAUSE)


def verify(change: RoleChange) -> bool:
    """Both stream."""
    return all_follow(change.access, change.source, change.target)


def _follow(change: RoleChange) -> bool:
    with suppress(ShopSphereError):
        return all_follow(change.access, change.source, change.target)
    return False


def _hurry(database: SiteDatabase) -> None:
    with suppress(ShopSphereError):
        checkpoint(database)
