"""The active site's databases shut down cleanly and become replicas; where their last record lies is kept."""

from contextlib import suppress
from itertools import count

from components.databases import DATABASES, DatabaseModel
from runbooks.change import PLANNED, RoleChange
from runbooks.databases import kick, last_record_of
from shopsphere.clock import wait_until
from shopsphere.errors import ShopSphereError

TITLE = "Make the active site's databases replicas"
SECONDS = 90
LOOK_EVERY = 0.2
KICK_EVERY = 5  # looks

VARIANTS = frozenset({PLANNED})


def check(change: RoleChange) -> str:
    """Say what would be demoted."""
    documents = change.each_database(lambda database: change.database(change.source, database))
    names = ", ".join(each["metadata"]["name"] for each in documents)
    return f"{names} shut down after their last row and follow {change.target}"


def act(change: RoleChange) -> None:
    """Demote both, and remember the last record of each."""
    change.each_database(lambda database: _demote(change, database))


def verify(change: RoleChange) -> bool:
    """Both last records are in the journal."""
    return all(change.recall(f"last-{database.name}") for database in DATABASES) or change.moved()


def _demote(change: RoleChange, database: DatabaseModel) -> None:
    target, source = database.cluster(change.target), database.cluster(change.source)
    known = change.recall(f"before-{database.name}")
    if known is None:
        known = change.database(change.source, database).get("status", {}).get("demotionToken", "")
        change.remember(f"before-{database.name}", known)
    role = {"self": source, "primary": target, "source": target, "promotionToken": None}
    change.patch(change.source, database, {"spec": {"replica": role}})
    last, looks = "", count(1)

    def has_ended() -> bool:
        nonlocal last
        # CloudNativePG waits for a change of the cluster, for half a minute if need be, to go on from there. More
        # changes than these would only collide with its own.
        with suppress(ShopSphereError):  # what does not answer while it restarts is asked again
            if next(looks) % KICK_EVERY == 0:
                kick(change, change.source, database)
            last = last_record_of(change, database, before=known)
        return bool(last)

    wait_until(has_ended, what=f"{source} to have ended as a primary", seconds=SECONDS, interval=LOOK_EVERY)
    change.remember(f"last-{database.name}", last)
    kick(change, change.source, database)  # it waits 10 s otherwise before it starts the replica
