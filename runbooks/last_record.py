"""Where the last record of a database that ends as a primary lies in the WAL, and whether the other site has it."""

from __future__ import annotations

import base64
import json
import re

from runbooks.databases import LOOK_SECONDS, wake
from runbooks.engine import bounded
from runbooks.site_database import SiteDatabase
from shopsphere.clients.cluster import Document
from shopsphere.clients.postgres import await_standby, await_value, follows, has_one_leader
from shopsphere.foundation.errors import ShopSphereError

_LOCATION = re.compile(r"[0-9A-F]{1,8}/[0-9A-F]{1,8}")
_STREAM_SECONDS, _STREAM_GRACE_SECONDS = 20.0, 1.0
_RECEIVED = "greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())"
_END_SECONDS = 5.0


def await_last_record(database: SiteDatabase, document: Document, *, before: str) -> str:
    """Wait a while until a database has ended as a primary, and return where its last record lies.

    The operator's token says it when the operator has had its turn. What the token is made from can be seen earlier,
    and soonest from within the pod.

    Args:
        database: is being demoted.
        document: what its cluster said last.
        before: the token that it had before.

    Returns:
        Empty if it has not ended.

    Raises:
        ClusterError: the site's API or the pod does not answer.
    """
    token = document.get("status", {}).get("demotionToken", "")
    if token and token != before:
        return last_record(token)
    if not follows(document) or not has_one_leader(document):
        return ""
    files = await_standby(*database.leader(document), seconds=_END_SECONDS, down=lambda: wake(database))
    return _place(files.redo) if files.is_ended_primary else ""


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


class EndOfStream:
    """How far a database has received when its stream from the old site ends.

    Made before the stream ends, so that the way into the pod is behind it by then: customers wait.
    """

    def __init__(self, database: SiteDatabase) -> None:
        self._answer = bounded.start(lambda: _received_at_end(database), name=f"{database.name} receives")

    def is_beyond(self, location: str) -> bool:
        """Whether it has received the record that begins at a place in the WAL; False as well if that is not known."""
        try:
            received = bounded.answer_of(self._answer, what="the look at the stream", seconds=_STREAM_GRACE_SECONDS)
            return _position(received) > _position(location)
        except ShopSphereError:
            return False


def has_received(database: SiteDatabase, location: str) -> bool:
    """Whether a database has received the record that begins at a place in the WAL, or leads already.

    CloudNativePG would prove the same with a promotion token, but looks only every few seconds.
    """
    beyond = f"NOT pg_is_in_recovery() OR pg_wal_lsn_diff({_RECEIVED}, '{_place(location)}') > 0"
    return bool(await_value(*database.leader(), beyond, of=beyond, seconds=LOOK_SECONDS))


def _received_at_end(database: SiteDatabase) -> str:
    ended = "NOT EXISTS (SELECT FROM pg_stat_get_wal_receiver() WHERE status = 'streaming')"
    return str(await_value(*database.leader(), ended, of=_RECEIVED, seconds=_STREAM_SECONDS))


def _place(location: str) -> str:
    """Return a place in the WAL as it is, if it is one: it becomes part of a statement."""
    if not _LOCATION.fullmatch(location):
        raise ShopSphereError(f"no place in the WAL: {location[:40]!r}")
    return location


def _position(place: str) -> int:
    """Return a place in the WAL as the number of its byte."""
    high, low = _place(place).split("/")
    return (int(high, 16) << 32) + int(low, 16)
