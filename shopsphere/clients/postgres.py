"""Where a site's PostgreSQL clusters are in its API, and what an instance says about itself inside its pod."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from websocket import WebSocketException

from shopsphere.clients.cluster import Cluster
from shopsphere.clients.cluster_errors import UnreadableAnswerError
from shopsphere.clients.conversation import Conversation
from shopsphere.clients.questions import ABOUT_INSTANCE, CONTAINER, DATABASE, PSQL, statement_command

_SESSION = [*PSQL, DATABASE]
_ASK_EVERY = 0.05
_FIRST_START, _LONGEST_START, _QUICK_STARTS = 3.0, 15.0, 4
_GROUP = "/apis/postgresql.cnpg.io/v1"
CLUSTERS = f"{_GROUP}/clusters"
"""CloudNativePG's clusters of all namespaces."""
FENCE = "cnpg.io/fencedInstances"
ALL_FENCED = "*"
"""Annotation of a CloudNativePG cluster: a JSON list of the instances whose PostgreSQL must not run."""


def cluster_path(namespace: str, name: str) -> str:
    """Return the API path of one CloudNativePG cluster."""
    return f"{_GROUP}/namespaces/{namespace}/clusters/{name}"


def leading_pod(document: Mapping[str, Any]) -> str:
    """Return the pod of the instance that leads a CloudNativePG cluster; its first one until the cluster says so."""
    return str(document.get("status", {}).get("currentPrimary") or f"{document['metadata']['name']}-1")


def fenced_instances(document: Mapping[str, Any]) -> list[str]:
    """Return the instances of a CloudNativePG cluster that are kept from running; `ALL_FENCED` stands for all."""
    text = document["metadata"].get("annotations", {}).get(FENCE) or "[]"
    try:
        named = json.loads(text)
    except ValueError:
        named = [text]
    return [str(each) for each in named] if isinstance(named, list) else [text]


def ask_instance(cluster: Cluster, namespace: str, pod: str) -> dict[str, Any]:
    """Return the instance's role, size and replication.

    Raises:
        ClusterError: the pod or the database in it does not answer, or not readably.
    """
    return ask(cluster, namespace, pod, ABOUT_INSTANCE)


class InstanceSession:
    """Asks an instance what it says about itself, again and again within one session; used by one thread."""

    def __init__(self) -> None:
        self._held: Conversation | None = None
        self._pod, self._failed = "", 0

    def ask(self, cluster: Cluster, namespace: str, pod: str) -> dict[str, Any]:
        """Return what `ask_instance` returns; a session that broke is opened anew by the next question.

        Raises:
            ClusterError: the pod or the database in it does not answer, or not readably.
        """
        if pod != self._pod:
            self.close()
            self._pod, self._failed = pod, 0
        if self._held is None:
            self._failed += 1
            self._held = cluster.converse(namespace, pod, CONTAINER, _SESSION, start=start_seconds(self._failed))
        self._failed = 0
        try:
            output = self._held.ask(f"{ABOUT_INSTANCE};\n")
            return read_answer(output, f"{cluster.context}: {namespace}/{pod}")
        except BaseException:  # else the next question would get the answer of this one
            self.close()
            raise

    def is_held_with(self, pod: str) -> bool:
        """Whether a session with this pod is open."""
        return self._held is not None and self._pod == pod

    def close(self) -> None:
        """End the session: an idle one makes PostgreSQL wait when it is told to end."""
        if self._held:
            with suppress(OSError, WebSocketException):
                self._held.close()
        self._held = None


def start_seconds(attempt: int) -> float:
    """Return how long the start of a session may take (s), at the first attempt for a pod and at those that follow.

    Little at first: where the pod's node is lost, another pod is named soon, and nobody is asked meanwhile. More later:
    a busy node may take long for every start.
    """
    return (
        _FIRST_START
        if attempt <= _QUICK_STARTS
        else min(_LONGEST_START, _FIRST_START * 2.0 ** (attempt - _QUICK_STARTS))
    )


# PostgreSQL never starts as a primary where this file is, and only a promotion removes it. It is looked at before the
# control file: where it is, a clean end as a primary that the control file shows is final.
_MARKED = "standby.signal"
_SERVER = "postmaster.pid"
_LOOK_EVERY = 0.1
_DOWN = "down"
_LOOKS = f"""
export LC_ALL=C
said=no
for look in $(seq $0); do
  marked=no; [ -e "$PGDATA/{_MARKED}" ] && marked=yes
  control=
  if [ $marked = yes ] || [ ! -e "$PGDATA/{_SERVER}" ]; then
    control=$(pg_controldata)
    state=${{control#*Database cluster state:}}
    state=${{state%%[!a-z ]*}}
    case "$marked $state" in
      "yes "*" shut down" | *" in archive recovery" | *" shut down in recovery") break ;;
      "no "*" shut down") [ $said = no ] && echo {_DOWN} && said=yes ;;
    esac
  fi
  sleep {_LOOK_EVERY}
done
echo "{_MARKED}: $marked"
pid= name=
[ -e "$PGDATA/{_SERVER}" ] && read -r pid < "$PGDATA/{_SERVER}"
[ -n "$pid" ] && [ -e "/proc/$pid/comm" ] && read -r name < "/proc/$pid/comm"
[ "$name" = postgres ] && echo "{_SERVER}: yes"
echo "${{control:-$(pg_controldata)}}"
"""  # the image has no sed and no grep; while a primary runs, pg_controldata is left out: it takes processor time


