"""Where a copy and the active site part: what the copy has replayed that is no part of the active site's history."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shopsphere.clients.cluster import Cluster
from shopsphere.clients.cluster_errors import UnreadableAnswerError
from shopsphere.clients.postgres import ask
from shopsphere.clients.questions import CONTAINER, PSQL

_LOW = 32
_HISTORY = """
SELECT json_build_object('line', line, 'history', coalesce(pg_read_file(
    'pg_wal/' || lpad(upper(to_hex(line)), 8, '0') || '.history', 0, 1000000, true), ''))
FROM (SELECT ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int AS line) AS current
"""
"""Of a server that leads: its timeline, and where those before it ended. The first one has no history."""
_LOOK = f"""
export LC_ALL=C
pg_controldata || exit 1
echo "Replayed: $({" ".join(PSQL)} --command 'SELECT pg_last_wal_replay_lsn()' postgres 2> /dev/null)"
"""
_LSN = re.compile(r"([0-9A-F]+)/([0-9A-F]+)")


def position(text: str) -> int:
    """Return a place in the log, written as in `3/40492A8`, as a number of bytes.

    Raises:
        ValueError: it is none.
    """
    found = _LSN.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is no place in the log")
    return (int(found[1], 16) << _LOW) + int(found[2], 16)


def written(place: int) -> str:
    """Return a place in the log as PostgreSQL writes it."""
    return f"{place >> _LOW:X}/{place & (1 << _LOW) - 1:X}"


@dataclass(frozen=True)
class Divergence:
    """What a copy has more than the active site.

    Attributes:
        line: timeline that the copy is on, which the active site has left.
        fork: where the active site left it.
        end: how far the copy has replayed it.
    """

    line: int
    fork: int
    end: int

    @property
    def bytes(self) -> int:
        """How much is taken back."""
        return self.end - self.fork


@dataclass(frozen=True)
class Place:
    """How far a copy is.

    Attributes:
        line: timeline of what it replayed last.
        end: how far, at least; more exactly while PostgreSQL runs.
        runs: whether PostgreSQL answers there.
    """

    line: int
    end: int
    runs: bool


def place_of(cluster: Cluster, namespace: str, pod: str) -> Place:
    """Return how far a copy is, also while its PostgreSQL does not run.

    Raises:
        ClusterError: the pod does not answer, or not readably.
    """
    output = cluster.execute(namespace, pod, CONTAINER, ["sh", "-c", _LOOK])
    lines = {key: value.strip() for key, value in (line.split(":", 1) for line in output.splitlines() if ":" in line)}
    try:
        found = [
            (position(lines["Minimum recovery ending location"]), int(lines["Min recovery ending loc's timeline"])),
            (position(lines["Latest checkpoint location"]), int(lines["Latest checkpoint's TimeLineID"])),
        ]
        end, line = max(found)
        replayed = lines["Replayed"]
        if replayed:
            end = max(end, position(replayed))
        return Place(line, end, runs=bool(replayed))
    except (KeyError, ValueError) as error:
        raise UnreadableAnswerError(f"{cluster.context}: {namespace}/{pod} answered {output[:80]!r}") from error


def left_lines(cluster: Cluster, namespace: str, pod: str) -> dict[int, int]:
    """Return where the server that leads has left each timeline before its own.

    Raises:
        ClusterError: the pod or the database in it does not answer, or not readably.
    """
    answer = ask(cluster, namespace, pod, _HISTORY)
    try:
        return _lines(answer)
    except (KeyError, ValueError, IndexError) as error:
        raise UnreadableAnswerError(f"{cluster.context}: {namespace}/{pod} answered {str(answer)[:80]!r}") from error


def _lines(answer: Mapping[str, Any]) -> dict[int, int]:
    entries = [line.split() for line in str(answer["history"]).splitlines() if line.strip()]
    left = {int(entry[0]): position(entry[1]) for entry in entries if not entry[0].startswith("#")}
    if int(answer["line"]) > 1 and not left:
        raise ValueError("a history is missing")
    return left


def divergence(place: Place, left: Mapping[int, int]) -> Divergence | None:
    """Return what a copy has that the active site lacks; None where it has nothing of the kind."""
    fork = left.get(place.line)
    if fork is None or place.end <= fork:
        return None
    return Divergence(place.line, fork, place.end)
