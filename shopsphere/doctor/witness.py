"""A pair's witness: every voter answers, and they have a quorum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from shopsphere.foundation.finding import Finding, fails, passes
from shopsphere.witness import Voter, Witness


def voters(pair: str, urls: Sequence[str], places: Mapping[str, str]) -> Finding:
    """Ask each voter by itself; `places` names the site at an address."""
    if not urls:
        return fails(f"no voter of {pair} is named", "`shopsphere up edge` names the lab's; name three of your own")
    witness = Witness(pair, urls)
    try:
        return judge_voters(witness.each_voter(), places)
    finally:
        witness.close()


def judge_voters(found: Sequence[Voter], places: Mapping[str, str]) -> Finding:
    """Judge what voters said of themselves."""
    names = {each.url: places.get(urlsplit(each.url).hostname or "", each.url) for each in found}
    silent = [f"{names[each.url]} ({each.problem})" for each in found if each.problem]
    if not silent:
        return passes(f"{len(found)} voters: {', '.join(names.values())}")
    answering = len(found) - len(silent)
    quorum = "which is a quorum" if answering * 2 > len(found) else "which is NO QUORUM: no site may take writes"
    told = f"{answering} of {len(found)} voters take part, {quorum}; not {', '.join(silent)}"
    return fails(told, "start them, or see to the way there")
