"""A database that is not live is gone."""

from runbooks.engine.errors import BlockedError
from runbooks.putting_in_place.replacement import DROP, Replacement
from runbooks.putting_in_place.room import mib
from shopsphere.clients.questions import ADMINISTRATION
from shopsphere.estate.kept_databases import KeptDatabase

TITLE = "Remove a database that was kept beside the live one"
SECONDS = 300
VARIANTS = frozenset({DROP})


def check(run: Replacement) -> str:
    """Say what goes for ever."""
    kept = KeptDatabase.of(run.coming)
    if kept is None or kept.database != run.live:
        raise BlockedError.because(f"{run.coming} is none that was kept of {run.live}", action="name one that was")
    size = run.leading().databases()[run.coming].bytes
    return f"{run.coming} ({mib(size)} MiB) is removed for ever; the archive has it for as long as it keeps it"


def act(run: Replacement) -> None:
    """Drop it, at whoever leads; sessions in it end."""
    with run.alone() as lock:
        record = run.require_steady(own=True)
        run.require_lock()
        if lock:
            lock.confirm()
        run.leading_at(record.active).run(ADMINISTRATION, f'DROP DATABASE IF EXISTS "{run.coming}" WITH (FORCE)')


def verify(run: Replacement) -> bool:
    """It is gone."""
    return run.coming not in run.leading().databases()
