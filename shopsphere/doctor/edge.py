"""The edge: each DNS authority, the CDN, the certificates that open them, and the name servers that customers ask."""

from __future__ import annotations

from datetime import UTC, datetime

from shopsphere.clients import cdn_agent, powerdns
from shopsphere.clients.dns import NameServerError, ask_address
from shopsphere.clients.edge_ends import ends_here, judge_edge_ends
from shopsphere.clients.edge_identity import USERS, WATCHER, EdgeIdentity
from shopsphere.doctor.question import failed
from shopsphere.estate.access import CdnAccess
from shopsphere.estate.edge_config import DnsAuthorityConfig
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.finding import Finding, fails, passes, together
from shopsphere.names.name_servers import NameServer

_SECONDS = 3.0
_PUT = "put ca.crt there, and .crt and .key of who asks from this machine (docs/edge.md)"
_PROBE = "doctor"
"""A distribution that nobody has: that there is none is an answer."""


def certificates(folder: str) -> Finding:
    """Read the certificate of each user; one that another machine has is no fault here, having none is."""
    if not folder:
        return fails("shopsphere:edgeKeys names no folder", "`shopsphere up edge` names the lab's; name your own")
    identities = {user: EdgeIdentity.of(folder, user) for user in USERS}
    here = {user: each for user, each in identities.items() if any(file.exists() for file in each.files[1:])}
    try:
        for each in here.values():
            each.context()
    except ShopSphereError as error:
        return failed(error, _PUT)
    if not here:
        return fails(f"{folder} has no certificate of {', '.join(USERS)}", _PUT)
    ends = judge_edge_ends(ends_here(folder), datetime.now(UTC))
    missing = [user for user in USERS if user not in here]
    told = passes(f"{folder}: {', '.join(here)}" + (f"; not {', '.join(missing)}" if missing else ""))
    return together([told, ends])


def authority(entry: DnsAuthorityConfig, folder: str, zone: str) -> Finding:
    """Ask a DNS authority for the zone, as who may only read."""
    try:
        (server,) = powerdns.connect_to([(entry.name, entry.url)], EdgeIdentity.of(folder, WATCHER), seconds=_SECONDS)
        records = server.names(zone)
    except ShopSphereError as error:
        return failed(error, "bring it back, or correct its address and shopsphere:edgeKeys in the edge's stack file")
    return passes(f"{entry.url} has {len(records)} records of {zone}" if records else f"{entry.url}; no {zone} yet")


def cdn(access: CdnAccess) -> Finding:
    """Ask the CDN for a distribution, as who may only read."""
    if not access.cdn_url:
        return fails("no address of the CDN's API is named", "name it in the edge's stack file")
    try:
        cdn_agent.connect_to(access.cdn_url, EdgeIdentity.of(access.edge_keys, WATCHER)).get(_PROBE)
    except ShopSphereError as error:
        return failed(error, "bring it back, or correct its address and shopsphere:edgeKeys in the edge's stack file")
    return passes(access.cdn_url)


def name_server(server: NameServer, name: str) -> Finding:
    """Ask a name server for a public name; before the first deployment it may know none."""
    try:
        found = ask_address(server.address, name, seconds=_SECONDS)
    except NameServerError as error:
        if "no answer" not in str(error):
            return passes(f"{server.address} answers, and has no {name} yet")
        return failed(error, "bring it back, or correct its address in the edge's stack file")
    return passes(f"{server.address}: {name} is {', '.join(map(str, found))}")
