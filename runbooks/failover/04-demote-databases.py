"""The active site's databases shut down cleanly and become replicas; what proves their last row is kept."""

from typing import Any

from components.databases import DatabaseModel
from runbooks.change import PLANNED, RoleChange
from runbooks.databases import kick
from runbooks.engine.errors import BlockedError
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
    """Demote both, and remember the token of each, without which a promotion may lose rows."""
    tokens = change.each_database(lambda database: _demote(change, database))
    journal = change.journal
    if journal is None:
        raise BlockedError.because("a demotion needs a journal", action="run it with --execute")
    for database, token in tokens:
        journal.remember(f"token-{database}", token)


def verify(change: RoleChange) -> bool:
    """Both tokens are in the journal."""
    found = change.each_database(lambda database: change.journal and change.journal.recall(f"token-{database.name}"))
    return change.moved() or all(found)


def _demote(change: RoleChange, database: DatabaseModel) -> tuple[str, str]:
    target, source = database.cluster(change.target), database.cluster(change.source)
    journal = change.journal
    document = change.database(change.source, database)
    known = journal.recall(f"before-{database.name}") if journal else None
    if known is None:
        known = document.get("status", {}).get("demotionToken", "")
        if journal:
            journal.remember(f"before-{database.name}", known)
    role = {"self": source, "primary": target, "source": target, "promotionToken": None}
    change.patch(change.source, database, {"spec": {"replica": role}})
    found: dict[str, Any] = {}

    def has_token() -> bool:
        found.update(kick(change, change.source, database))
        token = found.get("status", {}).get("demotionToken", "")
        return bool(token) and token != known

    wait_until(has_token, what=f"the demotion token of {source}", seconds=SECONDS, interval=1)
    return database.name, found["status"]["demotionToken"]