@dataclass(frozen=True)
class InstanceFiles:
    """What an instance's files say, also while PostgreSQL does not run.

    Attributes:
        marked: it starts as a standby, or runs as one.
        state: as `pg_controldata` names it.
        redo: where in the WAL the redo of the last checkpoint begins; after a clean end that is the last record.
        has_server: PostgreSQL runs. Not so while `pg_rewind` makes a standby of an instance, nor where a loss of power
            has left the server's file behind: who waits there for the new leader removes it only afterwards.
    """

    marked: bool
    state: str
    redo: str
    has_server: bool = True

    @property
    def is_ended_primary(self) -> bool:
        """Whether PostgreSQL has ended cleanly as a primary, and can only start as a standby."""
        return self.marked and self.state == "shut down"

    @property
    def is_standby(self) -> bool:
        """Whether the instance takes no writes, neither now nor after a start."""
        return self.is_ended_primary or self.state in {"in archive recovery", "shut down in recovery"}


def await_standby(
    cluster: Cluster, namespace: str, pod: str, *, seconds: float, down: Callable[[], object] | None = None
) -> InstanceFiles:
    """Return what an instance's files say as soon as they make it a standby, or when the time is out.

    Args:
        cluster: the site's API.
        namespace: of the pod.
        pod: of the instance.
        seconds: how long to wait, within the pod.
        down: called once when PostgreSQL has ended, before the files make it a standby.

    Raises:
        ClusterError: the pod does not answer, or not readably.
    """
    looks = str(max(1, round(seconds / _LOOK_EVERY)))
    output = cluster.execute(
        namespace,
        pod,
        CONTAINER,
        ["sh", "-c", _LOOKS, looks],
        extra_seconds=2 * seconds,  # the looks themselves take time too
        heard=lambda piece: down() if down and piece.startswith(_DOWN) else None,
    )
    lines = {key: value.strip() for key, value in (line.split(":", 1) for line in output.splitlines() if ":" in line)}
    try:
        return InstanceFiles(
            lines[_MARKED] == "yes",
            lines["Database cluster state"],
            lines["Latest checkpoint's REDO location"],
            has_server=_SERVER in lines,
        )
    except KeyError as error:
        raise UnreadableAnswerError(f"{cluster.context}: {namespace}/{pod} answered {output[:80]!r}") from error


def follows(document: Mapping[str, Any]) -> bool:
    """Whether a CloudNativePG cluster is told to follow another one."""
    replica = document["spec"].get("replica", {})
    return bool(replica) and replica.get("primary") != replica.get("self", document["metadata"]["name"])


def has_one_leader(document: Mapping[str, Any]) -> bool:
    """Whether a CloudNativePG cluster is not about to let another of its own instances lead."""
    status = document.get("status", {})
    return status.get("targetPrimary") in {status.get("currentPrimary"), None}


def follower_in(answer: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return what an instance says of the follower with this name in replication; empty when it has none, or several.

    PostgreSQL takes the word of one of several for all of them, and nobody knows which of them has what was confirmed.
    """
    found = followers_in(answer, name)
    return found[0] if len(found) == 1 else {}


def followers_in(answer: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Return what an instance says of each follower that calls itself so in replication."""
    return [each for each in answer["followers"] if each["name"] == name]


def ask(cluster: Cluster, namespace: str, pod: str, question: str, *, extra_seconds: float = 0) -> dict[str, Any]:
    """Return the JSON object that a statement selects; `extra_seconds` as in `Cluster.execute`.

    Raises:
        ClusterError: the pod or the database in it does not answer, or not readably.
    """
    output = run_statement(cluster, namespace, pod, question, extra_seconds=extra_seconds)
    return read_answer(output, f"{cluster.context}: {namespace}/{pod}")


def read_answer(output: str, about: str) -> dict[str, Any]:
    """Return the JSON object that an instance answered with; `about` says which.

    Raises:
        UnreadableAnswerError: it is none.
    """
    try:
        answer: dict[str, Any] = json.loads(output)
    except ValueError as error:
        raise UnreadableAnswerError(f"{about} answered {output[:80]!r}") from error
    return answer


def await_value(cluster: Cluster, namespace: str, pod: str, condition: str, *, of: str, seconds: float) -> Any:
    """Wait inside an instance until an SQL condition holds or `seconds` are over; return the SQL value `of` then.

    One question that waits replaces many: entering a pod is expensive, waiting inside it is not.

    Raises:
        ClusterError: the pod or the database in it does not answer, or not readably.
    """
    look = f"EXIT WHEN {condition}; PERFORM pg_sleep({_ASK_EVERY});"
    wait = f"DO $$ BEGIN FOR i IN 1..{round(seconds / _ASK_EVERY)} LOOP {look} END LOOP; END $$;"
    return ask(cluster, namespace, pod, f"{wait} SELECT json_build_object('value', {of})", extra_seconds=seconds)[
        "value"
    ]


def await_leading(cluster: Cluster, namespace: str, pod: str, *, seconds: float) -> bool:
    """Return whether an instance takes writes, as soon as it does or when the time is out.

    Raises:
        ClusterError: the pod or the database in it does not answer, or not readably.
    """
    leads = "NOT pg_is_in_recovery()"
    return bool(await_value(cluster, namespace, pod, leads, of=leads, seconds=seconds))


def run_statement(cluster: Cluster, namespace: str, pod: str, statement: str, *, extra_seconds: float = 0) -> str:
    """Run a statement as the instance's administrator and return the bare values that it selects.

    `extra_seconds` as in `Cluster.execute`.

    Raises:
        ClusterError: the pod or the database in it does not answer, or not readably.
    """
    return cluster.execute(namespace, pod, CONTAINER, statement_command(statement), extra_seconds=extra_seconds)
