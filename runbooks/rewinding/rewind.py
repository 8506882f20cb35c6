"""Rewinding databases of a recovery site that have what the active site lacks: look, keep, fence, rewind, follow."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from runbooks import copies
from runbooks.change import RoleChange
from runbooks.cluster_change import change_cluster
from runbooks.engine.errors import BlockedError
from runbooks.rewinding.apart import beside_apart, leader_apart, others_apart
from runbooks.rewinding.divergence import Divergence
from runbooks.rewinding.gate import copied_anew, look, unfenced
from runbooks.rewinding.program import FOLDER, Ended, Kind, Outcome, rewind_instance, what_its_source_says
from runbooks.rewinding.tail import keep_rows
from runbooks.site_database import SiteDatabase
from shopsphere.clients.cluster import Document
from shopsphere.clients.cluster_errors import ClusterError
from shopsphere.clients.postgres import FENCE, await_value, run_statement
from shopsphere.foundation.clock import WaitExpiredError, wait_until
from shopsphere.foundation.errors import NoAnswerError, ShopSphereError, one_line
from shopsphere.foundation.progress import say

REWIND_SECONDS = 3000.0
"""Bound on one rewind: it carries over all of the log that the active site keeps, and what was changed since."""
FOLLOW_SECONDS = 120.0
"""In which a rewound copy has to stream: CloudNativePG starts it within 30 s."""
_CHECKPOINT_SECONDS = 300.0
_REPLAY_SECONDS = 30.0
_TRIES = 3
"""Attempts at one rewind: a line that was lost for a moment is no reason for a whole copy."""
FOLLOWS = "it follows"


class NotNowError(NoAnswerError):
    """The source of a rewind does not answer in the pod, or PostgreSQL does not end there; the data is as it was."""


def state_of(change: RoleChange, document: Document, pod: str) -> dict[str, Any] | None:
    """Return what this run remembers of the rewind of an instance of a cluster; None where none was begun."""
    known = change.recall(f"rewind-{pod}")
    return dict(known) if known and known["uid"] == document["metadata"]["uid"] else None


def failed(change: RoleChange, database: SiteDatabase, document: Document) -> str:
    """Say why a database could not be rewound by this run; nothing where it was not tried, or follows."""
    known = state_of(change, document, database.leader(document)[2])
    if not known or known["ended"] in ("", FOLLOWS):
        return ""
    return str(known["ended"])


def wants_rewind(change: RoleChange, database: SiteDatabase) -> Divergence | None:
    """Return what has to be taken back from a database's leading instance; None where nothing, or it was tried.

    Raises:
        ShopSphereError: the active site's does not answer.
    """
    document = database.cluster.find(database.path)
    if change.whole or document is None:
        return None
    known = state_of(change, document, database.leader(document)[2])
    if known:
        return None if known["ended"] else _apart_of(known)
    return leader_apart(change, database)


def given_up(change: RoleChange, database: SiteDatabase) -> list[str]:
    """Say what each instance that has to be rewound gives up; of one that was begun, what was seen then.

    Raises:
        BlockedError: as `look`.
        ShopSphereError: a site does not answer.
    """
    document = database.cluster.find(database.path)
    apart = wants_rewind(change, database)
    if document is None:
        return []
    leading = database.leader(document)[2]
    wanted = [(leading, apart), *beside_apart(change, database)] if apart else others_to_rewind(change, database)
    said = []
    for pod, more in wanted:
        known = state_of(change, document, pod)
        tail = known["gave_up"] if known else look(change, database, pod, more)
        name = database.name if pod == leading else f"{pod} beside it"
        said.append(f"{name}, which gives up {more.bytes} bytes that {change.source} lacks: {tail}")
    return said


def rewind(change: RoleChange, database: SiteDatabase) -> None:
    """Rewind what has to be rewound of a database; what cannot be is remembered, to be copied anew.

    Raises:
        BlockedError: as `look`, or somebody else has fenced its instances.
        ShopSphereError: a site does not answer; the same command goes on.
    """
    document = database.document()
    pod = database.leader(document)[2]
    if apart := wants_rewind(change, database):
        known = state_of(change, document, pod)
        if known is None:
            for other, more in beside_apart(change, database):
                look(change, database, other, more)  # it may have what the leading one lacks; nothing is changed yet
            known = _begin(change, database, pod, apart)
        _carry_out(change, database, pod, known, Kind.LEADER)
    _others(change, database)


def _begin(change: RoleChange, database: SiteDatabase, pod: str, apart: Divergence) -> dict[str, Any]:
    tail = look(change, database, pod, apart)
    say(f"         {pod} gives up {tail}")
    for line in keep_rows(tail, database.cluster, database.model.namespace.name, pod, f"{FOLDER}/{_run(change)}"):
        say(f"         not written down as rows, their log is kept: {one_line(line)}")
    known = {
        "uid": database.document()["metadata"]["uid"],
        "line": apart.line,
        "fork": apart.fork,
        "end": apart.end,
        "gave_up": str(tail),
        "ended": "",
    }
    change.remember(f"rewind-{pod}", known)
    return known


def _carry_out(change: RoleChange, database: SiteDatabase, pod: str, known: dict[str, Any], kind: Kind) -> None:
    source = change.counterpart(database)
    # PostgreSQL 15's pg_rewind reads the source's timeline from its last checkpoint.
    run_statement(*source.leader(), "CHECKPOINT", extra_seconds=_CHECKPOINT_SECONDS)
    if kind is Kind.COPY:
        _follow_the_checkpoint(source, database)
    where = (database.cluster, database.model.namespace.name, pod)
    if not _is_fenced(database.document(), pod) and (why := what_its_source_says(where, kind)):
        raise _not_now(change, database, pod, why)  # while it still answers readers
    _fence(change, database, pod)
    for left in reversed(range(_TRIES)):
        ended = rewind_instance(where, _run(change), _apart_of(known), kind, seconds=REWIND_SECONDS)
        if ended.outcome is not Outcome.BROKEN or not left:
            break
        say(f"         {pod}: an attempt was cut off, and is made again: {ended.why}")
    if ended.outcome is Outcome.LATER:
        raise _not_now(change, database, pod, ended.why)
    if ended.outcome is Outcome.DONE:  # PostgreSQL starts on nothing else, and its pod would go on trying
        _open(change, database, pod)
    change.remember(f"rewind-{pod}", {**known, "ended": _verdict(change, database, pod, kind, ended)})


def _not_now(change: RoleChange, database: SiteDatabase, pod: str, why: str) -> ShopSphereError:
    return NotNowError.build(
        f"{pod} cannot be rewound now",
        expected=f"an end of PostgreSQL there, and an answer of the database of {change.source} in that pod",
        found=why,
        action=f"the same command again when it is there; --whole copies {database.name} anew"
        + (" (it is fenced until then, and answers no reads)" if _is_fenced(database.document(), pod) else ""),
    )


def _verdict(change: RoleChange, database: SiteDatabase, pod: str, kind: Kind, ended: Ended) -> str:
    if ended.outcome is not Outcome.DONE:
        say(f"         {pod} is not rewound, {ended.outcome}: {ended.why}")
        return f"{ended.outcome}: {ended.why}"
    if kind is Kind.COPY:
        return FOLLOWS
    try:
        wait_until(lambda: _streams(change, database), what="its stream", seconds=FOLLOW_SECONDS, interval=1)
    except WaitExpiredError:
        return f"it was rewound, and does not stream within {FOLLOW_SECONDS:g} s"
    return FOLLOWS


def _streams(change: RoleChange, database: SiteDatabase) -> bool:
    with suppress(ShopSphereError):
        return copies.streams(change, database)
    return False


def _others(change: RoleChange, database: SiteDatabase) -> None:
    for pod, apart in others_to_rewind(change, database):
        document = database.document()
        known = state_of(change, document, pod) or _begin(change, database, pod, apart)
        try:
            _carry_out(change, database, pod, known, Kind.COPY)
            _open(change, database, pod)  # after a failure too: it does not start as it is, and others get a fence
        except NotNowError as error:
            change.remember(f"rewind-{pod}", {**known, "ended": f"later: {one_line(error)}"})
            _open(change, database, pod)
        except ClusterError as error:  # the site can follow without it
            change.remember(f"rewind-{pod}", {**known, "ended": f"no answer: {one_line(error)}"})
        if (ended := (state_of(change, document, pod) or known)["ended"]) != FOLLOWS:
            still = _is_fenced(database.document(), pod)
            first = f"{unfenced(change, database)} takes away the fence that this run could not, and " if still else ""
            say(f"         {pod} does not follow ({ended}): {first}{copied_anew(change, database, pod)} copies it anew")


def others_to_rewind(change: RoleChange, database: SiteDatabase) -> list[tuple[str, Divergence]]:
    """Return the instances beside the leading one that have to be rewound and were not tried; none with --whole.

    Raises:
        ShopSphereError: a site does not answer.
    """
    document = database.cluster.find(database.path)
    if change.whole or document is None or len(document.get("status", {}).get("instanceNames", ())) <= 1:
        return []
    if not copies.streams(change, database):
        return []
    begun = {pod: state_of(change, document, pod) for pod in map(str, document["status"]["instanceNames"])}
    left = [
        (pod, _apart_of(known))
        for pod, known in begun.items()
        if known and not known["ended"] and pod != database.leader(document)[2]
    ]
    return left + [(pod, apart) for pod, apart in others_apart(change, database) if not begun.get(pod)]


def _follow_the_checkpoint(source: SiteDatabase, database: SiteDatabase) -> None:
    """Let the site's leader have a checkpoint on the new timeline, from which an instance beside it is rewound."""
    leader, written = database.leader(), run_statement(*source.leader(), "SELECT pg_current_wal_lsn()").strip()
    has_it = f"pg_last_wal_replay_lsn() >= '{written}'"
    await_value(*leader, has_it, of=has_it, seconds=_REPLAY_SECONDS)
    run_statement(*leader, "CHECKPOINT", extra_seconds=_CHECKPOINT_SECONDS)


