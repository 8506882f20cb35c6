"""Whether the parent zone would vouch for keys that go with the edge: then no other key could sign the zone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import IPv4Address

from shopsphere.clients.dns import NameServerError
from shopsphere.deploy.opening import is_set_up
from shopsphere.estate.access import AccessError, parent_servers
from shopsphere.estate.stack import EDGE, EVERYTHING, Environment, StackId, edge_stack
from shopsphere.foundation.errors import ShopSphereError, one_line
from shopsphere.names.pair_state import zone_of
from shopsphere.names.zone_proof import Vouched, shown_ds
from shopsphere.topology import Topology

LEAVE = "--leave-ds"
"""Says that the DS is meant to stay."""


class VouchedError(ShopSphereError):
    """The edge would be removed while the parent zone vouches for its keys, or nobody knows whether it does."""


def require_unvouched(
    topology: Topology,
    target: str,
    environment: Environment,
    named: Callable[[Environment], Iterable[IPv4Address]] = parent_servers,
    ask: Callable[[IPv4Address, str], Vouched] = shown_ds,
    exists: Callable[[StackId], bool] = is_set_up,
) -> None:
    """Refuse to remove the edge, alone or with all else, while a DS would stay behind at the registrar.

    Where the parent's servers are not named, nobody can be asked, and nothing is refused.

    Args:
        topology: names the zone.
        target: what is to be removed.
        environment: where.
        named: returns the addresses of the parent zone's name servers; may raise AccessError.
        ask: asks a server of the parent zone.
        exists: whether a stack was ever set up.

    Raises:
        VouchedError: a server of the parent zone shows a DS, or does not answer, or is not named by an address.
    """
    if target not in {EDGE, EVERYTHING} or not exists(edge_stack(environment)):
        return
    zone = zone_of(topology)
    try:
        servers = named(environment)
    except AccessError as error:
        problem = f"it is not known who says whether the parent zone vouches for keys of {zone}, which go with the edge"
        raise _refused(problem, one_line(error), "correct shopsphere:parentServers in the edge's stack file") from error
    for server in servers:
        try:
            shown = ", ".join(sorted(ask(server, zone).ds))
        except NameServerError as error:
            problem = f"whether the parent zone vouches for keys of {zone}, which go with the edge, is not known"
            raise _refused(problem, one_line(error), "repeat when it answers") from error
        if shown:
            problem = f"the parent zone vouches at {server} for keys of {zone}, which go with the edge"
            raise _refused(problem, shown, "take the DS away at the registrar and wait for its TTL, then repeat")


def _refused(problem: str, found: str, action: str) -> ShopSphereError:
    return VouchedError.build(
        problem,
        expected="no DS at the parent zone",
        found=found,
        action=f"{action}; or say {LEAVE}, if the same keys come back or the zone is given up (docs/zone-keys.md)",
    )
