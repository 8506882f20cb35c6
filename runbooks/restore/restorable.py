"""Between which times the databases of pairs can be restored, told within seconds also where an archive is silent."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from functools import partial

from runbooks.restore.archives import Backup, backup_at, bucket_of
from runbooks.restore.stretches import whole_time
from shopsphere.estate.databases import DATABASES, DatabaseModel
from shopsphere.estate.stack import Environment
from shopsphere.foundation import bounded
from shopsphere.foundation.errors import ShopSphereError, one_line
from shopsphere.status.model import Restorable
from shopsphere.topology import Pair, Topology

SECONDS = 5.0
"""So long (s) an archive has for its answer, from when it was asked: it is asked while sites are."""
_NO_ARCHIVE = "no archive is declared: a mistake that replication copies stays"
_Question = tuple[str, str, str]
"""Pair, database and site."""


class Archives:
    """The archives of an environment; what one was asked and has not answered yet is not asked again.

    Args:
        topology: sites and pairs.
        environment: which one.
        seconds: so long an archive has for its answer.
    """

    def __init__(self, topology: Topology, environment: Environment, *, seconds: float = SECONDS) -> None:
        self._topology, self._environment, self._seconds = topology, environment, seconds
        self._asked: dict[_Question, Future[Backup]] = {}
        self._unknown: dict[str, str] = {}
        self._end = 0.0

    def ask(self, pairs: Iterable[str]) -> None:
        """Ask for each database of these pairs, at each site; the answers are not waited for."""
        self._end = time.monotonic() + self._seconds
        for name in pairs:
            pair = self._topology.pair(name)
            self._unknown[name] = self._why_not(pair)
            if self._unknown[name]:
                continue
            for database in DATABASES:
                for site in pair.sites:
                    self._begin(pair, database, site)

    def told(self, pairs: Iterable[str]) -> tuple[Restorable, ...]:
        """Return what is known of each database of these pairs, at the latest when the time is over."""
        return tuple(self._told(self._topology.pair(name), each.name) for name in sorted(pairs) for each in DATABASES)

    def _begin(self, pair: Pair, database: DatabaseModel, site: str) -> None:
        question = (pair.name, database.name, site)
        before = self._asked.get(question)
        if before is None or before.done():
            work = partial(backup_at, self._topology, pair, self._environment, database, site)
            self._asked[question] = bounded.start(work, name=f"archive of {database.cluster(site)}")

    def _why_not(self, pair: Pair) -> str:
        """Return why nobody here can ask the archive of a pair; empty where somebody can."""
        if self._topology.archive_of(pair.primary) is None:
            return _NO_ARCHIVE
        try:
            bucket_of(self._topology, pair, self._environment, DATABASES[0].cluster(pair.primary))
        except ShopSphereError as error:
            return f"not known on this machine: {one_line(error)}"
        return ""

    def _told(self, pair: Pair, database: str) -> Restorable:
        if self._unknown[pair.name]:
            return Restorable(pair.name, database, note=self._unknown[pair.name])
        answers = {site: self._answer((pair.name, database, site)) for site in pair.sites}
        return judged(pair.name, database, answers)

    def _answer(self, question: _Question) -> Backup:
        _, database, site = question
        try:
            return bounded.answer_of(
                self._asked[question], what=f"the archive of {site}", seconds=self._end - time.monotonic()
            )
        except bounded.OutOfTimeError:
            return Backup(database, site, problem=f"the archive did not answer within {self._seconds:.0f} s")


def judged(pair: str, database: str, answers: Mapping[str, Backup]) -> Restorable:
    """Return between which times a database can be restored to any, from the bucket of one site or the other.

    Args:
        pair: whose.
        database: which.
        answers: what the bucket of each site told.
    """
    silent = {site: each.problem for site, each in answers.items() if each.problem}
    whole = whole_time(stretch for each in answers.values() for stretch in each.stretches)
    days = max((each.kept_days for each in answers.values()), default=0)
    note = "" if whole or silent else "no base backup with its WAL yet"
    since, until = (each.isoformat(timespec="seconds") for each in whole) if whole else ("", "")
    return Restorable(pair, database, since, until, kept_days=days, note=note, problem=_problem(database, silent))


def _problem(database: str, silent: Mapping[str, str]) -> str:
    if not silent:
        return ""
    causes = "; ".join(dict.fromkeys(silent.values()))
    return f"to which times {database} can be restored is not known at {' and '.join(silent)}: {causes}"
