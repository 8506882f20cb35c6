"""P7: all voters of the witness take part. Two of three do for a failover, but then no further one may be lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from runbooks.readiness.pair_view import PairView
from shopsphere.foundation.finding import Finding, fails, passes
from shopsphere.witness import Voter

NAME = "Every voter of the witness takes part"
BRING_BACK = "restore it or the network path to it; the witness needs more than half of its voters"


def ask(view: PairView) -> Finding:
    """Ask each voter by itself."""
    places = {str(site.address): name for name, site in view.access.topology.sites.items()}
    return judge(view.once("each voter", view.access.witness.each_voter), places)


def judge(voters: Sequence[Voter], places: Mapping[str, str]) -> Finding:
    """Judge the voters; `places` names the site of an address where it is known."""
    silent = [f"{_name(each, places)} ({each.problem})" for each in voters if each.problem]
    answering = len(voters) - len(silent)
    if not silent:
        return passes(f"{answering} voters: {', '.join(_name(each, places) for each in voters)}")
    quorum = "still has a quorum" if answering * 2 > len(voters) else "HAS NO QUORUM"
    return fails(f"{answering} of {len(voters)} voters: it {quorum}; not {', '.join(silent)}", BRING_BACK)


def _name(voter: Voter, places: Mapping[str, str]) -> str:
    return places.get(urlsplit(voter.url).hostname or "", voter.url)
