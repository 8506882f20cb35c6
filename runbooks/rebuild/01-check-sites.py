"""The site to rebuild is not the active one, and the active one is there to copy from."""

from runbooks.change import RoleChange
from runbooks.copies import what_is_wrong
from runbooks.engine.errors import BlockedError
from runbooks.free_volume import lacks_free_volume, require_free_volume
from runbooks.rewinding.rewind import failed, wants_rewind
from runbooks.site_database import SiteDatabase

TITLE = "Check both sites, and that each database has a free volume"
SECONDS = 20


def check(change: RoleChange) -> str:
    """Say what would be copied; refuse what would destroy the active site or has no room."""
    record = change.ask_witness()
    if record.active != change.source:
        raise BlockedError.because(
            f"{change.target} is active in epoch {record.epoch}", action="rebuild the other site, or fail over first"
        )
    if any(change.at_source(SiteDatabase.is_standby)):
        raise BlockedError.because(
            f"a database of {change.source} takes no writes", action=f"`shopsphere status {change.source}`"
        )
    rewound = [name for name in change.at_target(lambda database: _rewound_or_replaced(change, database)) if name]
    if rewound:
        return (
            f"{change.target} follows {change.source} again: {' and '.join(sorted(rewound))} by a rewind "
            "(--whole copies anew); what else is no whole copy is copied, and its old volume kept"
        )
    return (
        f"{change.target} gets a whole copy of both databases of {change.source}; its old volumes are kept as they are"
    )


def verify(change: RoleChange) -> bool:
    """What `check` says holds."""
    check(change)
    return True


def _rewound_or_replaced(change: RoleChange, database: SiteDatabase) -> str:
    """Name a database that can be rewound, and say where it could not be copied after that; others need a volume."""
    document = database.document()
    if wants_rewind(change, database):
        if lacks_free_volume(change, database, document):
            return (
                f"{database.name} (WITHOUT A FREE VOLUME: if its rewind fails, it can neither start nor be copied "
                "until there is one, docs/failover.md, “A volume is freed”)"
            )
        return database.name
    if failed(change, database, document) or what_is_wrong(change, database, document):
        require_free_volume(change, database, document)
    return ""
