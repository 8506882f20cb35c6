"""The program that rewinds one instance inside its pod: started, waited for, and found again after a kill of ours."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from runbooks.rewinding.divergence import Divergence, written
from shopsphere.clients.cluster import Cluster
from shopsphere.clients.cluster_errors import UnreadableAnswerError
from shopsphere.clients.questions import CONTAINER
from shopsphere.foundation.errors import ShopSphereError

FOLDER = "rewound"
"""Beside the data of an instance: what was taken back, by run."""
_PROGRAM = Path(__file__).with_name("rewind.sh")
_ENDS_SECONDS = 120
"""In which PostgreSQL has to end once its instance is fenced: a minute for clients, then CloudNativePG ends it hard."""
_LOOKS_PER_SECOND = 10
_POLL_SECONDS = 5
_STARTS = 3
_SOURCE = """
conninfo=$(postgres -D "$PGDATA" -C primary_conninfo) || exit 1
psql --no-psqlrc --tuples-only --no-align --command 'SELECT pg_is_in_recovery()' \
  "$conninfo dbname=postgres connect_timeout=5" 2>&1
:
"""
# One that has ended and that nobody took leave of has no program file any more.
_ALIVE = """
place=$PGDATA/../%s/$1
pid= name=
[ -e "$place/pid" ] && read -r pid < "$place/pid"
[ -n "$pid" ] && [ -e "/proc/$pid/exe" ] && read -r name < "/proc/$pid/comm"
"""
_START = (
    _ALIVE
    + """
[ "$name" = sh ] && exit 0
said=
[ -e "$place/result" ] && read -r said < "$place/result"
[ "$said" = done ] && exit 0
mkdir -p "$place" && rm -f "$place/result" || exit 1
nohup sh -c "$0" sh "$@" > /dev/null 2>&1 < /dev/null &
echo $! > "$place/pid"
"""
) % FOLDER
_AWAIT = (
    """
for look in $(seq "$0"); do
  [ -e "$PGDATA/../%s/$1/result" ] && break
  sleep 1
done
"""
    + _ALIVE
    + """
if [ -e "$place/result" ]; then cat "$place/result"
elif [ "$name" = sh ]; then echo runs
else echo gone; fi
"""
) % (FOLDER, FOLDER)


class Kind(StrEnum):
    """Whom an instance follows: the active site's leader, or a copy, which leads its own site's instances."""

    LEADER = "leader"
    COPY = "copy"


_SAYS = {Kind.LEADER: "f", Kind.COPY: "t"}


class Outcome(StrEnum):
    """How it ended.

    `done`: the data is that of its source, and starts as a copy. `later`: its source did not answer, or its PostgreSQL
    did not end; this attempt changed nothing. `refused`: it cannot be rewound, nothing was changed. `broken`: the data
    is half of each; it may be tried again, or copied anew. PostgreSQL starts after `done` alone: what has more than its
    source does not start either.
    """

    DONE = "done"
    LATER = "later"
    REFUSED = "refused"
    BROKEN = "broken"


class StillRunsError(ShopSphereError):
    """A rewind takes longer than its bound; its program goes on in the pod."""


@dataclass(frozen=True)
class Ended:
    """How a rewind ended, and why."""

    outcome: Outcome
    why: str = ""


def what_its_source_says(where: tuple[Cluster, str, str], kind: Kind) -> str:
    """Say why an instance that runs cannot be rewound from whom it follows; nothing where it can.

    Raises:
        ClusterError: the pod does not answer.
    """
    cluster, namespace, pod = where
    said = cluster.execute(namespace, pod, CONTAINER, ["sh", "-c", _SOURCE], extra_seconds=_POLL_SECONDS).strip()
    return "" if said == _SAYS[kind] else f"whom it follows is no {kind}, or does not answer: {said[-300:]}"


def rewind_instance(
    where: tuple[Cluster, str, str], run: str, apart: Divergence, kind: Kind, *, seconds: float
) -> Ended:
    """Rewind an instance whose PostgreSQL is about to end, or go on waiting for a rewind that was begun.

    Args:
        where: API of its site, namespace and pod.
        run: names the folder of what is taken back; the same one goes on where it was killed.
        apart: what is taken back.
        kind: whom the instance follows.
        seconds: bound.

    Raises:
        ClusterError: the pod does not answer; the program goes on there all the same.
        StillRunsError: it has not ended in time, and goes on.
    """
    cluster, namespace, pod = where
    looks = str(_ENDS_SECONDS * _LOOKS_PER_SECOND)
    words = [run, written(apart.fork), str(apart.line), str(kind), looks]
    start = ["sh", "-c", _START, _PROGRAM.read_text(), *words]
    wait = ["sh", "-c", _AWAIT, str(_POLL_SECONDS), run]
    end = time.monotonic() + seconds
    for _ in range(_STARTS):
        cluster.execute(namespace, pod, CONTAINER, start)
        said = "runs"
        while said == "runs":
            if time.monotonic() > end:
                raise StillRunsError(
                    f"{pod}: its rewind has not ended within {seconds:g} s\n  do:       the same command: it goes on"
                )
            said = cluster.execute(namespace, pod, CONTAINER, wait, extra_seconds=2 * _POLL_SECONDS).strip()
        if said != "gone":
            return _ended(said, f"{cluster.context}: {namespace}/{pod}")
    return Ended(Outcome.BROKEN, f"its program was ended {_STARTS} times in {pod}")


def _ended(said: str, about: str) -> Ended:
    outcome, _, why = said.partition(" ")
    try:
        return Ended(Outcome(outcome), why.strip())
    except ValueError as error:
        raise UnreadableAnswerError(f"{about} answered {said[:80]!r}") from error
