"""What may be removed: never the site that serves customers, nor the names that lead to it, by a slip of the finger."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from shopsphere.deploy.opening import is_set_up
from shopsphere.deploy.outcomes import ResourceChange
from shopsphere.estate.access import AccessError
from shopsphere.estate.stack import EDGE, EVERYTHING, Environment, StackId, site_stack, sites_of
from shopsphere.foundation.errors import ShopSphereError, UsageError, one_line
from shopsphere.topology import Pair, Topology
from shopsphere.topology.public_names import APEX, STATIC, WWW
from shopsphere.witness.access import see_once
from shopsphere.witness.record import Phase
from shopsphere.witness.seen import Seen

See = Callable[[str, Environment], Seen]
"""What a pair's witness says now, with a majority of its voters behind it."""
VOLUME = "kubernetes:core/v1:PersistentVolume"
"""One that a claim uses is refused before (`fixed_sizes`), and one that none uses may go at an active site too."""
_ZONE, _STATE = "pulumi-python:dynamic/edge:DnsZone", "pulumi-python:dynamic/edge:DnsPairState"
_NAME, _CDN = "pulumi-python:dynamic/edge:DnsRRset", "pulumi-python:dynamic/edge:CdnDistribution"
_OF_ALL = frozenset({WWW, APEX, STATIC})
"""Names by which the customers of every pair come."""


class ActiveSiteError(ShopSphereError):
    """The site that takes writes would be removed, or its names, or nobody knows whether they would."""


def require_removable(
    topology: Topology,
    target: str,
    environment: Environment,
    meant: str,
    see: See = see_once,
    exists: Callable[[StackId], bool] = is_set_up,
) -> None:
    """Refuse to remove what holds data unless it was named a second time, and what serves customers even then.

    A site that is active is left by a failover first, and public names stay while a pair that they lead to is served. A
    pair as a whole, or everything, may go: whoever names it knows that one of its sites is active.

    Args:
        topology: the pairs.
        target: what is to be removed.
        environment: where.
        meant: the target as it was named a second time; empty when it was not.
        see: returns what a pair's witness says.
        exists: whether a stack was ever set up.

    Raises:
        UsageError: it was not named a second time, or as something else.
        ActiveSiteError: the active site of a pair would be removed, and the other one would stay; or the names of a
            pair that stays; or no witness says that it is not so.
    """
    if meant != target:
        raise UsageError.build(
            f"`destroy {target}` takes away what holds data, or names that customers use",
            expected=f"the target named a second time: --i-mean {target}",
            found=f"--i-mean {meant}" if meant else "a removal without it",
            action=f"look again whether it is {target} that you mean",
        )
    if target == EDGE:
        deployed = [pair for pair in topology.pairs.values() if _is_deployed(topology, pair, environment, exists)]
        _require_not_served([pair.name for pair in deployed], environment, see)
    removed = set(sites_of(topology, target))
    for pair in topology.pairs.values() if target != EVERYTHING else ():
        (site, *more) = [each for each in pair.sites if each in removed] or [""]
        if site and not more:
            _require_passive(pair, site, environment, see)


def require_takeable(topology: Topology, stack: StackId, taken: Iterable[ResourceChange], see: See = see_once) -> None:
    """Refuse to delete or replace, in a deployment, what an active site or a served pair needs, however it was named.

    Args:
        topology: the pairs.
        stack: that is deployed.
        taken: what would be deleted or replaced of it that holds data or a name.
        see: returns what a pair's witness says.

    Raises:
        ActiveSiteError: the witness calls the site active, or says that a pair is served whose names would go; or it
            does not answer.
    """
    needed = [each for each in taken if each.type != VOLUME]
    if not needed:
        return
    if stack.site is None:
        _require_not_served(_pairs_named(topology, needed), stack.environment, _known_only(topology, see))
        return
    pair = topology.pair_of(stack.site)
    if pair:
        _require_passive(pair, stack.site, stack.environment, see)


