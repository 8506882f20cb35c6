"""The list of checks, all asked at once, and what they say together."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from runbooks.engine import bounded
from runbooks.pair_access import PairAccess
from runbooks.readiness import (
    p01_replication,
    p02_synchrony,
    p03_versions,
    p04_secrets,
    p05_capacity,
    p06_names,
    p07_witness,
    p08_drill,
    p09_leftovers,
    p10_headroom,
    p11_audit,
    p12_backups,
    p13_event_log,
)
from runbooks.readiness.no_answer import from_error
from runbooks.readiness.pair_view import PairView
from runbooks.readiness.row import check_id
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.finding import Finding, Severity
from shopsphere.topology import Topology
from shopsphere.witness.access import witness_of

LAST_WORD_SECONDS = 0.5
"""What a check has, beyond the bound on its questions, to say what it knows."""


class Check(Protocol):
    """What a module of a check has."""

    NAME: str

    def ask(self, view: PairView) -> Finding:
        """Ask and judge; what raises is unknown."""


CHECKS: tuple[Check, ...] = (
    p01_replication,
    p02_synchrony,
    p03_versions,
    p04_secrets,
    p05_capacity,
    p06_names,
    p07_witness,
    p08_drill,
    p09_leftovers,
    p10_headroom,
    p11_audit,
    p12_backups,
    p13_event_log,
)
LAST_DRILL = check_id(CHECKS.index(p08_drill) + 1)
"""The check that only a drill can make pass."""
_WARN: tuple[Check, ...] = (p13_event_log,)
"""Checks of what no order waits for: they keep a pair neither from being ready nor from being moved."""


@dataclass(frozen=True)
class Readiness:
    """What all checks found.

    Attributes:
        pair: its name.
        active: site that takes writes, as the witness says; empty when it does not answer.
        findings: one per check, in order.
    """

    pair: str
    active: str
    findings: tuple[Finding, ...]

    @property
    def is_ready(self) -> bool:
        """Whether every check passed that tells of orders."""
        return not self.wrong

    @property
    def wrong(self) -> tuple[Finding, ...]:
        """Those that did not pass: failed or unknown, and no mere warnings."""
        return tuple(each for each in self.findings if not each.passed and not is_warning(each))

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Those that did not pass, and that no order waits for."""
        return tuple(each for each in self.findings if is_warning(each))

    @property
    def blockers(self) -> tuple[Finding, ...]:
        """Those that keep a drill from being started: all that are wrong but the last drill itself."""
        return tuple(each for each in self.wrong if each.check != LAST_DRILL)


def is_warning(finding: Finding) -> bool:
    """Whether a check did not pass and is of what no order waits for."""
    return not finding.passed and finding.severity is Severity.LOW


def readiness_of(topology: Topology, pair: str, environment: Environment) -> Readiness:
    """Ask everything about a pair, read-only; takes about 5 s at most.

    Raises:
        ShopSphereError: where its witness is, is not known here.
    """
    with closing(witness_of(pair, environment)) as witness:
        return score(PairView(PairAccess(topology, topology.pair(pair), environment, witness)))


def score(view: PairView, checks: Sequence[Check] = CHECKS) -> Readiness:
    """Ask all checks side by side; one that hangs or breaks is unknown and hides no other."""
    asked = [bounded.start(partial(check.ask, view), name=check.NAME) for check in checks]
    findings = []
    for number, (check, future) in enumerate(zip(checks, asked, strict=True), 1):
        try:
            judged = bounded.answer_of(future, what="the check", seconds=view.seconds_left + LAST_WORD_SECONDS)
        except Exception as error:  # noqa: BLE001 - whatever keeps a check from an answer, it is unknown
            judged = from_error(error)
        severity = Severity.LOW if check in _WARN else None
        findings.append(judged.by(check_id(number), check.NAME, severity=severity))
    return Readiness(view.pair.name, _active(view), tuple(findings))


def _active(view: PairView) -> str:
    try:
        return view.active
    except ShopSphereError:
        return ""
