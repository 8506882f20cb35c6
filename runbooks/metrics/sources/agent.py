"""A site's agent: what is open, its lease, its permit, its proof of the fence, its certificates."""

from __future__ import annotations

from collections.abc import Iterator

from runbooks.metrics.metric import Sample
from runbooks.metrics.registry import (
    AGENT_CERTIFICATE_ENDS,
    DOOR_OPEN,
    FENCE_PROVEN,
    LEASE_LEFT,
    PERMIT_STANDING,
    RECORD_BELIEVED,
    WITNESS_HEARD,
)
from runbooks.metrics.source import Source
from runbooks.readiness.agent_certificates import ends_in
from runbooks.readiness.pair_view import PairView
from runbooks.site_nodes import answering

UNPROVEN = "unproven"
"""Why an agent's fence is not known to have effect, empty where it is proven; an older agent does not say it."""


def ask(view: PairView, site: str) -> Iterator[Sample]:
    """Ask a site's agent, and those of further nodes for their fences; what an older one does not say has no sample."""
    state = view.access.agent_state(site)
    for door in ("writes", "databases"):
        yield DOOR_OPEN.sample(bool(state[door]), site=site, door=door)
    if "lease_seconds_left" in state:
        yield LEASE_LEFT.sample(float(state["lease_seconds_left"]), site=site)
    if "permit" in state:
        yield PERMIT_STANDING.sample(state["permit"] is not None, site=site)
    heard = (state.get("witness") or {}).get("seconds_ago")
    if heard is not None:
        yield WITNESS_HEARD.sample(float(heard), site=site)
    # A node that does not answer may have no power: readiness tells of it.
    states = {site: state, **answering(view.access, site)}
    if UNPROVEN in state:  # anything else than "", null too, is no proof
        yield FENCE_PROVEN.sample(all(each.get(UNPROVEN) == "" for each in states.values()), site=site)
    beliefs = [each.get("belief") for each in states.values()]
    if told := [each for each in beliefs if isinstance(each, dict)]:
        yield RECORD_BELIEVED.sample(not any(each.get("problem") for each in told), site=site)
    for node, said in states.items():
        for whom, end in ends_in(said).items():
            ends = end.timestamp() if end else 0
            yield AGENT_CERTIFICATE_ENDS.sample(ends, site=site, node=node, certificate=whom)


SOURCE = Source(
    "agent",
    5,
    3,
    ask,
    (DOOR_OPEN, LEASE_LEFT, PERMIT_STANDING, WITNESS_HEARD, FENCE_PROVEN, RECORD_BELIEVED, AGENT_CERTIFICATE_ENDS),
    of_each_site=True,
)
"""Asked often: both doors of a pair are seen within a few seconds of each other, so that a change is no overlap."""
