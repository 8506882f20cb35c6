"""P11: the record of what operators did is still the one that the witness and both sites were told of."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from runbooks.agent.audit_heads import heads_told
from runbooks.audit_check import Told, judge, look_at
from runbooks.audit_trail import FILE
from runbooks.readiness.pair_view import PairView
from shopsphere.estate.paths import records_directory
from shopsphere.foundation.errors import ShopSphereError, one_line
from shopsphere.foundation.finding import Finding, together
from shopsphere.foundation.side_by_side import at_each
from shopsphere.witness.heads import Heads

NAME = "The audit log is the one that the witness and both sites know"


def ask(view: PairView) -> Finding:
    """Compare this machine's log with what the witness and both agents of the pair keep."""
    local = look_at(records_directory(view.access.environment) / FILE)
    asked: dict[str, Callable[[], Heads]] = {f"the witness of {view.pair.name}": partial(_of_witness, view)}
    for site in view.pair.sites:
        asked[f"the agent of {site}"] = partial(_of_agent, view, site)
    judged = judge(local, at_each(list(asked.items()), lambda each: _told(*each)))
    return together(_named(each) for each in judged)


def _of_witness(view: PairView) -> Heads:
    return view.once("the heads of audit logs", view.access.witness.audit.heads)


def _of_agent(view: PairView, site: str) -> Heads:
    return heads_told(view.agent(site))


def _told(who: str, question: Callable[[], Heads]) -> Told:
    try:
        return Told(who, question())
    except ShopSphereError as error:
        return Told(who, problem=one_line(error))


def _named(finding: Finding) -> Finding:
    """Return the finding with its subject in its words, as a row has no other place for it."""
    return Finding(verdict=finding.verdict, found=f"{finding.subject}: {finding.found}", action=finding.action)
