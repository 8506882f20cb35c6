"""The active site's databases shut down cleanly and become replicas; what proves their last row is kept."""

from typing import Any

from components.databases import DATABASES, DatabaseModel
from runbooks.change import PLANNED, RoleChange
from runbooks.databases import kick
from shopsphere.clock import wait_until

TITLE = "Make the active site's databases replicas"
SECONDS = 90
VARIANTS = frozenset({PLANNED})


def check(change: RoleChange) -> str:
    """Say what would be demoted."""
    documents = change.each_database(lambda database: change.database(change.source, database))
    names = ", ".join(each["metadata"]["name"] for each in documents)
    return f"{names} shut down after their last row and follow {change.target}"


def act(change: RoleChange) -> None:
    """Demote both, and remember the token of each: it names its last record."""
    change.each_database(lambda database: _demote(change, database))


def verify(change: RoleChange) -> bool:
    """Both tokens are in the journal."""
    return all(change.recall(f"token-{database.name}") for database in DATABASES) or change.moved()


def _demote(change: RoleChange, database: DatabaseModel) -> None:
    target, source = database.cluster(change.target), database.cluster(change.source)
    known = change.recall(f"before-{database.name}")
    if known is None:
        known = change.database(change.source, database).get("status", {}).get("demotionToken", "")
        change.remember(f"before-{database.name}", known)
    role = {"self": source, "primary": target, "source": target, "promotionToken": None}
    change.patch(change.source, database, {"spec": {"replica": role}})
    found: dict[str, Any] = {}

    def has_token() -> bool:
        found.update(kick(change, change.source, database))
        token = found.get("status", {}).get("demotionToken", "")
        return bool(token) and token != known

    wait_until(has_token, what=f"the demotion token of {source}", seconds=SECONDS, interval=1)
    change.remember(f"token-{database.name}", found["status"]["demotionToken"])
