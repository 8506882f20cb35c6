"""A DROP TABLE in commerce and a wrong UPDATE in the ledger, under load, restored to the second before."""

import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alongside import Alongside
from restores import Beside
from scene import Scene
from sql_session import SqlError, SqlSession
from staged import OWN, Stage, moment
from telling import say, stay

from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.process import run

AMOUNT = 7
"""What every row says before the mistake."""
MAKE = (
    "create table {table} (id uuid default gen_random_uuid(), at timestamptz default clock_timestamp(), "
    f"amount int default {AMOUNT}, email text, name text, street text, city text, note text) "
    "with (autovacuum_enabled = false)"
)
"""Rows of the shape of orders: they can be compressed about as well."""
LOOK = f"select count(*), count(*) filter (where amount <> {AMOUNT}), extract(epoch from max(at)) from {{table}}"
BEFORE, OLDEST, ROWS_SECONDS = 10.0, 3.0, 60
"""Rows come for so long (s) before the mistake; the first is so old (s) at least; so long (s) it is waited for."""


@dataclass(frozen=True)
class Mistake:
    """One.

    Attributes:
        database: where.
        table: of the bench's own.
        statement: the mistake.
    """

    database: str
    table: str
    statement: str


MISTAKES = (
    Mistake("commerce", f"{OWN}dropped", f"drop table {OWN}dropped"),
    Mistake("ledger", f"{OWN}balance", f"update {OWN}balance set amount = 0"),
)


class Rows(Alongside):
    """A row each 0.2 s, until the end of `with`, or until the table is gone.

    Attributes:
        taken: when each row was written, by the database's clock (Unix time).
    """

    def __init__(self, site: str, mistake: Mistake) -> None:
        super().__init__("rows")
        self._place, self._table = (site, mistake.database), mistake.table
        self.taken: list[tuple[float, float]] = []

    def go_on(self) -> None:
        """Write a row five times a second."""
        with suppress(SqlError), SqlSession.at(*self._place) as session:  # a dropped table ends it
            while not self.ended.wait(0.2):
                at = session.ask(f"insert into {self._table} default values returning extract(epoch from at)")
                self.taken.append((float(at[0]), time.time()))


def mistakes_under_load(stage: Stage, scene: Scene) -> None:
    """Both, one after the other."""
    stage.judgements.clear()
    scene.mark("fault")
    scene.facts["mistakes"] = {}
    for mistake in MISTAKES:
        with SqlSession.at(scene.active, mistake.database) as session:
            session.ask(f"drop table if exists {mistake.table}")
            session.ask(MAKE.format(table=mistake.table))
            try:
                scene.facts["mistakes"][mistake.database] = made_and_restored(stage, scene, mistake, session)
            finally:
                session.ask(f"drop table if exists {mistake.table}")


def made_and_restored(
    stage: Stage, scene: Scene, mistake: Mistake, session: SqlSession, *, rows: int = 0, words: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Make a mistake while rows come, and bring the table back beside the live database.

    Args:
        stage: what it works with.
        scene: of the run.
        mistake: which; its table is there.
        session: in its database.
        rows: that the table has already.
        words: more of the command.
    """
    with Rows(scene.active, mistake) as coming:
        stay(BEFORE, "rows before the mistake")
        wait_until(
            lambda: coming.taken and time.time() - coming.taken[0][1] > OLDEST, what="rows", seconds=ROWS_SECONDS
        )
        noted = float(session.ask("select extract(epoch from clock_timestamp())")[0])
        session.ask(mistake.statement)
        over = time.time()
    to = moment(int(noted) - 1)
    say(f"{mistake.database}: {mistake.statement!r} at {moment(noted):%H:%M:%S.%f} UTC, goes back to {to:%H:%M:%S}")
    stage.wait_until_told(mistake.database, scene.active, moment(over))
    waited = time.time() - over
    with Beside() as beside:
        said = stage.restore(beside, mistake.database, to, *words)
        if said.code:
            scene.problems.append(f"{mistake.database} was not restored: {said.text[-400:]}")
            return {"seconds": round(said.seconds, 1), "code": said.code}
        looked = beside.ask(mistake.database, LOOK.format(table=mistake.table))
        stage.compare_orders(beside, mistake.database, to)
        needed = beside_bytes(beside)
    found = judged(looked[0] if looked else "", coming.taken, rows, to)
    scene.problems += [f"{mistake.database}: {each}" for each in found.pop("problems")]
    rto = {"waited_for_archive": round(waited, 1), "restore": round(said.seconds, 1), **said.phases}
    return {
        "noted": moment(noted).isoformat(),
        "to": to.isoformat(),
        "rpo_seconds": found.pop("behind", None),
        "seconds_before_the_mistake": round(noted - to.timestamp(), 2),
        "rto_seconds": round(waited + said.seconds, 1),
        "of_it": rto,
        "restored_bytes": needed,
        **found,
    }


def judged(line: str, taken: list[tuple[float, float]], rows: int, to: datetime) -> dict[str, Any]:
    """What a restored table has, against what was written.

    Args:
        line: what LOOK gave.
        taken: when each row was written by the database's clock, and when it was surely there (Unix times).
        rows: that were there before these.
        to: the time that was restored.
    """
    parts = line.split("|")
    if len(parts) != 3:
        return {"problems": [f"the restored table tells nothing: {line!r}"]}
    count, wrong, newest = int(parts[0]), int(parts[1]), float(parts[2] or 0)
    at = to.timestamp()
    least, most = sum(done <= at for _, done in taken), sum(began <= at for began, _ in taken)
    problems = [f"{wrong} rows are as the mistake made them"] if wrong else []
    if not least:
        problems.append("no row came before the time, so that it says nothing of the last second")
    if not least <= count - rows <= most:
        problems.append(f"{count} rows and not {rows + least} to {rows + most}")
    return {"rows": count, "behind": round(max(0.0, at - newest), 2), "problems": problems}


def beside_bytes(beside: Beside) -> int:
    """What a restored folder takes (bytes)."""
    return int(run(["du", "-sk", beside.folder], check=False).stdout.split()[0]) * 1024
