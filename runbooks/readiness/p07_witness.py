"""P7: all voters of the witness take part, and let this machine in.

Two of three voters do for a failover, but then no further one may be lost. Where this machine has an operator's keys,
they are tried: whoever finds out at a failover that they are not believed cannot move the pair. When certificates of
voters, agents or this machine end, no site may write. When those of the edge end, no name follows the pair any more;
and when those end with which this machine asks the sites' API servers, nothing of it moves the pair.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

from runbooks.engine import bounded
from runbooks.readiness.agent_certificates import judge_agents
from runbooks.readiness.pair_view import PairView
from runbooks.readiness.role_certificates import judge_roles
from shopsphere.clients.edge_ends import judge_edge_ends
from shopsphere.estate.witness_seats import change_ms, seats
from shopsphere.foundation.certificate_ends import judge_certificates
from shopsphere.foundation.errors import ShopSphereError, one_line
from shopsphere.foundation.finding import Finding, fails, passes, together, unknown
from shopsphere.topology import Pair, Topology
from shopsphere.witness import Voter
from shopsphere.witness.belief import UnbelievedRecordError
from shopsphere.witness.own_keys import OwnKeys, judge_ends
from shopsphere.witness.voter import miscounted

NAME = "Every voter of the witness takes part"
BRING_BACK = "restore it or the network path to it; the witness needs more than half of its voters"
COUNTED = "`shopsphere witness replace` goes on with a voter that is replaced; another member is to be removed"
CLEAN_UP = "`shopsphere witness tend` frees what is not needed; then find out who writes so much"
SIGN = "`shopsphere witness sign` signs the pair's record anew (docs/witness.md)"
LOOK = "find out who wrote it (docs/witness.md, “A record that is not believed”)"
COPY_KEYS = "copy the keys of operators anew from where they are kept (docs/witness.md), or `shopsphere witness secure`"
SHARED = (
    "keys are believed, but SHARED BY ALL OPERATORS: nobody can tell who of them moves the pair; "
    "`shopsphere witness keys --operator NAME` makes one for each (docs/witness.md)"
)
FULL_SHARE = 0.5
"""Share of its quota from which a voter is not ready: three small keys never come near it by themselves."""


def judge_lead(pair: Pair, topology: Topology, voters: Sequence[Voter], places: Mapping[str, str]) -> Finding:
    """Say which voter leads, and how much longer each change takes than under the best one; no fault, but slow."""
    leading = [each.name(places) for each in voters if each.leads]
    if len(leading) > 1:  # one that leads no more finds out within an election's time
        return unknown(f"who leads it is not known: {' and '.join(leading)}")
    if not leading or leading[0] not in seats(pair, topology):
        return passes(f"{leading[0]} leads" if leading else "no voter tells that it leads")
    (now,), best = leading, min(seats(pair, topology), key=lambda seat: change_ms(pair, seat, topology))
    took, least = change_ms(pair, now, topology), change_ms(pair, best, topology)
    if took <= least:
        return passes(f"{now} leads: a change takes {took:.0f} ms")
    told = f"{now} leads: a change takes {took:.0f} ms, and {least:.0f} ms if {best} led"
    return passes(f"{told}; `shopsphere witness tend` sees to it")


def ask(view: PairView) -> Finding:
    """Ask each voter by itself; and read as an operator, where one works at this machine."""
    asked = bounded.start(partial(view.once, "the keys of the witness", view.access.witness_keys), name="keys")
    of_edge = bounded.start(view.access.edge_certificates, name="edge")
    places, voters = places_of(view), view.once("each voter", view.access.witness.each_voter)
    own = bounded.answer_of(asked, what="the keys of the witness", seconds=view.seconds_left)
    edge = bounded.answer_of(of_edge, what="the edge's certificates", seconds=view.seconds_left)
    shown = {f"the certificate of {each.name(places)}": each.ends for each in voters if each.ends}
    now = datetime.now(UTC)
    ends = judge_ends({**own.ends, **shown}, now)
    agents, record = judge_agents(view, now), judge_record(view, now)
    edge_and_roles = [judge_edge_ends(edge, now), judge_roles(view, now)]
    taking_part = [judge(voters, places), judge_lead(view.pair, view.access.topology, voters, places)]
    return together([*taking_part, judge_operator(own), ends, agents, record, *edge_and_roles])


def judge_record(view: PairView, now: datetime) -> Finding:
    """Judge whether the pair's record is believed, and for how long one who reads it for the first time will do so."""
    try:
        record = view.record
    except UnbelievedRecordError as error:
        return fails(one_line(error), LOOK)
    except ShopSphereError:
        return passes("no record to judge")  # P1 and others tell that there is no answer
    good = view.access.witness.belief.renewable(record)
    if former := [name for name, end in good.items() if end is None]:
        return fails(f"{' and '.join(former)} is of an authority that signs no more", SIGN)
    return judge_certificates(good, now, SIGN) if good else passes("nobody has to sign the record")


def judge_operator(own: OwnKeys) -> Finding:
    """Judge whether an operator at this machine is let in."""
    if own.operator:
        return fails(f"an operator at this machine cannot read: {own.operator}", COPY_KEYS)
    return passes(SHARED if own.shared else "keys are believed")


def judge(voters: Sequence[Voter], places: Mapping[str, str]) -> Finding:
    """Judge the voters; `places` names the site of an address where it is known."""
    silent = [f"{each.name(places)} ({each.problem})" for each in voters if each.problem]
    answering = len(voters) - len(silent)
    if not silent and (wrong := miscounted(voters, len(voters))):
        return fails(wrong, COUNTED)
    if not silent:
        filling = [each for each in voters if each.size and each.quota and each.size > each.quota * FULL_SHARE]
        if filling:
            told = ", ".join(f"{each.name(places)} {each.size} of {each.quota} bytes" for each in filling)
            return fails(f"it fills up, and takes no change when it is full: {told}", CLEAN_UP)
        return passes(f"{answering} voters: {', '.join(each.name(places) for each in voters)}")
    quorum = "still has a quorum" if answering * 2 > len(voters) else "HAS NO QUORUM"
    return fails(f"{answering} of {len(voters)} voters: it {quorum}; not {', '.join(silent)}", BRING_BACK)


def places_of(view: PairView) -> dict[str, str]:
    """Return the site of each address of the topology."""
    return {str(site.address): name for name, site in view.access.topology.sites.items()}
