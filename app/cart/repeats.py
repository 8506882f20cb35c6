"""Which sendings of a form that sets a number of pieces count: all, except a repeat that something else has overtaken.

A form that sets a value may be sent again without harm, until another page changes the value in between: a browser or
a proxy that repeats the first form after a lost answer would then undo the second. So each pair of form and number is
on record, and a line knows which form set it last. What a page sends for the first time counts, however old the page
is; what it sends again counts as long as nothing else has changed the line.
"""

from __future__ import annotations

import hashlib
from uuid import UUID

from app.database import Connection
from app.web.posting import LONGEST_KEY, SHORTEST_KEY

_RECORD = """
INSERT INTO requests.completed (key, fingerprint, session_before, session_after) VALUES ($1, $2, $3, $3)
ON CONFLICT (key) DO NOTHING RETURNING true
"""
_IS_LATEST = "SELECT set_by = $2 FROM carts.line WHERE id = $1"


def form_of(key: str, line: UUID) -> bytes | None:
    """Return what stands for a form in a line; None for one without a usable key, whose sendings all count."""
    if not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
        return None
    return hashlib.sha256(f"{line}\x1f{key}".encode()).digest()


async def is_overtaken(connection: Connection, session: UUID, form: bytes | None, line: UUID, quantity: int) -> bool:
    """Whether this is a repeat, and the line was changed or removed after its first time; the cart is locked."""
    if form is None:
        return False
    sent = hashlib.sha256(form + quantity.to_bytes(4)).digest()
    if await connection.fetchval(_RECORD, f"set-{sent.hex()}", sent, session):
        return False
    return not await connection.fetchval(_IS_LATEST, line, form)
