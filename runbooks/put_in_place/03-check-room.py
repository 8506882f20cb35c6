"""Every instance has room for one more database."""

from runbooks.engine import bounded
from runbooks.putting_in_place.loading import PROVEN
from runbooks.putting_in_place.replacement import REPLACE, Replacement
from runbooks.putting_in_place.room import archive_warning, mib, require_room
from shopsphere.foundation.errors import NoAnswerError

TITLE = "Check that the volumes of all instances have room for it"
SECONDS = 60
VARIANTS = frozenset({REPLACE})
_SIZE = "SELECT to_json(pg_database_size(current_database()))"
_ARCHIVE_SECONDS = 4.0
"""The archive may be away, which keeps nobody from a load."""


def check(run: Replacement) -> str:
    """Say what is needed and what there is; refuse where a volume would become too full."""
    size = int(run.held_copy.ask(_SIZE))
    room = [require_room(each, size) for each in run.instances()]
    run.remember("room", run.coming)
    return "; ".join(filter(None, (f"{mib(size)} MiB are needed", *room, _warning(run, size))))


def verify(run: Replacement) -> bool:
    """There was, in this run, or it is loaded already."""
    return run.recall("room") == run.coming or run.has_come_to(PROVEN)


def _warning(run: Replacement, size: int) -> str:
    asked = bounded.start(run.access.backups, name="the archive")
    try:
        backups = bounded.answer_of(asked, what="the archive", seconds=_ARCHIVE_SECONDS)
    except NoAnswerError:
        return "warning: the archive does not answer"
    active = run.access.witness.see().require_record(run.pair.name).active
    return archive_warning([each for each in backups if (each.database, each.site) == (run.live, active)], size)
