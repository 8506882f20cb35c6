"""Every POST happens once: its idempotency key, its effects and its result are one transaction.

The key comes from the hidden form field `idempotency_key` or the header `Idempotency-Key`. The first request inserts
the key; a second one with the same key waits for it on the unique index and then gets the stored result. The same key
with another body is refused (422). A refusal stores nothing, so the same form can be corrected and sent again.

A result is always a redirect, so what is stored is a location and the session that goes with it. If an answer got
lost that would have set the first cookie, the replay sets it again; a key that belongs to another session is refused.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from litestar import Response

from app.database import Connection, Queries
from app.errors import UnknownOutcomeError
from app.web.refusals import RefusedError
from app.web.services import Request, Services, services_of
from app.web.visitors import STRANGER, Visitor, find_visitor, open_session

SHORTEST_KEY, LONGEST_KEY = 16, 255

_CLAIM = """
INSERT INTO requests.completed (key, fingerprint, session_before) VALUES ($1, $2, $3)
ON CONFLICT (key) DO NOTHING RETURNING 1
"""
_COMPLETE = "UPDATE requests.completed SET location = $2, session_after = $3 WHERE key = $1"
_STORED = "SELECT fingerprint, session_before, session_after, location FROM requests.completed WHERE key = $1"


@dataclass(frozen=True, slots=True)
class Posting:
    """One POST as its action sees it, inside the transaction."""

    connection: Connection
    services: Services
    fields: Mapping[str, str]
    key: str
    visitor: Visitor
    session: UUID  # always there: a first POST opens one


@dataclass(frozen=True, slots=True)
class Done:
    """Where the browser goes next, and in which session."""

    location: str
    session: UUID


Action = Callable[[Posting], Awaitable[Done]]


async def post_once(request: Request, action: Action) -> tuple[Done, Response[None]]:
    """Run `action` once per idempotency key and return its result, new or stored, as a redirect.

    Raises:
        RefusedError: no usable key, or the key was used for something else.
    """
    services = services_of(request)
    form = await request.form()
    fields = {name: str(value).strip() for name, value in form.items()}
    key = request.headers.get("idempotency-key") or fields.pop("idempotency_key", "")
    fields.pop("idempotency_key", None)
    if not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
        raise RefusedError(422, "This form came without its key", "Go back, reload the page and send the form again.")
    before = services.cookie.read(request.cookies)
    fingerprint = _fingerprint(services.settings.session_secret, request.url.path, fields)
    try:
        done = await _once(services, action, fields, key, before, fingerprint)
    except UnknownOutcomeError:  # COMMIT got no answer: what the database holds under this key decides
        done = await _once(services, action, fields, key, before, fingerprint)
    cookies = [] if done.session == before else [services.cookie.write(done.session)]
    return done, Response(None, status_code=303, headers={"location": done.location}, cookies=cookies)


async def _once(
    services: Services, action: Action, fields: Mapping[str, str], key: str, before: UUID | None, fingerprint: bytes
) -> Done:
    async with services.commerce.write() as connection:
        if not await connection.fetchval(_CLAIM, key, fingerprint, before):
            return await _replay(connection, key, before, fingerprint)
        visitor = STRANGER if before is None else await find_visitor(connection, before)
        session = visitor.session or await open_session(connection)
        done = await action(Posting(connection, services, fields, key, visitor, session))
        await connection.execute(_COMPLETE, key, done.location, done.session)
        return done


async def _replay(queries: Queries, key: str, before: UUID | None, fingerprint: bytes) -> Done:
    row = await queries.fetchrow(_STORED, key)
    known = before in {row["session_before"], row["session_after"]}
    if not known or not hmac.compare_digest(row["fingerprint"], fingerprint):
        raise RefusedError(
            422,
            "This form was already sent with other content",
            "Nothing has been changed. Go back, reload the page and send the form again.",
        )
    return Done(row["location"], row["session_after"])


def _fingerprint(secret: str, path: str, fields: Mapping[str, str]) -> bytes:
    """Return a keyed digest of what was asked for; keyed, since bodies hold passwords and addresses."""
    body = "\x1e".join(f"{name}\x1f{fields[name]}" for name in sorted(fields))
    return hmac.new(secret.encode(), f"{path}\x1d{body}".encode(), hashlib.sha256).digest()
