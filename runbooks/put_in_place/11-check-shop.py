"""Customers are served from it, the other site has it, and what its books say is known."""

from runbooks.databases import all_follow
from runbooks.engine.errors import BlockedError
from runbooks.putting_in_place.replacement import REPLACE, UNDO, Replacement
from runbooks.putting_in_place.room import archive_warning
from shopsphere.clients.web import takes_forms
from shopsphere.estate.kept_databases import KeptDatabase
from shopsphere.foundation.errors import ShopSphereError, one_line
from shopsphere.foundation.progress import say
from shopsphere.status import reconciliation
from shopsphere.witness import Sync

TITLE = "Fetch a page and send a form, see that the other site follows, and compare the books"
SECONDS = 1500
VARIANTS = frozenset({REPLACE, UNDO})
_ANSWER_SECONDS = 2
_DAYS = 7


def check(run: Replacement) -> str:
    """Say what is asked."""
    return f"the shop of {run.pair.name} answers and takes forms, the other site streams; books are compared and told"


def act(run: Replacement) -> None:
    """Compare the books and look at the archive: told, and no reason to stop here."""
    active = run.require_steady().active
    try:
        found = reconciliation.compare_at(run.access.cluster(active), run.pair.name, active, _DAYS)
        differing = len(found.differences) + found.orders.found
        told = f"`shopsphere reconcile {run.pair.name} --days {_DAYS}`: {differing} differences"
    except ShopSphereError as error:
        told = f"the books were not compared, so ask again: `shopsphere reconcile {run.pair.name}`: {one_line(error)}"
    backups = [each for each in run.access.backups() if each.database == run.live and each.site == active]
    kept = KeptDatabase.of(run.aside)
    for line in filter(None, (told, archive_warning(backups, 0), kept.told(run.pair.name) if kept else "")):
        say(f"         {line}")
    run.remember("books", told)


def verify(run: Replacement) -> bool:
    """The books were compared in this run, and all else is well."""
    return run.recall("books") is not None and _is_well(run)


def _is_well(run: Replacement) -> bool:
    access = run.access
    record = access.witness.see().require_record(run.pair.name)
    if not all_follow(access, record.active, run.pair.other_than(record.active)):
        raise BlockedError.because("the other site does not stream", action=f"`shopsphere ready {run.pair.name}`")
    door = access.door(access.declaration().addresses[record.active], seconds=_ANSWER_SECONDS)
    return record.sync is Sync.ON and door.page() > 0 and takes_forms(door)
