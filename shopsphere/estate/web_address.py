"""What a network rule needs to know of a web address."""

from __future__ import annotations

from urllib.parse import urlsplit

WELL_KNOWN_PORTS = {"http": 80, "https": 443}


def port_of(address: str) -> int:
    """Return the port of an http(s) address, the scheme's own where it names none."""
    parts = urlsplit(address)
    return parts.port or WELL_KNOWN_PORTS[parts.scheme]
