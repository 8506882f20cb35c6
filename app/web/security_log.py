"""What an investigation needs to know of sign-ins, and nothing that names a person.

Addresses of the network and e-mail addresses appear as keyed hashes: two lines of one client can be told to belong
together, and an address that is known can be looked for by whoever has the region's secret. Lines have
`"log": "security"`, so that they can be kept for their own time (90 days) inside the jurisdiction.
"""

from __future__ import annotations

import hashlib
import hmac
from uuid import UUID

import structlog


class SecurityLog:
    """Writes one line for each event."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self._log = structlog.get_logger("security")

    def note(
        self, event: str, outcome: str, *, network: str, account: bytes = b"", customer: UUID | None = None
    ) -> None:
        """Write down that something was tried, by whom, and what came of it."""
        self._log.info(
            event,
            log="security",
            outcome=outcome,
            client=hmac.new(self._secret, b"client:" + network.encode(), hashlib.sha256).hexdigest()[:16],
            account=account.hex() or None,
            customer=None if customer is None else str(customer),
        )
