"""What the checks look at: each question is asked once, however many checks need the answer, and within one bound."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

from runbooks.engine import bounded
from runbooks.pair_access import PairAccess
from runbooks.readiness.no_answer import from_error
from shopsphere.clients.cluster import Document
from shopsphere.clients.postgres import ask_instance, leading_pod
from shopsphere.clients.postgres_capacity import Capacity, ask_capacity
from shopsphere.estate.databases import DATABASES, DatabaseModel
from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.finding import Finding
from shopsphere.topology import FurtherNode
from shopsphere.witness import PairRecord
from shopsphere.witness.seen import Seen

FACT_SECONDS = 4.5
"""Bound on all questions together; with the start of the program a whole answer takes less than 6 s."""

Fact = TypeVar("Fact")


class PairView:
    """A pair at one moment; safe to share between threads.

    Every question raises ShopSphereError when it is not answered, OutOfTimeError among them.

    Args:
        access: the ways to the pair.
        seconds: bound on all questions together, from now on.
        clock: replaceable in tests.
    """

    def __init__(
        self,
        access: PairAccess,
        *,
        seconds: float = FACT_SECONDS,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.access, self.pair = access, access.pair
        self._clock, self._end = clock, clock.monotonic() + seconds
        self._facts: dict[str, Future[Any]] = {}
        self._asking = threading.Lock()

    @property
    def seconds_left(self) -> float:
        """What is left of the bound (s)."""
        return max(0.0, self._end - self._clock.monotonic())

    def once(self, what: str, work: Callable[[], Fact]) -> Fact:
        """Return the answer to a question that is asked when it is needed first; `what` names it in errors."""
        with self._asking:
            if what not in self._facts:
                self._facts[what] = bounded.start(work, name=what)
            future: Future[Fact] = self._facts[what]
        return bounded.answer_of(future, what=what, seconds=self.seconds_left)

    def judge_each(self, works: Mapping[str, Callable[[], Finding]]) -> list[Finding]:
        """Judge several subjects side by side; those that do not answer are unknown and hide no other."""
        asked = {subject: bounded.start(work, name=subject) for subject, work in works.items()}
        judged: list[Finding] = []
        silent: dict[str, tuple[ShopSphereError, list[str]]] = {}
        for subject, future in asked.items():
            try:
                judged.append(bounded.answer_of(future, what="its answer", seconds=self.seconds_left))
            except ShopSphereError as error:
                _, subjects = silent.setdefault(str(error), (error, []))  # a dead site is told once
                subjects.append(subject)
        return [*judged, *(from_error(error, ", ".join(subjects)) for error, subjects in silent.values())]

    def judge_databases(self, judge: Callable[[DatabaseModel], Finding]) -> list[Finding]:
        """Judge both databases side by side."""
        return self.judge_each({database.name: partial(judge, database) for database in DATABASES})

    @property
    def seen(self) -> Seen:
        """Record and lease, as the witness gave them."""
        return self.once("the witness", self.access.witness.see)

    @property
    def record(self) -> PairRecord:
        """The record of the pair."""
        return self.seen.require_record(self.pair.name)

    @property
    def active(self) -> str:
        """The site that takes writes, as the witness says."""
        return self.record.active

    @property
    def recovery(self) -> str:
        """The site that would take over."""
        return self.pair.other_than(self.active)

    def document(self, site: str, database: DatabaseModel) -> Document:
        """Return the CloudNativePG cluster of a database at a site."""
        return self.once(f"the API of {site} about {database.name}", self.access.database(site, database).document)

    def instance(self, site: str, database: DatabaseModel) -> dict[str, Any]:
        """Return what the leading instance says of its role and replication."""
        return self._ask_pod("replication", ask_instance, site, database)

    def capacity(self, site: str, database: DatabaseModel) -> Capacity:
        """Return what the leading instance says of its version, log and volumes."""
        return self._ask_pod("capacity", ask_capacity, site, database)

    def items(self, site: str, path: str, **query: str) -> list[Document]:
        """Return a list of a site's API."""
        what = " ".join((f"the API of {site} at {path}", *query.values()))
        return self.once(what, lambda: self.access.cluster(site).items(path, **query))

    def agent(self, site: str) -> dict[str, Any]:
        """Return what a site's agent says."""
        return self.once(f"the agent of {site}", lambda: self.access.agent_state(site))

    def node(self, site: str, node: FurtherNode) -> dict[str, Any]:
        """Return what the agent of a further node of a site says."""
        return self.once(f"the agent of {node.name}", lambda: self.access.node_state(site, node))

    def _ask_pod(self, what: str, question: Callable[..., Fact], site: str, database: DatabaseModel) -> Fact:
        pod = leading_pod(self.document(site, database))
        namespace = database.namespace.name
        return self.once(
            f"the {what} of {database.name} at {site}", lambda: question(self.access.cluster(site), namespace, pod)
        )
