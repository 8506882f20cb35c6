"""A database that is made large, no faster than its followers and its collectors take it."""

import time
from collections.abc import Callable

from collectors import Look
from sql_session import SqlSession
from telling import say

from shopsphere.foundation.errors import ShopSphereError

MEBIBYTE, GIBIBYTE = 2**20, 2**30
ROWS = 100_000
"""Rows of one statement: about 22 MB of the table, and as much log."""
MOST_BEHIND_MIB = 96
"""A follower may be so far behind (MiB): a site keeps 256 MiB of log for it, and one that lacks it is made anew."""
MOST_WAITING_MIB = 384
"""So much may wait at a collector (MiB), of 1536: what it has to drop is a gap in the archive."""
STUCK_SECONDS = 900
"""So long (s) nothing may go on."""
SPARE = 6 * GIBIBYTE
_INSERT = """
insert into {table} (email, name, street, city, note)
select md5(random()::text) || '@example.com', substr(md5(i::text), 1, 9) || ' ' || substr(md5(random()::text), 1, 12),
  'Example Street ' || i, 'Frankfurt am Main', md5(random()::text) || md5(i::text) from generate_series(1, {rows}) i
"""
_BEHIND = """
select coalesce(max(pg_wal_lsn_diff(pg_current_wal_lsn(), coalesce(flush_lsn, write_lsn, sent_lsn))), 0)::bigint
from pg_stat_replication where application_name not like 'pg_basebackup%'
"""
_SIZE = "select pg_total_relation_size('{table}')"


def bytes_needed(gigabytes: float, instances: int) -> int:
    """Room that a large restore takes on the lab's one disk (bytes).

    Each instance has the table; both buckets have its log and one a base backup, packed; the restore has the base
    backup packed, as a tar and unpacked. Half is what packing is reckoned to leave.
    """
    one = gigabytes * GIBIBYTE
    return round(one * (instances + 3 * 0.5 + 2.5)) + SPARE


def require_room(gigabytes: float, instances: int, free: int) -> str:
    """Say what is needed, before anything is written.

    Raises:
        ShopSphereError: there is less.
    """
    needed = bytes_needed(gigabytes, instances)
    said = f"{gigabytes:g} GiB at {instances} instances need up to {needed / GIBIBYTE:.0f} GiB of this machine's disk"
    if free < needed:
        raise ShopSphereError.build(
            "not enough room for a large restore; nothing was written",
            expected=said,
            found=f"{free / GIBIBYTE:.0f} GiB are free",
            action=f"--gigabytes {max(0.0, gigabytes * (free - SPARE) / (needed - SPARE)):.1f}, or make room",
        )
    return f"{said}; {free / GIBIBYTE:.0f} GiB are free"


def fill(session: SqlSession, table: str, gigabytes: float, look: Callable[[], list[Look]]) -> tuple[int, int]:
    """Fill a table; return its rows and its bytes.

    Args:
        session: in its database, at the site that leads.
        table: that is filled.
        gigabytes: that it shall have (GiB).
        look: asks the collectors.

    Raises:
        ShopSphereError: nothing went on for STUCK_SECONDS.
    """
    rows = size = 0
    told = began = time.monotonic()
    while size < gigabytes * GIBIBYTE:
        wait_for_others(session, look)
        session.ask(_INSERT.format(table=table, rows=ROWS))
        rows += ROWS
        size = int(session.ask(_SIZE.format(table=table))[0])
        if time.monotonic() - told > 15:
            told = time.monotonic()
            say(f"  {size / GIBIBYTE:.2f} of {gigabytes:g} GiB, {size / MEBIBYTE / (told - began):.1f} MiB/s")
    return rows, size


def wait_for_others(
    session: SqlSession, look: Callable[[], list[Look]], sleep: Callable[[float], None] = time.sleep
) -> None:
    """Wait until followers and collectors are near enough.

    Raises:
        ShopSphereError: they were not for STUCK_SECONDS.
    """
    end = time.monotonic() + STUCK_SECONDS
    while who := too_far(int(session.ask(_BEHIND)[0]), look()):
        if time.monotonic() > end:
            raise ShopSphereError.build(
                "the table could not be filled",
                expected="followers and collectors to take what is written",
                found=f"for {STUCK_SECONDS} s: {who}",
                action="`shopsphere status PAIR`; the table is removed",
            )
        sleep(1)


def too_far(behind: int, looks: list[Look]) -> str:
    """Who is too far behind; empty for nobody.

    Args:
        behind: bytes of log that the slowest follower lacks.
        looks: what the collectors tell.
    """
    if behind > MOST_BEHIND_MIB * MEBIBYTE:
        return f"a follower is {behind // MEBIBYTE} MiB behind"
    for each in looks:
        name = "-".join(each.name)
        if not each.figures:
            return f"archive-{name} does not answer"
        if each.figures.get("waiting_bytes", 0) > MOST_WAITING_MIB * MEBIBYTE:
            return f"{each.figures['waiting_bytes'] / MEBIBYTE:.0f} MiB wait at archive-{name}"
    return ""
