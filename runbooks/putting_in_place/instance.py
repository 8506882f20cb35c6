"""One PostgreSQL instance, asked and changed as its administrator inside its pod."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from shopsphere.clients.cluster import Cluster
from shopsphere.clients.cluster_errors import UnreadableAnswerError
from shopsphere.clients.questions import ADMINISTRATION, CONTAINER, STRICT_PSQL
from shopsphere.estate.kept_databases import KeptDatabase

IS, KEPT, LIVE = "shopsphere", "kept", "live"
"""Stands in a database's note: what it is. One that is kept was live once, and has what was written then."""
SECONDS = 30.0
_END = "\n;\n\\q\n"
Ask = Callable[[str], Any]
"""Asks one database a statement that selects one JSON value, and returns that."""

_CARRY = """
rows=$(psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --dbname "$1" --command "COPY ($2) TO STDOUT") || exit 1
if [ -n "$rows" ]; then rows="$rows
"; fi
printf '%s' "$rows" | psql --no-psqlrc --tuples-only --no-align --quiet --set ON_ERROR_STOP=1 --single-transaction \
--dbname "$3" --command "CREATE TEMP TABLE told ($4) ON COMMIT DROP" --command "COPY told FROM STDIN" --command "$5"
"""

DATABASES = """
SELECT coalesce(json_agg(json_build_object(
  'name', datname, 'oid', oid::bigint, 'limit', datconnlimit, 'connects', datallowconn,
  'bytes', pg_database_size(oid), 'comment', coalesce(shobj_description(oid, 'pg_database'), ''),
  'sessions', (SELECT count(*) FROM pg_stat_activity WHERE datid = pg_database.oid AND pid <> pg_backend_pid()
    AND backend_type = 'client backend'))), '[]')
FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres'
"""


@dataclass(frozen=True)
class Database:
    """One database of an instance.

    Attributes:
        name: that it has now.
        oid: which stays when it is renamed.
        limit: of connections of services; -1 for none, 0 keeps all but the administrator out.
        connects: whether anybody may connect.
        bytes: that its files take.
        note: what this project wrote down about it; empty for nothing.
        sessions: clients that are connected.
    """

    name: str
    oid: int
    limit: int
    connects: bool
    bytes: int
    note: dict[str, Any]
    sessions: int


@dataclass(frozen=True)
class Instance:
    """One instance.

    Attributes:
        cluster: API of its site.
        namespace: of its pod.
        pod: its name.
    """

    cluster: Cluster
    namespace: str
    pod: str

    @property
    def name(self) -> str:
        """As messages call it."""
        return f"{self.cluster.context}: {self.namespace}/{self.pod}"

    def run(self, database: str, statements: str, *, seconds: float = SECONDS) -> str:
        """Run SQL, or what psql knows besides, and return what it prints.

        Raises:
            ClusterError: the instance does not answer, or a statement failed; later ones were not run.
        """
        return self.read(database, [statements.encode(), _END.encode()], seconds=seconds)

    def read(self, database: str, pieces: Iterable[bytes], *, seconds: float, settings: tuple[str, ...] = ()) -> str:
        """Let psql read pieces, of which the last has to end it; with settings of the session, as `name=value`."""
        options = " ".join(f"-c {each}" for each in settings)
        command = [*STRICT_PSQL, "--dbname", f"dbname={database} options='{options}'" if options else database]
        return self.cluster.feed((self.namespace, self.pod, CONTAINER), command, pieces, seconds=seconds)

    def ask(self, database: str, question: str, *, seconds: float = SECONDS) -> Any:
        """Return the JSON value that a statement selects; raises as `run`."""
        output = self.run(database, question, seconds=seconds)
        try:
            return json.loads(output)
        except ValueError as error:
            raise UnreadableAnswerError(f"{self.name} answered {output[:80]!r}") from error

    def asker(self, database: str, *, seconds: float = SECONDS) -> Ask:
        """Return what asks one of its databases."""
        return lambda question: self.ask(database, question, seconds=seconds)

    def carry(
        self, source: str, rows: str, target: str, columns: str, statements: str, *, seconds: float = SECONDS
    ) -> str:
        """Run statements in one database with rows of another one, which are there as the table `told`.

        No row leaves the pod. All of it happens, or nothing.

        Args:
            source: database that the rows are of.
            rows: statement that selects them.
            target: database that the statements change.
            columns: of `told`, with types.
            statements: SQL.
            seconds: bound.

        Raises:
            ClusterError: the instance does not answer, or a statement failed.
        """
        command = ["sh", "-c", _CARRY, "sh", source, rows, target, columns, statements]
        return self.cluster.execute(self.namespace, self.pod, CONTAINER, command, extra_seconds=seconds)

    def databases(self) -> dict[str, Database]:
        """Return the databases by their names, without PostgreSQL's own; raises as `run`."""
        rows: list[dict[str, Any]] = self.ask(ADMINISTRATION, DATABASES)
        return {
            each["name"]: Database(
                **{key: each[key] for key in each if key != "comment"}, note=note_in(each["comment"])
            )
            for each in rows
        }

    def beside(self, database: str) -> list[Database]:
        """Return those that stand beside a live one: restored, or kept."""
        named = ((each, KeptDatabase.of(each.name)) for each in self.databases().values())
        return [each for each, kept in named if kept and kept.database == database]


def note_in(comment: str) -> dict[str, Any]:
    """Return what this project wrote down in a database's comment; nothing where somebody else wrote it."""
    try:
        found = json.loads(comment)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def quoted(text: str) -> str:
    """Return text as SQL takes it."""
    return "'" + text.replace("'", "''") + "'"


def commented(name: str, note: dict[str, Any]) -> str:
    """Return the statement that writes a note down about a database; it stays when the database is renamed."""
    return f'COMMENT ON DATABASE "{name}" IS {quoted(json.dumps(note))}'
