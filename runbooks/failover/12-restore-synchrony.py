"""The ledger waits for the other site again before it acknowledges; the used promotion tokens go."""

from components.databases import LEDGER, DatabaseModel, synchronous_with
from runbooks.change import PLANNED, RoleChange
from runbooks.databases import follower_state
from runbooks.witness import Sync

TITLE = "Make the ledger synchronous to the other site again"
SECONDS = 60
VARIANTS = frozenset({PLANNED})


def check(change: RoleChange) -> str:
    """Say what is switched on."""
    return f"ledger acknowledges only what {change.source} has too; then the witness says so"


def act(change: RoleChange) -> None:
    """Switch it on at the database; the agent tells the witness when it has seen it there."""
    change.each_database(lambda database: _settle(change, database))


def verify(change: RoleChange) -> bool:
    """The database says `sync`, and so does the witness."""
    return follower_state(change, LEDGER) == "sync" and change.see()[1].sync is Sync.ON


def _settle(change: RoleChange, database: DatabaseModel) -> None:
    spec: dict[str, object] = {"replica": {"promotionToken": None}}
    if database is LEDGER:
        spec["postgresql"] = {"synchronous": synchronous_with(database.cluster(change.source))}
    change.patch(change.target, database, {"spec": spec})
