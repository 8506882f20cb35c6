"""A copy that has what the active site lacks gives it up and follows again; what it gave up stays on its volume."""

from __future__ import annotations

from runbooks.change import RoleChange
from runbooks.rewinding.program import FOLDER
from runbooks.rewinding.rewind import FOLLOW_SECONDS, REWIND_SECONDS, given_up, others_to_rewind, rewind, wants_rewind
from runbooks.site_database import SiteDatabase

TITLE = "Rewind the databases that have what the active site lacks"
SECONDS = int(2 * REWIND_SECONDS + 2 * FOLLOW_SECONDS)


def check(change: RoleChange) -> str:
    """Say what each would give up; refuse where that may be the only copy of a payment."""
    if change.whole:
        return "nothing is rewound: a whole copy was asked for"
    found = [said for each in change.at_target(lambda database: given_up(change, database)) for said in each]
    kept = f"; kept in {FOLDER}/ beside the data" if found else ""
    return f"rewound at {change.target}: {'; '.join(found) or 'nothing'}{kept}"


def act(change: RoleChange) -> None:
    """Rewind each; one that cannot be rewound is copied anew by the next step."""
    change.at_target(lambda database: rewind(change, database))


def verify(change: RoleChange) -> bool:
    """None has to be rewound, or it was tried."""
    return not any(change.at_target(lambda database: _is_left(change, database)))


def _is_left(change: RoleChange, database: SiteDatabase) -> bool:
    return bool(wants_rewind(change, database) or others_to_rewind(change, database))