def _require_passive(pair: Pair, site: str, environment: Environment, see: See) -> None:
    seen = _asked(
        pair.name,
        environment,
        see,
        problem=f"{site}: whether it is the active site of {pair.name} is not known",
        otherwise=f"give up the whole region: `shopsphere destroy {pair.name} --i-mean {pair.name}`",
    )
    record = seen.record
    if record is not None and record.active == site:
        raise ActiveSiteError.build(
            f"{site} is the active site of {pair.name}: customers would be without their region",
            expected=f"{pair.other_than(site)} to be active",
            found=f"{site}, since epoch {record.epoch} ({record.reason})",
            action=f"`shopsphere failover {pair.name} --planned` first; or remove the whole region, {pair.name}",
        )
    if seen.lease_holder == site or (record is not None and record.phase is not Phase.STEADY):
        raise ActiveSiteError.build(
            f"{site}: {pair.name} is just changing its active site",
            expected=f"a pair at rest whose lease {site} does not hold",
            found=f"phase {record.phase if record else 'unknown'}, lease of {seen.lease_holder or 'nobody'}",
            action=f"wait for the end of the change (`shopsphere status {pair.name}`), then repeat",
        )


def _require_not_served(pairs: Iterable[str], environment: Environment, see: See) -> None:
    for pair in pairs:
        seen = _asked(
            pair,
            environment,
            see,
            problem=f"{pair}: whether a site of it serves customers, who need its names, is not known",
            otherwise="give up everything: `shopsphere destroy all --i-mean all`",
        )
        record = seen.record
        if not seen.lease_holder and record is not None and record.phase is not Phase.STEADY:
            raise ActiveSiteError.build(
                f"{pair} is just changing its active site: nobody knows for a moment that it is served",
                expected="a pair at rest of which no site holds the lease",
                found=f"phase {record.phase}",
                action=f"wait for the end of the change (`shopsphere status {pair}`), then repeat",
            )
        if seen.lease_holder:
            raise ActiveSiteError.build(
                f"{pair} is served: without its names customers do not find it",
                expected="a pair of which no site holds the lease",
                found=f"the lease of {seen.lease_holder}",
                action="keep its names; or remove all that they lead to, too: `shopsphere destroy all --i-mean all`",
            )


def _asked(pair: str, environment: Environment, see: See, *, problem: str, otherwise: str) -> Seen:
    try:
        return see(pair, environment)
    except ShopSphereError as error:
        raise ActiveSiteError.build(
            problem,
            expected="an answer of the witness",
            found=one_line(str(error).partition("\n")[0]),
            action=f"bring the witness of {pair} back (`shopsphere doctor {pair}`), and repeat; or {otherwise}",
        ) from error


def _is_deployed(topology: Topology, pair: Pair, environment: Environment, exists: Callable[[StackId], bool]) -> bool:
    return any(exists(site_stack(topology, site, environment)) for site in pair.sites)


def _pairs_named(topology: Topology, taken: Iterable[ResourceChange]) -> list[str]:
    """Return the pairs whose names would go: of what all customers use all, of a site's name and a pair's its own."""
    found: dict[str, None] = {}
    for each in taken:
        if each.type in {_ZONE, _CDN} or (each.type == _NAME and each.name in _OF_ALL):
            found |= dict.fromkeys(topology.pairs)
        elif each.type == _STATE or (each.type == _NAME and each.name in topology.pairs):
            found[each.name] = None
        elif each.type == _NAME and each.name in topology.sites and (pair := topology.pair_of(each.name)):
            found[pair.name] = None
    return list(found)


def _known_only(topology: Topology, see: See) -> See:
    """Let a pair go that topology.yaml does not have any more, where nobody knows of a witness either."""

    def ask(pair: str, environment: Environment) -> Seen:
        try:
            return see(pair, environment)
        except AccessError:
            if pair in topology.pairs:
                raise
            return Seen(None, 0, "")

    return ask
