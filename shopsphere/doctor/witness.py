"""A pair's witness: every voter answers, they have a quorum, and an operator at this machine is let in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime

from shopsphere.estate.access import AccessError, WitnessAccess
from shopsphere.foundation.finding import Finding, fails, passes, together
from shopsphere.witness import Voter
from shopsphere.witness.access import witness_in
from shopsphere.witness.identity import WitnessKeysError
from shopsphere.witness.own_keys import judge_ends, own_keys
from shopsphere.witness.voter import miscounted

COPY_KEYS = "make or copy its keys: docs/witness.md"


def voters(pair: str, access: WitnessAccess, places: Mapping[str, str]) -> Finding:
    """Ask each voter by itself; `places` names the site at an address."""
    if not access.witness.get(pair):
        return fails(f"no voter of {pair} is named", "`shopsphere up edge` names the lab's; name three of your own")
    try:
        with closing(witness_in(access, pair)) as witness:
            found = judge_voters(witness.each_voter(), places)
        own = own_keys(access, pair)
        if own.operator:
            return fails(f"an operator at this machine cannot read: {own.operator}", COPY_KEYS)
        return together([found, judge_ends(own.ends, datetime.now(UTC))])
    except (AccessError, WitnessKeysError) as error:
        return fails(str(error).partition("\n")[0], COPY_KEYS)


def judge_voters(found: Sequence[Voter], places: Mapping[str, str]) -> Finding:
    """Judge what voters said of themselves."""
    silent = [f"{each.name(places)} ({each.problem})" for each in found if each.problem]
    if not silent and (wrong := miscounted(found, len(found))):
        return fails(wrong, "`shopsphere witness replace` goes on with a voter that is replaced (docs/witness.md)")
    if not silent:
        return passes(f"{len(found)} voters: {', '.join(each.name(places) for each in found)}")
    answering = len(found) - len(silent)
    quorum = "which is a quorum" if answering * 2 > len(found) else "which is NO QUORUM: no site may take writes"
    told = f"{answering} of {len(found)} voters take part, {quorum}; not {', '.join(silent)}"
    return fails(told, "start them, or see to the way there")
