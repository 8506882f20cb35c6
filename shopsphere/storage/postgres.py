"""Where a site's PostgreSQL clusters are in its API, and what an instance says about itself inside its pod."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shopsphere.storage.cluster import Cluster, ClusterUnreachableError

CONTAINER = "postgres"
_GROUP = "/apis/postgresql.cnpg.io/v1"
CLUSTERS = f"{_GROUP}/clusters"
"""CloudNativePG's clusters of all namespaces."""

# One statement, one round trip. A standby knows what it has received and replayed; a primary knows how far each
# of its standbys is behind. Replay time counts only while more than a page is left to replay: an idle pair is not
# late, and the last page may hold the start of a record whose end the primary has not written yet.
QUESTION = """
SELECT json_build_object(
  'in_recovery', pg_is_in_recovery(),
  'waits_for', current_setting('synchronous_standby_names'),
  'bytes', (SELECT sum(pg_database_size(oid)) FROM pg_database),
  'followers', (SELECT coalesce(json_agg(json_build_object(
      'name', application_name, 'state', state, 'sync', sync_state,
      'lag_bytes', CASE WHEN NOT pg_is_in_recovery()
        THEN pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint END,
      'lag_ms', round(extract(epoch FROM coalesce(replay_lag, interval '0')) * 1000, 1))), '[]')
    FROM pg_stat_replication WHERE application_name NOT LIKE 'pg_basebackup%'),
  'receiver', (SELECT json_build_object(
      'state', status, 'from', sender_host,
      'lag_bytes', pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::bigint,
      'lag_ms', CASE WHEN pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
          <= current_setting('wal_block_size')::int THEN 0
        ELSE round(extract(epoch FROM now() - pg_last_xact_replay_timestamp()) * 1000, 1) END)
    FROM pg_stat_wal_receiver LIMIT 1))
"""


def cluster_path(namespace: str, name: str) -> str:
    """Return the API path of one CloudNativePG cluster."""
    return f"{_GROUP}/namespaces/{namespace}/clusters/{name}"


def leading_pod(document: Mapping[str, Any]) -> str:
    """Return the pod of the instance that leads a CloudNativePG cluster; its first one until the cluster says so."""
    return str(document.get("status", {}).get("currentPrimary") or f"{document['metadata']['name']}-1")


def ask_instance(cluster: Cluster, namespace: str, pod: str) -> dict[str, Any]:
    """Return the instance's role, size and replication.

    Raises:
        ClusterUnreachableError: the pod or the database in it does not answer.
    """
    return ask(cluster, namespace, pod, QUESTION)


@dataclass(frozen=True)
class ControlData:
    """What an instance's control file says, also while PostgreSQL does not run.

    Attributes:
        state: as `pg_controldata` names it.
        redo: where in the WAL the redo of the last checkpoint begins; after a clean end that is the last record.
    """

    state: str
    redo: str

    @property
    def is_shut_down(self) -> bool:
        """Whether a primary has ended cleanly, and has not started since."""
        return self.state == "shut down"

    @property
    def is_in_recovery(self) -> bool:
        """Whether it is, or last was, a standby."""
        return self.state in {"in archive recovery", "shut down in recovery"}


def ask_control(cluster: Cluster, namespace: str, pod: str) -> ControlData:
    """Return an instance's control data.

    Raises:
        ClusterUnreachableError: the pod does not answer.
    """
    output = cluster.execute(namespace, pod, CONTAINER, ["env", "LC_ALL=C", "pg_controldata"])
    lines = dict(line.split(":", 1) for line in output.splitlines() if ":" in line)
    try:
        return ControlData(lines["Database cluster state"].strip(), lines["Latest checkpoint's REDO location"].strip())
    except KeyError as error:
        raise ClusterUnreachableError(f"{cluster.context}: {namespace}/{pod} answered {output[:80]!r}") from error


def follower_in(answer: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return what an instance says of the follower with this name in replication; empty when it has none."""
    followers: list[dict[str, Any]] = answer["followers"]
    return next((each for each in followers if each["name"] == name), {})


def ask(cluster: Cluster, namespace: str, pod: str, question: str) -> dict[str, Any]:
    """Return the JSON object that a statement selects.

    Raises:
        ClusterUnreachableError: the pod or the database in it does not answer.
    """
    output = run_statement(cluster, namespace, pod, question)
    try:
        answer: dict[str, Any] = json.loads(output)
    except ValueError as error:
        raise ClusterUnreachableError(f"{cluster.context}: {namespace}/{pod} answered {output[:80]!r}") from error
    return answer


def run_statement(cluster: Cluster, namespace: str, pod: str, statement: str) -> str:
    """Run a statement as the instance's administrator and return the bare values that it selects.

    Raises:
        ClusterUnreachableError: the pod or the database in it does not answer.
    """
    command = ["psql", "--no-psqlrc", "--tuples-only", "--no-align", "--quiet", "--command", statement, "postgres"]
    return cluster.execute(namespace, pod, CONTAINER, command)
