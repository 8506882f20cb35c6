"""What is asked inside a database's pod, word for word: a site's admission lets those who only look ask nothing else.

The Kubernetes client is not needed to know it.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from shopsphere.estate.kept_databases import SHAPE

CONTAINER, DATABASE = "postgres", "postgres"
"""Container of an instance, and the database that is asked about all of it."""
PSQL = ("psql", "--no-psqlrc", "--tuples-only", "--no-align", "--quiet")
STRICT_PSQL = (*PSQL, "--set", "ON_ERROR_STOP=1")
"""The same, where the first statement that fails is the last one."""
SECONDS = 8
"""Bound on each statement of an inventory (s)."""
MOST = 4000
"""Facts of one database that are read; who has more hides something among them, or is another application."""
ADMINISTRATION = "postgres"
"""The database that every server has for its administrator."""
TEMPLATE = "template1"
"""The database that new ones are copied from."""
VERSION_TABLE = "public.alembic_version"
"""Where the application's migrations say how far they came."""
END = "the end"
"""Ends the answer of an inventory."""
_STATEMENTS = Path(__file__).with_name("inventory")

# One statement, one round trip. A standby knows what it has received and replayed; a primary knows how far each
# of its standbys is behind. Replay time counts only while more than a page is left to replay: an idle pair is not
# late, and the last page may hold the start of a record whose end the primary has not written yet. Who copies a
# database, and the collector of its backups, read what a standby reads and follow nothing. A standby that has more than
# the server is sent the log up to where they part, again and again: for that moment PostgreSQL calls it streaming too.
ABOUT_INSTANCE = """
SELECT json_build_object(
  'in_recovery', pg_is_in_recovery(),
  'waits_for', current_setting('synchronous_standby_names'),
  'written', CASE WHEN NOT pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint END,
  'bytes', (SELECT sum(pg_database_size(oid)) FROM pg_database),
  'followers', (SELECT coalesce(json_agg(json_build_object(
      'name', application_name, 'sync', sync_state,
      'state', CASE WHEN state = 'streaming' AND flush_lsn > sent_lsn THEN 'apart' ELSE state END,
      'replayed', pg_wal_lsn_diff(replay_lsn, '0/0')::bigint,
      'lag_bytes', CASE WHEN NOT pg_is_in_recovery()
        THEN pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint END,
      'lag_ms', round(extract(epoch FROM coalesce(replay_lag, interval '0')) * 1000, 1))), '[]')
    FROM pg_stat_replication WHERE application_name NOT LIKE ALL ('{pg_basebackup%,pg_receivewal}')),
  'receiver', (SELECT json_build_object(
      'state', status, 'from', sender_host,
      'lag_bytes', pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::bigint,
      'lag_ms', CASE WHEN pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
          <= current_setting('wal_block_size')::int THEN 0
        ELSE round(extract(epoch FROM now() - pg_last_xact_replay_timestamp()) * 1000, 1) END)
    FROM pg_stat_wal_receiver LIMIT 1))
"""

DATA_DIRECTORY = "/var/lib/postgresql/data/pgdata"
"""Where CloudNativePG mounts the data; its pg_wal leads to a volume of its own where the cluster has one."""

ABOUT_CAPACITY = f"""
SELECT json_build_object(
  'version', current_setting('server_version'),
  'keep_bytes', pg_size_bytes(current_setting('wal_keep_size')),
  'kept', (SELECT coalesce(json_agg(datname ORDER BY datname), '[]') FROM pg_database
    WHERE datname ~ '{SHAPE}$'),
  'written_bytes', wal_bytes,
  'written_seconds', extract(epoch FROM now() - stats_reset))
FROM pg_stat_wal
"""  # noqa: S608 - with an expression of ours
ABOUT_VOLUMES = ("df", "--block-size=1", "--output=used,avail", DATA_DIRECTORY, f"{DATA_DIRECTORY}/pg_wal")


def statement_command(statement: str) -> list[str]:
    """Return the program that runs a statement as the instance's administrator."""
    return [*PSQL, "--command", statement, DATABASE]


def inventory_command(names: Sequence[str]) -> list[str]:
    """Return the program that asks a server, and then each of these databases.

    A shell hands each statement on as often as it is asked: all of it travels in the address of a request.
    """
    options = f"-c search_path=pg_catalog -c statement_timeout={SECONDS}s -c lock_timeout={SECONDS}s"
    words = ['"$1"', '"$2"']
    for name in names:
        words += [shlex.quote(f"\\connect {name}"), '"$3"']
    # COPY reads a table and nothing else. A SELECT would run what a view in its place says, as the administrator.
    # Where there is no such table it fails; the last command decides psql's exit code.
    version = ["\\set ON_ERROR_STOP 0", f"COPY {VERSION_TABLE} (version_num) TO STDOUT", f"\\echo {END}"]
    words += map(shlex.quote, version)
    where = shlex.quote(f"dbname={ADMINISTRATION} options='{options}'")
    program = " ".join(["exec", *STRICT_PSQL, *(f"--command {word}" for word in words), where])
    return ["sh", "-c", program, PSQL[0], _statement("state"), _listed("server"), _listed("objects")]


def objects_question() -> str:
    """Return the statement that selects the facts of one database, as one JSON list of object, field and value."""
    return _listed("objects")


def _statement(name: str) -> str:
    return (_STATEMENTS / f"{name}.sql").read_text()


def _listed(name: str) -> str:
    """Return the statement that selects facts as one line of JSON."""
    rows = "coalesce(jsonb_agg(jsonb_build_array(object, field, value)), '[]') FROM (SELECT * FROM"
    return f"SELECT {rows} (\n{_statement(name)}) AS found(object, field, value) LIMIT {MOST + 1}) AS listed"
