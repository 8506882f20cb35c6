"""Every instance has room for one more database."""

from runbooks.putting_in_place.loading import PROVEN
from runbooks.putting_in_place.replacement import REPLACE, Replacement
from runbooks.putting_in_place.room import archive_warning, mib, require_room

TITLE = "Check that the volumes of all instances have room for it"
SECONDS = 60
VARIANTS = frozenset({REPLACE})
_SIZE = "SELECT to_json(pg_database_size(current_database()))"


def check(run: Replacement) -> str:
    """Say what is needed and what there is; refuse where a volume would become too full."""
    size = int(run.held_copy.ask(_SIZE))
    room = [require_room(each, size) for each in run.instances()]
    active = run.require_steady().active
    backups = [each for each in run.access.backups() if each.database == run.live and each.site == active]
    warned = archive_warning(backups, size)
    return "; ".join(filter(None, (f"{mib(size)} MiB are needed", *room, warned)))


def verify(run: Replacement) -> bool:
    """There is, or it is loaded already."""
    return run.has_come_to(PROVEN) or bool(check(run))
