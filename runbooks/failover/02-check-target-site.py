"""The site that would become active answers, has both databases, and what would be lost is known and allowed."""

from components.databases import DATABASES
from runbooks.agent.databases import follows
from runbooks.change import PLANNED, RoleChange
from runbooks.databases import instance
from runbooks.engine.errors import BlockedError
from runbooks.witness import Sync

TITLE = "Look at the site that would become active, and at what would be lost"
SECONDS = 15


def check(change: RoleChange) -> str:
    """Say what would be lost; refuse what is not allowed."""
    _, record = change.see()
    moved = change.is_moved(record)
    documents = change.each_database(lambda database: change.database(change.target, database))
    away = [each["metadata"]["name"] for each in documents if not each.get("status", {}).get("readyInstances")]
    if away and not moved:
        raise BlockedError.because(
            f"{', '.join(away)}: no instance is ready at {change.target}",
            action=f"`shopsphere status {change.target}` says why; without it there is nothing to promote",
        )
    writing = [each["metadata"]["name"] for each in documents if not follows(each)]
    if writing and not moved:
        raise BlockedError.because(
            f"{', '.join(writing)} at {change.target} does not follow {change.source}",
            action=f"`shopsphere rebuild {change.target}` makes it a replica again",
        )
    if change.variant == PLANNED:
        if not moved:
            _require_leader(change)
        return f"{change.target} follows with {len(documents)} databases; nothing is lost: it waits for the last row"
    if record.sync is Sync.OFF and not change.accept_data_loss and not moved:
        raise BlockedError.because(
            f"the witness says that payments were acknowledged without {change.target} (sync off: {record.reason})",
            action="bring the other site back, or repeat with --accept-data-loss",
        )
    ledger = "payments: nothing" if record.sync is Sync.ON else "PAYMENTS: perhaps some, and that is accepted"
    return f"{change.target} follows with {len(documents)} databases; lost would be {ledger}; orders: the last moments"


def _require_leader(change: RoleChange) -> None:
    if any(change.recall(f"before-{database.name}") is not None for database in DATABASES):  # "" for the first time
        return  # this run has demoted them
    if all(change.each_database(lambda database: instance(change, change.source, database)["in_recovery"])):
        raise BlockedError.because(
            f"no database of {change.source} takes writes: the change that made it active was not finished",
            action=f"`shopsphere failover {change.pair.name} --unplanned --to {change.source}` finishes it",
        )


def act(change: RoleChange) -> None:
    """Nothing: looking is all."""


def verify(change: RoleChange) -> bool:
    """What `check` says holds."""
    check(change)
    return True
