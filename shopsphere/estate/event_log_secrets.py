"""Certificates of the event log: of its broker and of each of its clients, from an authority of their own.

The key of the databases' authority is thrown away when it has signed, so that nothing can be added to what it vouches
for; and a program that may write clicks is not one that a database believes. The key of this one is thrown away too:
what is new here is a whole new set.
"""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import IPv4Address

from shopsphere.estate.event_log import (
    AUTHORITY,
    CLIENTS,
    EVENT_LOG,
    EVENT_LOG_SECRET_NAMES,
    SERVER_SECRETS,
    broker_names,
    client_secrets,
)
from shopsphere.estate.pair_secrets import CLOCK_TOLERANCE, Authority

LOOPBACK = IPv4Address("127.0.0.1")


def generate_event_log_secrets(pair: str, *, now: datetime | None = None) -> dict[str, str]:
    """Make them for both sites of a pair.

    Args:
        pair: its name.
        now: start of their validity; the present unless a test says otherwise.

    Returns:
        PEM texts by the names of `EVENT_LOG_SECRET_NAMES`; keys in PKCS #8, which Java reads.
    """
    authority = Authority(f"shopsphere {pair} event log", (now or datetime.now(UTC)) - CLOCK_TOLERANCE)
    made = {AUTHORITY: authority.certificate_text}
    made |= zip(SERVER_SECRETS, authority.issue_broker(EVENT_LOG, broker_names(), [LOOPBACK]), strict=True)
    for client in CLIENTS:
        made |= zip(client_secrets(client), authority.issue_client(client.name, for_java=True), strict=True)
    return {name: made[name] for name in EVENT_LOG_SECRET_NAMES}
