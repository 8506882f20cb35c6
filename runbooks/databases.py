"""What runbooks tell a site's databases, and what they ask of both sites' together."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from runbooks.change import RoleChange
from runbooks.cluster_change import change_cluster
from runbooks.operator_lock import OperatorLock
from runbooks.pair_access import PairAccess
from runbooks.site_database import SiteDatabase
from shopsphere.clients.cluster import Document
from shopsphere.clients.cluster_errors import ConflictError
from shopsphere.clients.postgres import FENCE, await_leading, await_value, follower_in, follows, run_statement
from shopsphere.estate.databases import COMPLETE_COPIES, TOLD_TO_LEAD, DatabaseModel
from shopsphere.witness import Sync

LOOK_SECONDS = 3.0
"""A runbook's look ends within 5 s, and entering a pod of a busy site takes time."""
HEARS_AFTER = 28
"""Seconds after PostgreSQL's start from which on its pod hears of changes at once: 1 to start, 5, 20, 2 to spare."""
LOOKED_AT = "shopsphere.io/looked-at"
_NO_COPY_IS_COMPLETE: Document = {"metadata": {"annotations": {COMPLETE_COPIES: None}}}
"""What a site's agent once found out of an instance says nothing of the next time in which the site leads."""


def wake(database: SiteDatabase) -> None:
    """Make its operator and instance look now: in the middle of a change of role they wait for up to half a minute.

    More often than needed it would only collide with the changes of their own.
    """
    with suppress(ConflictError):  # somebody else changes it at this moment, so they look anyway
        database.patch({"metadata": {"annotations": {LOOKED_AT: f"{time.time():.3f}"}}})


def replica_role(model: DatabaseModel, site: str, peer: str, *, leads: bool) -> dict[str, Any]:
    """Return `spec.replica` of a database at a site that is told to lead, or to follow its peer."""
    own, other = model.cluster(site), model.cluster(peer)
    return {"self": own, "primary": own if leads else other, "source": other, "promotionToken": None}


def told_to_lead(database: SiteDatabase, peer: str, **spec: Document) -> Document:
    """Return what a database that is to lead is told: its role, when it was told, and more of its `spec`."""
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    role = replica_role(database.model, database.site, peer, leads=True)
    marks = {COMPLETE_COPIES: None, TOLD_TO_LEAD: now}
    return {"metadata": {"annotations": marks}, "spec": {"replica": role, **spec}}


def promote(database: SiteDatabase, *, peer: str, lock: OperatorLock | None) -> None:
    """Make a database take writes with what it has; one that is told to lead already is left as it is.

    Raises:
        BusyError: others keep changing the cluster.
        ClusterError: the site's API does not answer, or refuses.
        LockLostError: another operator may be moving the pair.
    """
    # Its first write must not wait for a peer that may be dead.
    led = told_to_lead(database, peer, postgresql={"synchronous": None})
    seen = database.last_document()  # customers wait; a late request is refused all the same
    change_cluster(database, lambda document: led if follows(document) else None, lock=lock, document=seen)


def begin_demotion(database: SiteDatabase, document: Document, *, peer: str, lock: OperatorLock | None) -> None:
    """Tell a database to shut down and to follow its peer; repeating it changes nothing.

    CloudNativePG's operator would fence the instances itself, a second or more after it was told, and lifts this fence
    as it would lift its own. Not when it has done its work: so a request that arrives late must change nothing.

    Args:
        database: of the site that is left.
        document: what its cluster said last.
        peer: the other site.
        lock: the operators' lock of this run.

    Raises:
        BusyError: others keep changing the cluster.
        ClusterError: the site's API does not answer, or refuses.
        LockLostError: another operator may be moving the pair.
    """
    role = replica_role(database.model, database.site, peer, leads=False)
    begun = {"metadata": {"annotations": {FENCE: json.dumps(["*"])}}, "spec": {"replica": role}}
    change_cluster(database, lambda seen: None if follows(seen) else begun, lock=lock, document=document)


def settle_as_follower(database: SiteDatabase, *, lock: OperatorLock | None) -> None:
    """Wake a database that was demoted, and let go of what it waited for as a primary.

    PostgreSQL would load that when it is promoted again, and hold its first commits until it has loaded anything else.
    Not sooner than here: until it has ended, nobody may be told of a row that the other site lacks.

    Raises:
        BusyError: others keep changing the cluster.
        ClusterError: the site's API does not answer, or refuses.
        LockLostError: another operator may be moving the pair.
    """
    wake(database)
    alone: Document = {**_NO_COPY_IS_COMPLETE, "spec": {"postgresql": {"synchronous": None}}}
    change_cluster(database, lambda document: None if is_settled(document) else alone, lock=lock)


def is_settled(document: Document) -> bool:
    """Whether a database is told to wait for nobody, or leads, so that whom it waits for is its agent's business."""
    return not follows(document) or not document["spec"].get("postgresql", {}).get("synchronous")


def takes_writes(database: SiteDatabase) -> bool:
    """Whether a database is told to lead and, perhaps after a while, takes writes.

    What it is told, and who leads it, is known from the last look or change, but only once: after a no, or no answer,
    it may be another instance.
    """
    document = database.last_document()
    database.forget()
    return not follows(document) and await_leading(*database.leader(document), seconds=LOOK_SECONDS)


def both_take_writes(change: RoleChange) -> bool:
    """Whether both databases of the target site take writes."""
    return all(change.at_target(takes_writes))


def hears(database: SiteDatabase, *, seconds: float = LOOK_SECONDS) -> bool:
    """Whether the program in a database's pod hears of a change at once, now or within `seconds`.

    After a demotion CloudNativePG's instance manager starts PostgreSQL again, sees that within 5 s, and then sleeps for
    20 s in the only thread that would hear of a promotion: twice the period of the readiness probe
    (`RequestAndWaitFencingOff` in pkg/management/postgres/instance.go of CloudNativePG 1.30.0).

    Raises:
        ClusterError: the site's API or the instance does not answer.
    """
    rested = f"clock_timestamp() - pg_postmaster_start_time() > interval '{HEARS_AFTER} s'"
    return bool(await_value(*database.leader(), rested, of=rested, seconds=seconds))


def checkpoint(database: SiteDatabase) -> None:
    """Let a database write a checkpoint now: a copy begins with one, and PostgreSQL takes its time over it otherwise.

    Raises:
        ClusterError: it did not end within the bound of a request; it goes on all the same.
    """
    run_statement(*database.leader(), "CHECKPOINT")


def all_follow(access: PairAccess, leader: str, follower: str) -> bool:
    """Whether both databases of a site stream from the leading one."""

    def streams(database: SiteDatabase) -> bool:
        found = follower_in(database.instance(), database.model.cluster(follower))
        return found.get("state") == "streaming"

    return all(access.each_database(leader, streams))


def is_synchronous(change: RoleChange) -> bool:
    """Whether the witness says that nothing would be lost."""
    return change.ask_witness().sync is Sync.ON
