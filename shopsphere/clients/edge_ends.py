"""When the certificates of the edge's APIs end: those of this machine, and those that the doors show."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlsplit

from shopsphere.clients.edge_identity import PULLER, USERS, EdgeIdentity
from shopsphere.foundation.certificate_ends import SAID_BEFORE, judge_certificates
from shopsphere.foundation.certificates import end_of
from shopsphere.foundation.finding import Finding
from shopsphere.foundation.side_by_side import at_each

AUTHORITY = "ca.crt"
RENEW = "`shopsphere edge-door keys` where they are kept renews them; copy them to their hosts (docs/edge.md)"
RENEW_AUTHORITY = "`shopsphere edge-door keys --authority begin` where it is kept begins a new one (docs/edge.md)"
_HTTPS = 443


def ends_here(folder: str) -> dict[str, datetime | None]:
    """Return when the authority's certificate in a folder ends (UTC), those of users with a key beside them, the CDN's.

    None of one that cannot be read; a file that another machine has is not told. Of the CDN a copy of its certificate
    is enough: its key is at the CDN, where nobody else looks.
    """
    own = EdgeIdentity.of(folder, "").folder
    users = (own / f"{user}.crt" for user in USERS if (own / f"{user}.key").exists())
    files = [own / AUTHORITY, own / f"{PULLER}.crt", *users]
    return {each.name: end_of(each) for each in files if each.exists()}


def ends_shown(urls: Mapping[str, str], identity: EdgeIdentity, seconds: float) -> dict[str, datetime | None]:
    """Return when the certificate that each API's door shows ends (UTC); one that shows none is not told.

    Args:
        urls: address of each API by its name.
        identity: who asks.
        seconds: bound on connecting, and on each step of the handshake.

    Raises:
        CredentialError: our own certificate cannot be used.
    """
    ask = partial(_end_shown, trust=identity.context(), seconds=seconds)
    found = zip(urls, at_each(list(urls.values()), ask), strict=True)
    return {f"door of {name}": end for name, end in found if end is not None}


def judge_edge_ends(ends: Mapping[str, datetime | None], now: datetime) -> Finding:
    """Judge when certificates of the edge end, as `ends_here` and `ends_shown` tell them."""
    own = ends.get(AUTHORITY)
    is_authority = own is not None and own - now <= SAID_BEFORE
    told = {f"the edge's {name}": end for name, end in ends.items()}
    return judge_certificates(told, now, RENEW_AUTHORITY if is_authority else RENEW)


def _end_shown(url: str, *, trust: ssl.SSLContext, seconds: float) -> datetime | None:
    place = urlsplit(url)
    try:
        with (
            socket.create_connection((place.hostname or "", place.port or _HTTPS), timeout=seconds) as line,
            trust.wrap_socket(line, server_hostname=place.hostname) as shown,
        ):
            end = (shown.getpeercert() or {}).get("notAfter")
    except (OSError, ValueError):
        return None  # it does not answer, or is not believed, which is told where it is asked for something
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(end), UTC) if isinstance(end, str) else None
