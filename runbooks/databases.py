"""What runbooks ask of, and tell, a site's databases."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from runbooks.change import RoleChange
from runbooks.engine import bounded
from shopsphere.clients.cluster import Cluster
from shopsphere.clients.cluster_errors import ConflictError
from shopsphere.clients.postgres import (
    FENCE,
    ask_instance,
    await_leading,
    await_standby,
    await_value,
    follower_in,
    follows,
    has_one_leader,
    leading_pod,
    run_statement,
)
from shopsphere.estate.databases import DatabaseModel
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.witness import Sync

_LOCATION = re.compile(r"[0-9A-F]{1,8}/[0-9A-F]{1,8}")
_LOOK_SECONDS = 3.0  # a runbook's look ends within 5 s, and entering a pod of a busy site takes time
_STREAM_SECONDS, _STREAM_GRACE_SECONDS = 20.0, 1.0
_RECEIVED = "greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())"
_END_SECONDS = 5.0
_DEMOTION_TRIES = 10
KICK = "shopsphere.io/looked-at"


def kick(change: RoleChange, site: str, database: DatabaseModel) -> None:
    """Make the operator and the instance look now: in the middle of a change of role they wait for up to half a minute.

    More often than needed it would only collide with the changes of their own.
    """
    with suppress(ConflictError):  # somebody else changes it at this moment, so they look anyway
        change.patch(site, database, {"metadata": {"annotations": {KICK: f"{time.time():.3f}"}}})


def instance(change: RoleChange, site: str, database: DatabaseModel) -> dict[str, Any]:
    """Return what the leading instance of a database at a site says about itself.

    Raises:
        ClusterError: the site's API or the instance does not answer.
    """
    return ask_instance(*_leader(change, site, database))


def _leader(change: RoleChange, site: str, database: DatabaseModel) -> tuple[Cluster, str, str]:
    """Return the API, the namespace and the pod of the leading instance of a database at a site."""
    return _pod(change, site, change.database(site, database))


def _pod(change: RoleChange, site: str, document: Mapping[str, Any]) -> tuple[Cluster, str, str]:
    return change.cluster(site), document["metadata"]["namespace"], leading_pod(document)


def told_role(database: DatabaseModel, site: str, peer: str, *, leads: bool) -> dict[str, Any]:
    """Return `spec.replica` of a database at a site that is told to lead, or to follow its peer."""
    own, other = database.cluster(site), database.cluster(peer)
    return {"self": own, "primary": own if leads else other, "source": other, "promotionToken": None}


def promote(change: RoleChange, database: DatabaseModel) -> None:
    """Make the target site's database take writes with what it has."""
    role = told_role(database, change.target, change.source, leads=True)
    # Its first write must not wait for a peer that may be dead.
    change.patch(change.target, database, {"spec": {"replica": role, "postgresql": {"synchronous": None}}})


def begin_demotion(change: RoleChange, database: DatabaseModel, document: dict[str, Any]) -> None:
    """Tell the source site's database to shut down and to follow the target's; repeating it changes nothing.

    CloudNativePG's operator would fence the instances itself, a second or more after it was told, and lifts this fence
    as it would lift its own. Not when it has done its work: so a request that arrives late must change nothing.

    Args:
        change: between which sites.
        database: which.
        document: what its cluster said last.

    Raises:
        ClusterError: the site's API does not answer; ConflictError: others keep changing the cluster.
    """
    role = told_role(database, change.source, change.target, leads=False)
    begun = {"metadata": {"annotations": {FENCE: json.dumps(["*"])}}, "spec": {"replica": role}}
    for _ in range(_DEMOTION_TRIES):
        if follows(document) or _patch_as_seen(change, database, document, begun):
            return
        document = change.database(change.source, database)
    own = database.cluster(change.source)
    raise ConflictError(f"{own}: others changed its cluster {_DEMOTION_TRIES} times\n  do:       repeat this command")


def _patch_as_seen(
    change: RoleChange, database: DatabaseModel, document: Mapping[str, Any], changes: dict[str, Any]
) -> bool:
    """Change the source site's database if its cluster still is what it was; False if it is not."""
    try:
        change.patch(change.source, database, changes, version=document["metadata"]["resourceVersion"])
    except ConflictError:
        return False
    return True


def last_record(token: str) -> str:
    """Return where in the WAL the record lies with which a demoted database ended: its shutdown checkpoint.

    Args:
        token: CloudNativePG's demotion token, the base64 of the control data that it had then.

    Raises:
        ShopSphereError: it is no token.
    """
    try:
        location = str(json.loads(base64.b64decode(token))["latestCheckpointREDOLocation"])
    except (ValueError, KeyError, TypeError) as error:
        raise ShopSphereError(f"no demotion token: {token[:40]!r} ({error})") from error
    return _place(location)


