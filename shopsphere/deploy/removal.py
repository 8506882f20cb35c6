"""What may be removed: never the site that serves customers by a slip of the finger."""

from __future__ import annotations

from collections.abc import Callable

from shopsphere.estate.stack import EDGE, EVERYTHING, Environment, sites_of
from shopsphere.foundation.errors import ShopSphereError, UsageError, one_line
from shopsphere.topology import Pair, Topology
from shopsphere.witness.access import see_once
from shopsphere.witness.client import Seen


class ActiveSiteError(ShopSphereError):
    """The site that takes writes would be removed, or nobody knows whether it would."""


def require_removable(
    topology: Topology,
    target: str,
    environment: Environment,
    meant: str,
    see: Callable[[str, Environment], Seen] = see_once,
) -> None:
    """Refuse to remove what serves customers, unless the target was named a second time where that can be enough.

    A site that is active is left by a failover first. The edge, which leads to all regions, and anything in production
    has to be named a second time; so has a site of which the witness does not say whether it is active.

    Args:
        topology: the pairs.
        target: what is to be removed.
        environment: where.
        meant: the target as it was named a second time; empty when it was not.
        see: returns what a pair's witness says.

    Raises:
        UsageError: it was not named a second time, or as something else.
        ActiveSiteError: the active site of a pair would be removed, and the other one would stay.
    """
    if meant and meant != target:
        raise _not_meant(target, f"--i-mean {meant}")
    if environment is Environment.PROD and not meant:
        raise _not_meant(target, "a removal in production without it")
    if target == EDGE and not meant:
        raise _not_meant(target, "names of all regions, which would lead nowhere")
    removed = set(sites_of(topology, target))
    for pair in topology.pairs.values() if target != EVERYTHING else ():
        (site, *more) = [each for each in pair.sites if each in removed] or [""]
        if site and not more:
            _require_passive(pair, site, environment, see, is_meant=bool(meant))


def _require_passive(
    pair: Pair,
    site: str,
    environment: Environment,
    see: Callable[[str, Environment], Seen],
    *,
    is_meant: bool,
) -> None:
    try:
        record = see(pair.name, environment).record
    except ShopSphereError as error:
        if is_meant:
            return
        raise ActiveSiteError.build(
            f"{site}: whether it is the active site of {pair.name} is not known",
            expected="an answer of the witness",
            found=one_line(str(error).partition("\n")[0]),
            action=f"bring the witness back; or, if you know that nobody needs {site}, add --i-mean {site}",
        ) from error
    if record is not None and record.active == site:
        raise ActiveSiteError.build(
            f"{site} is the active site of {pair.name}: customers would be without their region",
            expected=f"{pair.other_than(site)} to be active",
            found=f"{site}, since epoch {record.epoch} ({record.reason})",
            action=f"`shopsphere failover {pair.name} --planned` first; or remove the whole region, {pair.name}",
        )


def _not_meant(target: str, found: str) -> ShopSphereError:
    return UsageError.build(
        f"`destroy {target}` takes away what customers use",
        expected=f"the target named a second time: --i-mean {target}",
        found=found,
        action=f"look again whether it is {target} that you mean",
    )
