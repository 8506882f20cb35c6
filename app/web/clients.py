"""Who a request comes from, as far as limits have to know."""

from __future__ import annotations

import ipaddress

from app.web.requests import Request

_IPV6_SITE = 64
"""Bits of an IPv6 address that one customer's line is given; the others are theirs to choose."""
UNKNOWN = "unknown"


def client_network(request: Request) -> str:
    """Return the IPv4 address or the IPv6 /64 that a request came from.

    The last address of the last X-Forwarded-For is the one that our own gateway has seen; what stands before it was
    written by the client. Without that header there is no gateway, and the connection's own address counts.
    """
    headers = request.headers.getall("x-forwarded-for", [])
    seen = headers[-1].rpartition(",")[2].strip() if headers else str((request.scope.get("client") or ("",))[0])
    try:
        address = ipaddress.ip_address(seen)
    except ValueError:
        return UNKNOWN
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, _IPV6_SITE), strict=False))
    return str(address)
