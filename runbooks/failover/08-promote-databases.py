"""The databases of the site that is active now take writes, on a new timeline."""

from typing import Any

from components.databases import DatabaseModel
from runbooks.change import PLANNED, RoleChange
from runbooks.databases import kick, takes_writes

TITLE = "Promote the databases of the site that is active now"
SECONDS = 60


def check(change: RoleChange) -> str:
    """Say how."""
    how = "after the last row of the old site (promotion token)" if change.variant == PLANNED else "with what they have"
    return f"both databases of {change.target} are promoted {how}"


def act(change: RoleChange) -> None:
    """Promote both at once; a database that takes writes already is left alone."""
    change.each_database(lambda database: _promote(change, database))


def verify(change: RoleChange) -> bool:
    """Both take writes."""
    return all(change.each_database(lambda database: takes_writes(change, database)))


def _promote(change: RoleChange, database: DatabaseModel) -> None:
    own, other = database.cluster(change.target), database.cluster(change.source)
    token = change.journal.recall(f"token-{database.name}") if change.journal and change.variant == PLANNED else None
    role: dict[str, Any] = {"self": own, "primary": own, "source": other, "promotionToken": token}
    # Its first write must not wait for a peer that may be dead.
    change.patch(change.target, database, {"spec": {"replica": role, "postgresql": {"synchronous": None}}})
    if token:
        kick(change, change.target, database)
