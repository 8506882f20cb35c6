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
export LC_ALL=C
dump() { pg_waldump --path "$PGDATA/pg_wal" --timeline "$line" "$@"; }
line=$0 fork=$1 end=$2 most=$3 before=$4 own=$5
of_rows="--rmgr Transaction --rmgr Heap --rmgr Heap2"
dump --quiet --start "$fork" --limit 1 > /dev/null || exit 1
dump --quiet --start "$before" --limit 1 > /dev/null 2>&1 || before=$own
dump --start "$before" --end "$fork" $of_rows 2> /dev/null | tail -n "$most"
echo "fork"
dump --start "$fork" --limit "$most" $of_rows 2> /dev/null
dump --quiet --start "$fork" --end "$end" > /dev/null 2>&1 && echo "read to the end"
:
"""
"""Without an end it ends with a failure, as at a damaged record; with one, only where it could be read up to there."""
_FORK, _READ_WHOLE = "fork", "read to the end"
_BEFORE, _NEAR = 2**24, 2**20
"""How far before the fork rows are looked for whose transaction ended after it: 16 MiB, or where that log is gone any
more, what the fork's own segment is sure to have (bytes)."""
_RECORD = re.compile(r"rmgr: (\w+) .*?tx: +(\d+), .*?desc: (.*)")
_COMMIT = re.compile(r"COMMIT(?:_PREPARED (\d+))?")
_SUBTRANSACTIONS = re.compile(r"subxacts: ([\d ]+)")
_BLOCK = re.compile(r"blkref #0: rel \d+/(\d+)/(\d+) (?:fork \w+ )?blk (\d+)")
_WRITES = ("INSERT", "UPDATE", "HOT_UPDATE", "DELETE", "MULTI_INSERT")
_NAMES = """
SELECT json_build_object('tables', coalesce(json_object_agg(node, name), '{{}}')) FROM (
  SELECT node::text, CASE WHEN relnamespace::regnamespace::text ~ '^(pg_|information_schema$)' THEN '-' ELSE '' END
    || pg_class.oid::regclass::text AS name
  FROM unnest('{{{0}}}'::oid[]) AS node JOIN pg_class ON pg_class.oid = pg_filenode_relation(0, node)
) AS found
"""
_DATABASES = "SELECT json_build_object('names', json_object_agg(oid::text, datname)) FROM pg_database"
_SHARED = "0"
"""Number of no database: the tables of PostgreSQL's own that all of them share."""
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
    """What transactions that ended after the fork have written.

    Attributes:
        transactions: those that were committed after the fork, by number.
        early: those of them that began before the fork, or of which no written row was found.
        numbers: of the transactions and of those within them, as rows carry them.
        tables: by database and file, as the log names them.
        is_whole: the log was read up to where the copy is, and had no more records than were read.
        names: of tables, as `commerce.orders`, by database and file; those of PostgreSQL's own begin with `-`.
    """

    transactions: set[str] = field(default_factory=set)
    early: set[str] = field(default_factory=set)
    numbers: set[str] = field(default_factory=set)
    tables: dict[tuple[str, str], Written] = field(default_factory=dict)
    is_whole: bool = True
    names: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def has_rows(self) -> bool:
        """Whether anything that a client had written is in it, or may be: any commit, and any doubt about the log."""
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
        if self.early:
            count += f", of which {len(self.early)} began before the fork or show no row,"
        nothing = "of the catalogue alone" if self.tables else "none found in the log"
        return f"{count} (rows written: {', '.join(tables) or nothing})"


def read_tail(cluster: Cluster, namespace: str, pod: str, apart: Divergence) -> Tail:
    """Return what a copy has written after the fork, from its log; PostgreSQL does not need to run.

    Raises:
        ClusterError: the pod does not answer, or its log cannot be read from the fork on.
    """
    before = max(apart.fork - _BEFORE, _BEFORE)
    own = max(apart.fork - 1 - (apart.fork - 1) % _NEAR, _BEFORE)
    places = [written(each) for each in (apart.fork, apart.end)]
    words = [str(apart.line), *places, str(MOST), written(before), written(own)]
    output = cluster.execute(namespace, pod, CONTAINER, ["sh", "-c", _READ, *words], extra_seconds=SECONDS)
    return parsed(output)


def parsed(output: str) -> Tail:
    """Return what `pg_waldump` says, before and after the fork, of transactions that were committed after it."""
    lines = output.splitlines()
    fork = lines.index(_FORK) if _FORK in lines else -1
    done: set[str] = set()
    within: dict[str, str] = {}
    wrote: dict[str, list[tuple[tuple[str, str], int]]] = defaultdict(list)
    late: set[str] = set()
    begun: set[str] = set()
    for place, line in enumerate(lines):
        record = _RECORD.match(line)
        if not record:
            continue
        manager, number, says = record.groups()
        commit = _COMMIT.match(says) if manager == "Transaction" and place > fork else None
        if commit:
            done.add(commit[1] or number)
            below = _SUBTRANSACTIONS.search(says)
            within.update(dict.fromkeys(below[1].split() if below else (), commit[1] or number))
        block = _BLOCK.search(says)
        if manager.startswith("Heap") and says.startswith(_WRITES) and block:
            wrote[number].append(((block[1], block[2]), int(block[3])))
            (late if place > fork else begun).add(number)
    after = lines[fork + 1 :]
    whole = _READ_WHOLE in after and len(after) <= MOST
    tail = Tail(transactions=done, numbers=done | within.keys(), is_whole=whole)
    seen = {within.get(number, number) for number in late} - {within.get(number, number) for number in begun}
    tail.early = done - seen
    for number in tail.numbers & wrote.keys():
        for table, page in wrote[number]:
            found = tail.tables.setdefault(table, Written())
            found.rows += 1
            found.pages.add(page)
    return tail


def name_tables(tail: Tail, cluster: Cluster, namespace: str, pod: str) -> None:
    """Let an instance say how the tables are called that have no name yet: files are called the same at both sites.

    What it does not know, as a table that only the copy has or has written anew, is left without a name.

    Raises:
        ClusterError: the instance does not answer.
    """
    databases: Mapping[str, str] = ask(cluster, namespace, pod, _DATABASES)["names"]
    for number, file in tail.tables:
        if number == _SHARED:
            tail.names[number, file] = f"-{file}"
    for number, name in databases.items():
        files = [file for database, file in tail.tables if database == number and (database, file) not in tail.names]
        if not files:
            continue
        command = [*STRICT_PSQL, "--command", _NAMES.format(",".join(files)), name]
        output = cluster.execute(namespace, pod, CONTAINER, command)
        for file, table in _tables(output).items():
            tail.names[number, file] = table if table.startswith("-") else f"{name}.{table}"


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
        numbers = ",".join(sorted(tail.numbers))
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
