"""The edge: each DNS authority with its key, the CDN, and the name servers that customers ask."""

from __future__ import annotations

from shopsphere.clients.cdn_agent import CdnAgent
from shopsphere.clients.dns import NameServerError, ask_address
from shopsphere.clients.http import read_key
from shopsphere.clients.powerdns import PowerDns
from shopsphere.doctor.question import failed
from shopsphere.estate.access import CdnAccess
from shopsphere.estate.edge_config import DnsAuthorityConfig
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.finding import Finding, fails, passes
from shopsphere.names.name_servers import NameServer

_SECONDS = 3.0
_PROBE = "doctor"
"""A distribution that nobody has: that there is none is an answer."""


def key_file(path: str, of: str) -> Finding:
    """Read a service's key."""
    if not path:
        return fails(f"no file with the key of {of} is named", "`shopsphere up edge` names the lab's; name your own")
    try:
        read_key(path)
    except ShopSphereError as error:
        return failed(error, "put the key there")
    return passes(path)


def authority(entry: DnsAuthorityConfig, key_path: str, zone: str) -> Finding:
    """Ask a DNS authority for the zone, with the key."""
    try:
        server = PowerDns(entry.name, entry.url, read_key(key_path), seconds=_SECONDS)
        records = server.names(zone)
    except ShopSphereError as error:
        return failed(error, "bring it back, or correct its address and key in the edge's stack file")
    return passes(f"{entry.url} has {len(records)} records of {zone}" if records else f"{entry.url}; no {zone} yet")


def cdn(access: CdnAccess) -> Finding:
    """Ask the CDN for a distribution, with the token."""
    if not access.cdn_url:
        return fails("no address of the CDN's API is named", "name it in the edge's stack file")
    try:
        CdnAgent(access.cdn_url, read_key(access.cdn_token_file)).get(_PROBE)
    except ShopSphereError as error:
        return failed(error, "bring it back, or correct its address and token in the edge's stack file")
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
