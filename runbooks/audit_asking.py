"""Asking all who keep heads of audit logs: the witness and both agents of each pair, side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from runbooks.agent.audit_heads import heads_told, read_heads
from runbooks.audit_check import Told, judge, look_at
from runbooks.audit_trail import FILE
from runbooks.engine import bounded
from runbooks.pair_access import PairAccess
from shopsphere.estate.paths import records_directory
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import ShopSphereError, one_line
from shopsphere.foundation.finding import Finding
from shopsphere.foundation.side_by_side import at_each
from shopsphere.topology import Topology
from shopsphere.witness import Witness
from shopsphere.witness.access import witness_of
from shopsphere.witness.heads import Heads

ASK_SECONDS = 8.0
"""Bound on one answer (s): three voters that hang, one after the other."""


def verify(
    topology: Topology, pairs: Sequence[str], environment: Environment, kept: Sequence[Path] = ()
) -> list[Finding]:
    """Compare this machine's log with what the witnesses and agents of these pairs keep, and with kept files.

    Args:
        topology: the pairs' sites.
        pairs: names.
        environment: whose log.
        kept: files of agents, as the owners of their sites handed them out.
    """
    local = look_at(records_directory(environment) / FILE)
    told = [each for found in at_each(list(pairs), partial(_of_pair, topology, environment)) for each in found]
    return judge(local, [*told, *(_of_file(each) for each in kept)])


def told_by(who: str, ask: Callable[[], Heads]) -> Told:
    """Return what somebody tells; who does not answer in time is a problem, and no error."""
    try:
        return Told(who, bounded.call(ask, what="its answer", seconds=ASK_SECONDS))
    except ShopSphereError as error:
        return Told(who, problem=one_line(error))


def _of_pair(topology: Topology, environment: Environment, name: str) -> list[Told]:
    pair, who = topology.pair(name), f"the witness of {name}"
    asked: dict[str, Callable[[], Heads]] = {}
    unknown = []
    try:
        witness = witness_of(name, environment)
    except ShopSphereError as error:  # where it is, or its keys, is not known here; the agents are asked all the same
        witness, unknown = Witness(name, []), [Told(who, problem=one_line(error))]
    else:
        asked[who] = witness.audit.heads
    with closing(witness):
        access = PairAccess(topology, pair, environment, witness)
        for site in pair.sites:
            asked[f"the agent of {site}"] = partial(_of_agent, access, site)
        return [*unknown, *at_each(list(asked.items()), lambda each: told_by(*each))]


def _of_agent(access: PairAccess, site: str) -> Heads:
    return heads_told(access.agent_state(site))


def _of_file(path: Path) -> Told:
    try:
        return Told(f"the file {path}", read_heads(path))
    except OSError as error:
        return Told(f"the file {path}", problem=f"it cannot be read: {error.strerror}")
