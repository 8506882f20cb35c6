"""The site that would become active answers, has both databases, and what would be lost is known and allowed.

In a planned move its databases also have to hear of their promotion at once: after a demotion they do not for a while,
and it is better waited for here than by customers.
"""

from functools import partial

from runbooks.change import PLANNED, RoleChange
from runbooks.databases import HEARS_AFTER, hears
from runbooks.engine.errors import BlockedError
from runbooks.project_secrets import secrets_of
from runbooks.readiness.p04_secrets import hashes_of, judge_equal, required_by
from runbooks.site_database import SiteDatabase
from shopsphere.clients.cluster import PART_OF, Document
from shopsphere.clients.postgres import ALL_FENCED, fenced_instances, follows, leading_pod
from shopsphere.estate.databases import DATABASES
from shopsphere.foundation.finding import Verdict
from shopsphere.witness import Sync

TITLE = "Check the site that would become active, and what would be lost"
SECONDS = 15 + HEARS_AFTER


def check(change: RoleChange) -> str:
    """Say what would be lost, and whether is waited first; refuse what is not allowed."""
    found = _look(change)
    if _has_to_hear(change) and not all(change.at_target(lambda database: hears(database, seconds=0))):
        found += f"; first it is waited, at most {HEARS_AFTER} s, until its databases are ready to be promoted at once"
    return found


def _look(change: RoleChange) -> str:
    record = change.ask_witness()
    moved = change.is_made_in(record)
    documents = change.at_target(SiteDatabase.document)
    if not moved:
        _require_no_fence(change, documents)
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
        if not moved and not _has_begun(change):
            _require_leader(change)
            _require_equal_secrets(change)
        return f"{change.target} follows with {len(documents)} databases; nothing is lost: it waits for the last row"
    if record.sync is Sync.OFF and not change.accept_data_loss and not moved:
        raise BlockedError.because(
            f"the witness says that payments were acknowledged without {change.target} (sync off: {record.reason})",
            action="bring the other site back, or repeat with --accept-data-loss",
        )
    ledger = "payments: nothing" if record.sync is Sync.ON else "PAYMENTS: perhaps some, and that is accepted"
    return f"{change.target} follows with {len(documents)} databases; lost would be {ledger}; orders: the last moments"


def _require_no_fence(change: RoleChange, documents: list[Document]) -> None:
    """Refuse a copy that nobody may start: a rewind that stopped on its way has left the data neither old nor new."""
    for each in documents:
        fenced = fenced_instances(each)
        if ALL_FENCED in fenced or leading_pod(each) in fenced:
            name = each["metadata"]["name"]
            raise BlockedError.because(
                f"{name} is fenced at {change.target}, and may be rewound in part: {', '.join(fenced)}",
                action=f"`shopsphere rebuild {change.target}` finishes that while {change.source} answers; where "
                f"{change.source} is lost, restore {name} from the archive (docs/backups.md)",
            )


def _has_begun(change: RoleChange) -> bool:
    """Whether this run has demoted databases, which answers the questions below for good."""
    return any(change.recall(f"before-{database.name}") is not None for database in DATABASES)  # "" for the first time


def _require_leader(change: RoleChange) -> None:
    if all(change.at_source(SiteDatabase.is_standby)):
        raise BlockedError.because(
            f"no database of {change.source} takes writes: the change that made it active was not finished",
            action=f"`shopsphere failover {change.pair.name} --unplanned --to {change.source}` finishes it",
        )


def _require_equal_secrets(change: RoleChange) -> None:
    """Require what the shop logs in with: the new primary sets the passwords that its own site has."""
    sites = (change.source, change.target)
    hashes = {site: hashes_of(_secrets_at(change, site)) for site in sites}
    documents = [each for site in sites for each in change.access.each_database(site, SiteDatabase.document)]
    judged = judge_equal(hashes, required=frozenset(name for each in documents for name in required_by(each)))
    if judged.verdict is not Verdict.PASSED:
        why = f"the shop could not log in at {change.target}: {judged.found}"
        raise BlockedError.because(why, action=judged.action)


def _secrets_at(change: RoleChange, site: str) -> list[Document]:
    return secrets_of(partial(change.access.cluster(site).items, labelSelector=PART_OF))


def _has_to_hear(change: RoleChange) -> bool:
    """Whether customers would wait for databases that do not hear: not if they wait already."""
    return change.variant == PLANNED and not _has_begun(change) and not change.is_made_in(change.last_record())


def verify(change: RoleChange) -> bool:
    """What `check` says holds, and customers will not have to wait for databases that do not hear."""
    _look(change)
    return not _has_to_hear(change) or all(change.at_target(hears))
