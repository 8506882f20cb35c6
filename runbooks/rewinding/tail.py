"""What a copy would lose by a rewind: the rows that transactions after the fork have written, by table."""

from __future__ import annotations

import json
import re
import shlex
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from runbooks.rewinding.divergence import Divergence, written
from shopsphere.clients.cluster import Cluster
from shopsphere.clients.cluster_errors import ClusterError
from shopsphere.clients.postgres import ask
from shopsphere.clients.questions import CONTAINER, STRICT_PSQL

MOST = 5000
"""Records of the log that are read; what is more is kept all the same, and said to be more."""
SECONDS = 60.0
"""Bound on reading them, and on writing the rows of one table down (s)."""
_READ = """
pg_waldump --quiet --path "$PGDATA/pg_wal" --timeline "$0" --start "$1" --limit 1 > /dev/null || exit 1
pg_waldump --path "$PGDATA/pg_wal" --timeline "$0" --start "$1" --limit "$2" --rmgr Transaction --rmgr Heap \
--rmgr Heap2 2> /dev/null
:
"""  # it ends with a failure at the end of the log
_RECORD = re.compile(r"rmgr: (\w+) .*?tx: +(\d+), .*?desc: (.*)")
_SUBTRANSACTIONS = re.compile(r"subxacts: ([\d ]+)")
_BLOCK = re.compile(r"blkref #0: rel \d+/(\d+)/(\d+) (?:fork \w+ )?blk (\d+)")
_WRITES = ("INSERT", "UPDATE", "HOT_UPDATE", "DELETE", "MULTI_INSERT")
_NAMES = """
SELECT json_build_object('tables', coalesce(json_object_agg(node, name), '{{}}')) FROM (
  SELECT node::text, pg_filenode_relation(0, node)::regclass::text AS name FROM unnest('{{{0}}}'::oid[]) AS node
) AS found WHERE name IS NOT NULL
"""
_DATABASES = "SELECT json_build_object('names', json_object_agg(oid::text, datname)) FROM pg_database"
_PER_PAGE = 300
"""Rows of one page are fewer (`MaxHeapTuplesPerPage` is 291)."""
_KEEP = 'place=$PGDATA/../$0/rows; mkdir -p "$place" && exec "$@" > "$place/$ROWS"'


@dataclass
class Written:
    """What was written into one table: rows, and the pages that they are on."""

    rows: int = 0
    pages: set[int] = field(default_factory=set)


@dataclass
class Tail:
    """What transactions after the fork have written.

    Attributes:
        transactions: those that were committed and wrote rows, by number.
        tables: by database and file, as the log names them.
        is_whole: there were no more records than were read.
        names: of tables, as `commerce.orders`, by database and file; those of PostgreSQL's own are left out.
    """

    transactions: set[str] = field(default_factory=set)
    tables: dict[tuple[str, str], Written] = field(default_factory=dict)
    is_whole: bool = True
    names: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def has_rows(self) -> bool:
        """Whether anything that a client had written is in it, or may be."""
        return bool(self.transactions) or not self.is_whole

    def __str__(self) -> str:
        """As the operator reads it."""
        if not self.has_rows:
            return "no row"
        tables = [
            f"{self.names.get(key, 'file ' + '/'.join(key))} {found.rows}"
            for key, found in sorted(self.tables.items())
            if not self.names.get(key, "").startswith("-")
        ]
        count = f"{'' if self.is_whole else 'at least '}{len(self.transactions)} transactions"
        return f"{count} (rows written: {', '.join(tables) or 'of the catalogue alone'})"


def read_tail(cluster: Cluster, namespace: str, pod: str, apart: Divergence) -> Tail:
    """Return what a copy has written after the fork, from its log; PostgreSQL does not need to run.

    Raises:
        ClusterError: the pod does not answer, or its log cannot be read from the fork on.
    """
    words = [str(apart.line), written(apart.fork), str(MOST)]
    output = cluster.execute(namespace, pod, CONTAINER, ["sh", "-c", _READ, *words], extra_seconds=SECONDS)
    return parsed(output)


def parsed(output: str) -> Tail:
    """Return what `pg_waldump` says, of transactions that were committed."""
    lines = output.splitlines()
    done: set[str] = set()
    wrote: dict[str, list[tuple[tuple[str, str], int]]] = defaultdict(list)
    for line in lines:
        record = _RECORD.match(line)
        if not record:
            continue
        manager, number, says = record.groups()
        if manager == "Transaction" and says.startswith("COMMIT"):
            done.add(number)
            below = _SUBTRANSACTIONS.search(says)
            done.update(below[1].split() if below else ())
        block = _BLOCK.search(says)
        if manager.startswith("Heap") and says.startswith(_WRITES) and block:
            wrote[number].append(((block[1], block[2]), int(block[3])))
    tail = Tail(is_whole=len(lines) < MOST)
    for number in done & wrote.keys():
        tail.transactions.add(number)
        for table, page in wrote[number]:
            found = tail.tables.setdefault(table, Written())
            found.rows += 1
            found.pages.add(page)
    return tail


def name_tables(tail: Tail, cluster: Cluster, namespace: str, pod: str) -> None:
    """Let an instance of the active site say how the tables are called: files are called the same at both sites.

    Raises:
        ClusterError: the instance does not answer.
    """
    databases: Mapping[str, str] = ask(cluster, namespace, pod, _DATABASES)["names"]
    for number, name in databases.items():
        files = [file for database, file in tail.tables if database == number]
        if not files:
            continue
        command = [*STRICT_PSQL, "--command", _NAMES.format(",".join(files)), name]
        output = cluster.execute(namespace, pod, CONTAINER, command)
        known = _tables(output)
        for file in files:
            table = known.get(file, "")
            own = not table or table.startswith(("pg_", "information_schema."))
            tail.names[number, file] = f"-{table or file}" if own else f"{name}.{table}"


def _tables(output: str) -> dict[str, str]:
    found = json.loads(output)["tables"]
    return {str(key): str(value) for key, value in found.items()}


def keep_rows(tail: Tail, cluster: Cluster, namespace: str, pod: str, folder: str) -> list[str]:
    """Write the rows down in files beside the data, one JSON object a line, while the copy still answers.

    No row leaves the pod. Returns why those of a table could not be written; their log is kept all the same.
    """
    failed = []
    for key, name in tail.names.items():
        if name.startswith("-"):
            continue
        database, _, table = name.partition(".")
        pages = ",".join(map(str, sorted(tail.tables[key].pages)))
        numbers = ",".join(sorted(tail.transactions))
        rows = (
            f"COPY (SELECT row_to_json(kept) FROM {table} AS kept WHERE ctid = ANY (ARRAY("  # noqa: S608 - ours
            f"SELECT format('(%s,%s)', page, row)::tid FROM unnest('{{{pages}}}'::bigint[]) AS page, "
            f"generate_series(1, {_PER_PAGE}) AS row)) AND xmin::text = ANY ('{{{numbers}}}')) TO STDOUT"
        )
        file = shlex.quote(f"{database}.{table.replace('/', '_')}.json")
        command = [*STRICT_PSQL, "--command", f"SET statement_timeout = '{SECONDS:g}s'", "--command", rows, database]
        try:
            cluster.execute(
                namespace, pod, CONTAINER,
                ["sh", "-c", f"ROWS={file}; {_KEEP}", folder, *command],
                extra_seconds=SECONDS,
            )  # fmt: skip
        except ClusterError as error:
            failed.append(f"{name}: {error}")
    return failed
