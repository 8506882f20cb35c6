"""The active site's databases shut down cleanly and become replicas; the other site receives their last record."""

from runbooks.change import PLANNED, RoleChange
from runbooks.databases import EndOfStream, await_last_record, begin_demotion, has_received, kick
from shopsphere.estate.databases import DATABASES, DatabaseModel
from shopsphere.foundation.clock import wait_until

TITLE = "Make the active site's databases replicas"
SECONDS = 90
_RECEIPT_SECONDS = 30
_LOOK_EVERY = 0.1  # each look waits in the pod

VARIANTS = frozenset({PLANNED})


def check(change: RoleChange) -> str:
    """Say what would be demoted."""
    documents = change.each_database(lambda database: change.database(change.source, database))
    names = ", ".join(each["metadata"]["name"] for each in documents)
    return f"{names} shut down after their last row, which {change.target} receives, and follow it"


def act(change: RoleChange) -> None:
    """Demote both, and wait until the other site has the last record of each; until then all can be taken back."""
    change.each_database(lambda database: _hand_over(change, database))


def verify(change: RoleChange) -> bool:
    """Both last records have arrived, as the journal says, or the change is past it."""
    arrived = all(change.recall(f"received-{database.name}") for database in DATABASES)
    return arrived or change.is_moved(change.last_seen()[1])


def _hand_over(change: RoleChange, database: DatabaseModel) -> None:
    stream = EndOfStream(change, database)
    if not change.recall(f"last-{database.name}"):
        _demote(change, database)
    location, own = str(change.recall(f"last-{database.name}")), database.cluster(change.target)
    wait_until(
        lambda: stream.is_beyond(location) or has_received(change, database, location),
        what=f"{own} to have the old site's last record; without that site: repeat with --unplanned",
        seconds=_RECEIPT_SECONDS,
        interval=_LOOK_EVERY,
    )
    change.remember(f"received-{database.name}", value=True)


def _demote(change: RoleChange, database: DatabaseModel) -> None:
    own, document = database.cluster(change.source), change.database(change.source, database)
    known = change.recall(f"before-{database.name}")
    if known is None:
        known = document.get("status", {}).get("demotionToken", "")
        change.remember(f"before-{database.name}", known)
    begin_demotion(change, database, document)
    last = ""

    def has_ended() -> bool:
        nonlocal last
        last = await_last_record(change, database, before=known)
        if not last:
            kick(change, change.source, database)
        return bool(last)

    wait_until(has_ended, what=f"{own} to have ended as a primary", seconds=SECONDS, interval=_LOOK_EVERY)
    change.remember(f"last-{database.name}", last)
