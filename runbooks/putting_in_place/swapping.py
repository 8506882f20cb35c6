"""Two names are swapped in one transaction: a kill at any moment leaves the old names or the new ones, and no third.

PostgreSQL renames a database only while nobody is connected to it. The first rename takes the database's lock, which
keeps every new session waiting at the door, and then waits for up to 5 s until the ones inside have left. Another
session ends those meanwhile. So nothing has to be closed beforehand, and nothing has to be opened again after a kill.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runbooks.engine.errors import BlockedError
from runbooks.putting_in_place.instance import IS, KEPT, LIVE, Database, Instance, commented, quoted
from shopsphere.clients.cluster_errors import ProgramError
from shopsphere.clients.questions import CONTAINER
from shopsphere.foundation.errors import one_line

ATTEMPTS = 3
LIMIT = "limit"
"""Stands in the note of a database that was live: how many connections it was let have."""
COMING = "made_room_for"
"""Stands in the same: the name that the one had which took its place."""
LOCK_SECONDS = 3
STATEMENT_SECONDS = 10
EXEC_SECONDS = 45.0
"""Bound on one attempt (s): three renames' locks and waits, and the other site's confirmation."""
_SCRIPT = """
psql --no-psqlrc --quiet --dbname postgres --command "$1" >/dev/null 2>&1 &
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --dbname postgres --command "$2"
code=$?
wait
exit $code
"""
# Ends with the names, and after 12 s at the latest. By number, not by name: those who come to the new one stay.
_EMPTY = """
DO $$ BEGIN
  FOR look IN 1..240 LOOP
    EXIT WHEN NOT EXISTS (SELECT FROM pg_database WHERE oid = {first_oid} AND datname = {first});
    PERFORM pg_stat_clear_snapshot();
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datid IN ({first_oid}, {second_oid}) AND pid <> pg_backend_pid();
    EXIT WHEN look > 60 AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = {mark});
    PERFORM pg_sleep(0.05);
  END LOOP;
END $$
"""


@dataclass(frozen=True)
class Swap:
    """What is renamed to what.

    Attributes:
        live: name of the live database, before and after.
        aside: name that the one which is live now gets.
        coming: name of the one that takes its place, until then.
    """

    live: str
    aside: str
    coming: str


def is_swapped(swap: Swap, there: Mapping[str, Database]) -> bool:
    """Whether the names are those of after the swap."""
    return swap.live in there and swap.aside in there and swap.coming not in there


def statements(swap: Swap, live: Database, coming: Database) -> list[str]:
    """Return the statements of the transaction, in order.

    Args:
        swap: the names.
        live: the database that has the name now.
        coming: the one that is to have it.
    """
    named = ((live.oid, swap.live), (coming.oid, swap.coming))
    seen = " OR ".join(f"(oid = {oid} AND datname = {quoted(name)})" for oid, name in named)
    require = (
        f"DO $$ BEGIN IF pg_is_in_recovery() OR (SELECT count(*) FROM pg_database WHERE {seen}) <> 2 THEN "  # noqa: S608 names of ours
        "RAISE EXCEPTION 'the databases are not those that were looked at, or this instance follows'; END IF; END $$"
    )
    return [
        "BEGIN",
        f"SET LOCAL application_name = {quoted(_mark(live.oid))}",
        f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'",
        f"SET LOCAL statement_timeout = '{STATEMENT_SECONDS}s'",
        require,
        f'ALTER DATABASE "{swap.live}" RENAME TO "{swap.aside}"',
        f'ALTER DATABASE "{swap.coming}" RENAME TO "{swap.live}"',
        f'ALTER DATABASE "{swap.aside}" CONNECTION LIMIT 0',
        f'ALTER DATABASE "{swap.live}" CONNECTION LIMIT {coming.note.get(LIMIT, live.limit)}',
        commented(swap.aside, {**live.note, IS: KEPT, LIMIT: live.limit, COMING: swap.coming}),
        commented(swap.live, {**coming.note, IS: LIVE}),
        "COMMIT",
    ]


def swap_names(leading: Instance, swap: Swap) -> None:
    """Swap the names; sessions of both databases end, and those that come meanwhile wait for a moment.

    Raises:
        BlockedError: nothing was changed: a database is missing, or somebody could not be made to leave.
        ClusterError: the instance does not answer; it is the one or the other, a look tells.
    """
    problem = ""
    for _ in range(ATTEMPTS):
        there = leading.databases()
        if is_swapped(swap, there):  # by an attempt whose answer was lost
            return
        if swap.live not in there or swap.coming not in there or swap.aside in there:
            raise BlockedError.because(
                f"the names cannot be swapped: there are {', '.join(sorted(there))}",
                action=f"{swap.live} and {swap.coming} have to be there, {swap.aside} not: look who changed that",
            )
        live, coming = there[swap.live], there[swap.coming]
        words = ";\n".join(statements(swap, live, coming))
        emptied = _EMPTY.format(
            first_oid=live.oid, second_oid=coming.oid, first=quoted(swap.live), mark=quoted(_mark(live.oid))
        )
        try:
            leading.cluster.execute(
                leading.namespace, leading.pod, CONTAINER, ["sh", "-c", _SCRIPT, "sh", emptied, words],
                extra_seconds=EXEC_SECONDS,
            )  # fmt: skip
        except ProgramError as error:
            problem = one_line(error)
        else:
            return
    raise BlockedError.because(
        f"the names were not swapped, {ATTEMPTS} times; the live database is as it was and takes orders: {problem}",
        action=f"look in pg_stat_activity of pod {leading.pod} who stays in {swap.live}; then call this command again",
    )


def _mark(oid: int) -> str:
    return f"shopsphere swap of {oid}"