def _place(location: str) -> str:
    """Return a place in the WAL as it is, if it is one: it becomes part of a statement."""
    if not _LOCATION.fullmatch(location):
        raise ShopSphereError(f"no place in the WAL: {location[:40]!r}")
    return location


def await_last_record(change: RoleChange, database: DatabaseModel, *, before: str) -> str:
    """Wait a while until the source site's database has ended as a primary, and return where its last record lies.

    The operator's token says it when the operator has had its turn. What the token is made from can be seen earlier,
    and soonest from within the pod.

    Args:
        change: whose source is being demoted.
        database: which.
        before: the token that it had before.

    Returns:
        Empty if it has not ended.

    Raises:
        ClusterError: the site's API or the pod does not answer.
    """
    document = change.database(change.source, database)
    token = document.get("status", {}).get("demotionToken", "")
    if token and token != before:
        return last_record(token)
    if not follows(document) or not has_one_leader(document):
        return ""
    files = await_standby(
        *_pod(change, change.source, document), seconds=_END_SECONDS, down=lambda: kick(change, change.source, database)
    )
    return _place(files.redo) if files.is_ended_primary else ""


class EndOfStream:
    """How far the target site's database has received when its stream from the old site ends.

    Made before the stream ends, so that the way into the pod is behind it by then: customers wait.
    """

    def __init__(self, change: RoleChange, database: DatabaseModel) -> None:
        self._answer = bounded.start(lambda: _received_at_end(change, database), name=f"{database.name} receives")

    def is_beyond(self, location: str) -> bool:
        """Whether it has received the record that begins at a place in the WAL; False as well if that is not known."""
        try:
            received = bounded.answer_of(self._answer, what="the look at the stream", seconds=_STREAM_GRACE_SECONDS)
            return _position(received) > _position(location)
        except ShopSphereError:
            return False


def has_received(change: RoleChange, database: DatabaseModel, location: str) -> bool:
    """Whether the target site's database has received the record that begins at a place in the WAL, or leads already.

    CloudNativePG would prove the same with a promotion token, but looks only every few seconds.
    """
    beyond = f"NOT pg_is_in_recovery() OR pg_wal_lsn_diff({_RECEIVED}, '{_place(location)}') > 0"
    return bool(_await(change, database, beyond, of=beyond, seconds=_LOOK_SECONDS))


def takes_writes(change: RoleChange, database: DatabaseModel) -> bool:
    """Whether the database of the target site is told to lead and, perhaps after a while, takes writes."""
    document = change.database(change.target, database)
    return not follows(document) and await_leading(*_pod(change, change.target, document), seconds=_LOOK_SECONDS)


def _received_at_end(change: RoleChange, database: DatabaseModel) -> str:
    ended = "NOT EXISTS (SELECT FROM pg_stat_get_wal_receiver() WHERE status = 'streaming')"
    return str(_await(change, database, ended, of=_RECEIVED, seconds=_STREAM_SECONDS))


def _await(change: RoleChange, database: DatabaseModel, condition: str, *, of: str, seconds: float) -> Any:
    """Let the target site's database wait for a condition; see `await_value`."""
    return await_value(*_leader(change, change.target, database), condition, of=of, seconds=seconds)


def _position(place: str) -> int:
    """Return a place in the WAL as the number of its byte."""
    high, low = _place(place).split("/")
    return (int(high, 16) << 32) + int(low, 16)


def both_take_writes(change: RoleChange) -> bool:
    """Whether both databases of the target site take writes."""
    return all(change.each_database(lambda database: takes_writes(change, database)))


def follower_state(change: RoleChange, leader: str, follower: str, database: DatabaseModel) -> str:
    """Return `sync` or `async` for a site that streams from the leading one; empty while it does not."""
    found = follower_in(instance(change, leader, database), database.cluster(follower))
    return str(found["sync"]) if found.get("state") == "streaming" else ""


def checkpoint(change: RoleChange, site: str, database: DatabaseModel) -> None:
    """Let a database write a checkpoint now: a copy begins with one, and PostgreSQL takes its time over it otherwise.

    Raises:
        ClusterError: it did not end within the bound of a request; it goes on all the same.
    """
    run_statement(*_leader(change, site, database), "CHECKPOINT")


def all_follow(change: RoleChange, leader: str, follower: str) -> bool:
    """Whether both databases of a site stream from the leading one."""
    return all(change.each_database(lambda database: follower_state(change, leader, follower, database) != ""))


def is_synchronous(change: RoleChange) -> bool:
    """Whether the witness says that nothing would be lost."""
    return change.see()[1].sync is Sync.ON
