"""P6: every DNS authority is there, leads to the active site of the witness's epoch, and lets runbooks move the pair.

Where the parent zone vouches for the zone's keys, answers are proven as a resolver does that checks them.

What a failover would write is asked of the door in front of each authority, which judges it and writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial

from runbooks.readiness.pair_view import PairView
from shopsphere.clients.dns import NameServerError
from shopsphere.clients.edge_errors import EdgeError
from shopsphere.clients.powerdns import DnsAuthority, RRset
from shopsphere.foundation.errors import one_line
from shopsphere.foundation.finding import Finding, fails, passes, together
from shopsphere.names.name_servers import NameServer
from shopsphere.names.pair_state import PairDeclaration, PairState
from shopsphere.names.zone_view import judge_zone_view
from shopsphere.status.edge_names import STEERED

NAME = "Every DNS authority answers, agrees with the witness and can be changed"
LONGEST_TTL = 10
"""Seconds for which a resolver may still lead customers to the site that was left."""
RENEW_PLAN = "`shopsphere edge-door write` on its door's host, and restart both programs there (docs/edge.md)"
BRING_BACK = "bring it back, or take it out of the edge's configuration: a failover would not change it"


def ask(view: PairView) -> Finding:
    """Ask the API of each authority for the pair's records, and each name server for the pair's name."""
    works: dict[str, Callable[[], Finding]] = {
        f"API of {each.name}": partial(_authority, view, each) for each in view.access.authorities()
    }
    works |= {f"name server {each.name}": partial(_server, view, each) for each in view.access.name_servers()}
    return together(view.judge_each({**works, "signatures": partial(_signatures, view)}))


def _signatures(view: PairView) -> Finding:
    """Look as a resolver does that checks: it throws away what is not proven, and its customers reach no site."""
    found = view.access.zone_view()
    return judge_zone_view(found, datetime.now(UTC)) if found else passes("the parent zone's servers are not named")


def _authority(view: PairView, authority: DnsAuthority) -> Finding:
    declaration, wanted = view.access.declaration(), PairState(view.record.epoch, view.active)
    names = [f"{label}.{declaration.zone}" for label in (view.pair.name, *STEERED)]
    try:
        state = authority.rrset(declaration.zone, declaration.name, "LUA")
        steered = {name: authority.rrset(declaration.zone, name, "LUA") for name in names}
    except EdgeError as error:
        return fails(one_line(str(error).partition("\n  do:")[0]), BRING_BACK)
    judged = judge_authority(authority.name, declaration, wanted, state, steered)
    return judged if not judged.passed else _writable(authority, declaration, wanted, view.recovery, judged)


def _writable(
    authority: DnsAuthority, declaration: PairDeclaration, now: PairState, recovery: str, judged: Finding
) -> Finding:
    """Ask for both records that a failover writes, one after the other, to the site that would take over."""
    for state in (PairState(now.epoch, now.active, leaving=True), PairState(now.epoch + 1, recovery)):
        try:
            authority.require_writable(declaration.zone, declaration.rrset(state))
        except EdgeError as error:
            told = one_line(str(error).partition("\n  do:")[0])
            return fails(f"a failover could not write what it has to: {told}", RENEW_PLAN)
    return judged


def _server(view: PairView, server: NameServer) -> Finding:
    try:
        found = view.access.addresses_at(server)
    except NameServerError as error:
        return fails(f"{server.name}: {one_line(error)}", BRING_BACK)
    declaration = view.access.declaration()
    weights = {view.active: declaration.active_weight, view.recovery: declaration.passive_weight}
    allowed = frozenset(declaration.addresses[site] for site, weight in weights.items() if weight)
    return judge_answer(server.name, tuple(map(str, found)), allowed)


def judge_authority(
    authority: str,
    declaration: PairDeclaration,
    wanted: PairState,
    state: RRset | None,
    steered: Mapping[str, RRset | None],
) -> Finding:
    """Judge what one authority holds.

    Args:
        authority: its name.
        declaration: the pair's state record as the edge declares it.
        wanted: epoch and active site as the witness says.
        state: the state record that it holds.
        steered: the names that follow it.
    """
    missing = [name for name, found in {declaration.name: state, **steered}.items() if found is None]
    if missing:
        return fails(f"{authority} lacks {', '.join(missing)}", "`shopsphere up edge`")
    stated = declaration.stated(state)
    if stated != wanted:
        says = f"{stated.active} in epoch {stated.epoch}" if stated else "nothing that can be read"
        action = "`shopsphere up edge --refresh` brings every authority to the epoch that the witness bears out"
        if stated and stated.leaving:
            says += " that is being left"
            action = f"finish that change, or `shopsphere failover {declaration.pair} --abort`"
        return fails(f"{authority} says {says}, the witness says {wanted.active} in epoch {wanted.epoch}", action)
    if declaration.valid(state) is None:
        return fails(f"{authority} has other weights or addresses than declared", "`shopsphere up edge`")
    slow = [f"{each.name} {each.ttl} s" for each in (state, *steered.values()) if each and each.ttl > LONGEST_TTL]
    if slow:
        return fails(f"{authority}: TTL over {LONGEST_TTL} s: {', '.join(slow)}", "lower dns_ttl_seconds of the pair")
    return passes(f"{authority} can be written and says {wanted.active} in epoch {wanted.epoch}")


def judge_answer(server: str, found: tuple[str, ...], allowed: frozenset[str]) -> Finding:
    """Judge what a name server answers to the pair's name; `allowed` are the addresses that have a weight."""
    if found and set(found) <= allowed:
        return passes(f"{server} answers {', '.join(found)}")
    return fails(
        f"{server} answers {', '.join(found) or 'nothing'}, not {' or '.join(sorted(allowed))}",
        "compare what it serves with what its API says",
    )
