"""Words that verbs about a pair take, and what is said when they are not known."""

from __future__ import annotations

from typing import Annotated

import typer

from shopsphere.foundation.errors import UsageError
from shopsphere.topology import Pair, Topology
from shopsphere.topology.completion import completing, pairs, sites

PairName = Annotated[
    str,
    typer.Argument(metavar="PAIR", help="as in rdc-a", show_default=False, autocompletion=completing(pairs)),
]
Execute = Annotated[bool, typer.Option("--execute", help="do it; without this, only say what would happen")]
Reason = Annotated[str, typer.Option("--reason", help="why; goes to the witness and the audit log")]
AcceptDataLoss = Annotated[
    bool,
    typer.Option("--accept-data-loss", help="payments of the other site's last moments may be lost: continue"),
]
PlanAsJson = Annotated[bool, typer.Option("--json", help="the plan, or with --execute the report, as a JSON document")]
complete_sites = completing(sites)
To = Annotated[
    str,
    typer.Option(
        "--to",
        metavar="SITE",
        help="site that is to take writes; if not given, the one that does not now",
        autocompletion=complete_sites,
    ),
]


def require_pair(topology: Topology, pair: str) -> None:
    """Refuse a word that names no pair."""
    if pair in topology.pairs:
        return
    owner = topology.pair_of(pair) if pair in topology.sites else None
    found = f"{pair}, which is a site" + (f" of {owner.name}" if owner else " of no pair")
    raise UsageError.build(
        f"no pair {pair!r}",
        expected=f"one of {', '.join(sorted(topology.pairs))}",
        found=found if pair in topology.sites else repr(pair),
        action=f"name {owner.name}" if owner else "name one of these",
    )


def require_pair_of(topology: Topology, site: str) -> Pair:
    """Return the pair of a site; refuse a word that names none, or one of no pair."""
    pair = topology.pair_of(site) if site in topology.sites else None
    if pair:
        return pair
    members = [member for each in topology.pairs.values() for member in each.sites]
    kind = f"{site}, which is a pair of {' and '.join(topology.pairs[site].sites)}" if site in topology.pairs else site
    raise UsageError.build(
        f"no site {site!r} of a pair",
        expected=f"one of {', '.join(members)}",
        found=kind,
        action="name one of these",
    )


def require_site(topology: Topology, pair: str, site: str, option: str) -> None:
    """Refuse a word that names no site of a pair; an empty one names none."""
    if site and site not in topology.pairs[pair].sites:
        raise UsageError.build(
            f"{pair} has no site {site!r}",
            expected=f"{option} {' or '.join(topology.pairs[pair].sites)}",
            found=repr(site),
            action="name one of these",
        )


def require_places(topology: Topology, pair: str, places: str, option: str) -> None:
    """Refuse words, with commas between, that name no site of a pair and no further node of one."""
    nodes = {node.name for site in topology.pairs[pair].sites for node in topology.site(site).further_nodes}
    for place in places.split(","):
        if place not in nodes:
            require_site(topology, pair, place, option)


def require_reason(reason: str, *, execute: bool) -> None:
    """Refuse to change anything without a reason."""
    if execute and not reason.strip():
        raise UsageError('say why: --reason "power loss in Frankfurt, incident 4711"')
