"""A site's Kubernetes API: whether it answers, with which version and at what time; asked once for all checks."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from threading import Lock
from typing import Any, cast

from shopsphere.clients.cluster import Cluster, Document
from shopsphere.clients.site_cluster import cluster_of
from shopsphere.doctor.question import failed
from shopsphere.estate.cluster_role import Role
from shopsphere.estate.stack import StackId
from shopsphere.estate.stack_files import wanted_configuration
from shopsphere.foundation import bounded
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.finding import Finding, fails, passes, unknown

OLDEST = (1, 30)
"""Oldest Kubernetes that passes: from it on, ValidatingAdmissionPolicy is no preview any more."""

CLOCK_SECONDS = 2.0
"""Difference of clocks that passes (s): a Date header has whole seconds, and the request takes part of one."""

VERSION_SECONDS = 5.0
"""Bound on the first answer (s), connection included: an API that hangs is reported before the examination ends."""

_SECONDS = 3.0


class SiteApi:
    """A site's API as several checks look at it at once."""

    def __init__(self, stack: StackId, connect: Callable[[StackId], Cluster] | None = None) -> None:
        self.stack = stack
        self._connect = connect or _connect
        self._asking = Lock()
        self._asked: Future[tuple[Cluster, Document]] | None = None

    def answers(self) -> Finding:
        """Ask the API for its version."""
        try:
            _, version = self._answer()
        except ShopSphereError as error:
            return failed(error, "start the site, or correct kubeconfig and context in its stack's configuration")
        return judge_version(str(version.get("gitVersion")))

    def documents(self, path: str, **query: str) -> list[Document]:
        """Return the entries of a list.

        Raises:
            ShopSphereError: the API does not answer, or refuses.
        """
        return self._answering().items(path, **query)

    def document(self, path: str) -> Document:
        """Return one object.

        Raises:
            ShopSphereError: the API does not answer, refuses, or there is none.
        """
        return self._answering().get(path)

    def clock(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Finding:
        """Compare the API server's clock with this machine's."""
        cluster = self._answering()
        before = now()
        told = cluster.date()
        after = now()
        return judge_clock(told, before, after)

    def _answer(self) -> tuple[Cluster, Document]:
        """Return the answer that all checks share; the API is asked once only, even if the answer is an error.

        The lock is held while the question is put and not while it is answered: no check waits for more than
        VERSION_SECONDS, whoever has put the question.
        """
        with self._asking:
            self._asked = self._asked or bounded.start(self._ask, name=f"version of {self.stack.label}")
        return bounded.answer_of(
            self._asked, what=f"{self.stack.label}: no answer; the request", seconds=VERSION_SECONDS
        )

    def _ask(self) -> tuple[Cluster, Document]:
        cluster = self._connect(self.stack)
        return cluster, cluster.get("/version")

    def _answering(self) -> Cluster:
        try:
            return self._answer()[0]
        except ShopSphereError as error:
            raise ApiSilentError("its API does not answer\n  do:       see the check of the API") from error


def _connect(stack: StackId) -> Cluster:
    return cluster_of(stack, Role.UP, seconds=_SECONDS, configured=wanted_configuration)


class ApiSilentError(ShopSphereError):
    """A check needs an API that does not answer; the check of the API itself says why."""


def judge_version(text: str) -> Finding:
    """Judge the version of Kubernetes, as in `v1.36.0`."""
    numbers = re.match(r"v?(\d+)\.(\d+)", text)
    if not numbers:
        return unknown(f"it calls itself {text}")
    if (int(numbers[1]), int(numbers[2])) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        return fails(f"Kubernetes {text}", f"upgrade it to {oldest} or newer: residency needs its admission policies")
    return passes(f"Kubernetes {text}")


def judge_clock(told: str | None, before: datetime, after: datetime) -> Finding:
    """Judge a Date header against this machine's clock before and after it was asked for."""
    try:
        there = parsedate_to_datetime(told or "")
    except ValueError:
        return unknown(f"the API tells no time ({told!r})")
    # The header is cut down to a whole second.
    ahead = (there - after).total_seconds()
    behind = (before - there).total_seconds() - 1
    off = max(ahead, behind, 0.0)
    if off > CLOCK_SECONDS:
        way = "ahead of" if ahead > behind else "behind"
        return fails(
            f"its clock is {off:.0f} s {way} this machine's",
            "set both by NTP: certificates, records and audit logs carry these times",
        )
    return passes(f"within {CLOCK_SECONDS:.0f} s of this machine's clock")


def labels_of(document: Document) -> dict[str, Any]:
    """Return an object's labels."""
    return cast("dict[str, Any]", document["metadata"].get("labels") or {})
