"""Who may speak with headquarters' server: regions, by certificates of this line's own authority."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_NAME = re.compile(r"region-([1-9][0-9]?)")


def trust_of_server(authority: Path, certificate: Path, key: Path) -> ssl.SSLContext:
    """Return what TLS with regions is made with; made anew when a file is renewed.

    Args:
        authority: certificates that regions are trusted by, and no other.
        certificate: headquarters', with those between it and the authority that regions know.
        key: of that certificate.

    Raises:
        OSError: a file cannot be read; ssl.SSLError where it is none of these.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cafile=authority)
    context.load_cert_chain(certificate, key)
    context.num_tickets = 0  # who comes again shows its certificate again
    return context


def region_of(certificate: Mapping[str, Any] | None) -> int | None:
    """Return the number of the region that a certificate, as `ssl` tells it, was issued for; None for none.

    It has one common name, and that is `region-` with the number.
    """
    parts = (certificate or {}).get("subject", ())
    names = [value for part in parts for name, value in part if name == "commonName"]
    found = _NAME.fullmatch(names[0]) if len(names) == 1 else None
    return int(found[1]) if found else None