def _fence(change: RoleChange, database: SiteDatabase, pod: str) -> None:
    def wanted(document: Document) -> Document | None:
        fence = _fence_of(document)
        if fence in (None, "[]"):
            return {"metadata": {"annotations": {FENCE: json.dumps([pod])}}}
        if fence != json.dumps([pod]):
            raise BlockedError.because(
                f"{database.name} is fenced by somebody else: {fence}",
                action=f"ask who did it, and take it away: {unfenced(change, database)}; a rewind "
                "of another machine may have left it (docs/failover.md, “A fence that a rewind left”)",
            )
        return None

    change_cluster(database, wanted, lock=change.lock)


def _is_fenced(document: Document, pod: str) -> bool:
    return _fence_of(document) == json.dumps([pod])


def _open(change: RoleChange, database: SiteDatabase, pod: str) -> None:
    opened: Document = {"metadata": {"annotations": {FENCE: None}}}
    change_cluster(
        database,
        lambda document: opened if _is_fenced(document, pod) else None,
        lock=change.lock,
    )


def _fence_of(document: Document) -> str | None:
    found = document["metadata"].get("annotations", {}).get(FENCE)
    return None if found is None else str(found)


def _run(change: RoleChange) -> str:
    if change.journal is None:
        raise BlockedError.because("a dry run rewinds nothing", action="run it with --execute")
    return change.journal.run


def _apart_of(known: dict[str, Any]) -> Divergence:
    return Divergence(int(known["line"]), int(known["fork"]), int(known["end"]))
