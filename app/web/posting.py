"""Every POST happens once: its idempotency key, its effects and its result are one transaction.

The key comes from the hidden form field `idempotency_key` or the header `Idempotency-Key`. The first request inserts
the key; a second one with the same key waits for it on the unique index and then gets the stored result. The same key
with another body is refused (422). A refusal stores nothing, so the same form can be corrected and sent again; a page
that gives `form_page` gets its form back filled in, with what was wrong.

A result is always a redirect, so what is stored is a location and the session that goes with it. If an answer got
lost that would have set the first cookie, the replay sets it again, for LOST_ANSWER_MINUTES: later, whoever has found
such a form would get its session. A key that belongs to another session is refused, and so is one whose session has
ended since. A form that ended its session (sign-out, erasure) and is sent again from the browser that has none any more
finds its result: there is none to get.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from litestar import Response

from app.database import Connection, Queries
from app.errors import UnknownOutcomeError
from app.text import UnreadableCharacterError, tidy
from app.web.refusals import FormPage, RefusedError
from app.web.services import Request, Services, services_of
from app.web.visitors import STRANGER, Visitor, find_visitor, open_session

SHORTEST_KEY, LONGEST_KEY = 16, 255
LOST_ANSWER_MINUTES = 15
PASSWORDS = frozenset({"password"})
"""Fields that are taken as they were typed, by a rule of their own, and never sent back."""
_KEY = "idempotency_key"

_CLAIM = """
INSERT INTO requests.completed (key, fingerprint, session_before) VALUES ($1, $2, $3)
ON CONFLICT (key) DO NOTHING RETURNING 1
"""
_COMPLETE = "UPDATE requests.completed SET location = $2, session_after = $3 WHERE key = $1"
_STORED = f"""
SELECT fingerprint, session_before, session_after, location,
    created_at > now() - make_interval(mins => {LOST_ANSWER_MINUTES}) AS recent,
    session_after IS NULL OR EXISTS (
        SELECT FROM customers.session s WHERE s.id = session_after AND s.expires_at > now()
    ) AS goes_on
FROM requests.completed WHERE key = $1
"""  # noqa: S608 a constant only


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
    """Where the browser goes next, and in which session; in none after sign-out."""

    location: str
    session: UUID | None


Action = Callable[[Posting], Awaitable[Done]]


async def post_once(
    request: Request, action: Action, *, form_page: FormPage | None = None
) -> tuple[Done, Response[None]]:
    """Run `action` once per idempotency key and return its result, new or stored, as a redirect.

    Args:
        request: the POST.
        action: what it does, in one transaction; it sees the fields tidied.
        form_page: draws the form again after a refusal; without it a refusal is a page of its own.

    Raises:
        RefusedError: the action refused, there is no usable key, or the key was used for something else.
    """
    async with form_comes_back(request, form_page):
        return await _post_once(request, action)


async def post_value(
    request: Request, action: Action, *, form_page: FormPage | None = None
) -> tuple[Done, Response[None]]:
    """Run an `action` that only sets a value, each time its form is sent: the last one counts, and twice is as once.

    So a form whose value was changed and sent again before the first answer came does what it says. The action gets
    the form's key, which may be missing: what else may change the value, only the action knows.

    Raises:
        RefusedError: the action refused.
    """
    async with form_comes_back(request, form_page):
        services = services_of(request)
        fields = await fields_of(request)
        key = fields.pop(_KEY, "")
        before = services.cookie.read(request.cookies)
        try:
            done = await _set(services, action, fields, key, before)
        except UnknownOutcomeError:
            done = await _set(services, action, fields, key, before)
        return _redirect(services, done, before)


@asynccontextmanager
async def form_comes_back(request: Request, form_page: FormPage | None) -> AsyncIterator[None]:
    """Give a refusal inside the block what its page needs to show the form again."""
    try:
        yield
    except RefusedError as error:
        if error.form_page is None:
            sent = (await request.form()).items()
            error.fill_in({name: str(value) for name, value in sent if name not in PASSWORDS | {_KEY}}, form_page)
        raise


async def fields_of(request: Request) -> dict[str, str]:
    """Return a form's fields, tidied; passwords as they were typed.

    Raises:
        RefusedError: a field holds what cannot be shown; the message names it.
    """
    fields = {}
    for name, value in (await request.form()).items():
        try:
            fields[name] = str(value) if name in PASSWORDS else tidy(str(value))
        except UnreadableCharacterError as error:
            advice = f"Please take out the character {error.character}."
            raise RefusedError(
                422, "There is a character that we cannot read", advice, problems={name: advice}
            ) from error
    return fields


async def _post_once(request: Request, action: Action) -> tuple[Done, Response[None]]:
    services = services_of(request)
    fields = await fields_of(request)
    key = request.headers.get("idempotency-key") or fields.get(_KEY, "")
    fields.pop(_KEY, None)
    if not (SHORTEST_KEY <= len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise RefusedError(422, "This form came without its key", "Go back, reload the page and send the form again.")
    before = services.cookie.read(request.cookies)
    # A form may come again to a pod that signs with another secret than the pod that it came to first.
    secrets = (services.settings.session_secret, services.settings.other_session_secret)
    fingerprints = tuple(_fingerprint(secret, request.scope["path"], fields) for secret in secrets if secret)
    try:
        done = await _once(services, action, fields, key, before, fingerprints)
    except UnknownOutcomeError:  # COMMIT got no answer: what the database holds under this key decides
        done = await _once(services, action, fields, key, before, fingerprints)
    return _redirect(services, done, before)


def _redirect(services: Services, done: Done, before: UUID | None) -> tuple[Done, Response[None]]:
    cookie = services.cookie.remove() if done.session is None else services.cookie.write(done.session)
    cookies = [] if done.session == before else [cookie]
    return done, Response(None, status_code=303, headers={"location": done.location}, cookies=cookies)


async def _once(
    services: Services,
    action: Action,
    fields: Mapping[str, str],
    key: str,
    before: UUID | None,
    fingerprints: tuple[bytes, ...],
) -> Done:
    async with services.commerce.write() as connection:
        if not await connection.fetchval(_CLAIM, key, fingerprints[0], before):
            return await _replay(connection, key, before, fingerprints)
        done = await action(await _posting(connection, services, fields, key, before))
        await connection.execute(_COMPLETE, key, done.location, done.session)
        return done


async def _set(services: Services, action: Action, fields: Mapping[str, str], key: str, before: UUID | None) -> Done:
    async with services.commerce.write() as connection:
        return await action(await _posting(connection, services, fields, key, before))


async def _posting(
    connection: Connection, services: Services, fields: Mapping[str, str], key: str, before: UUID | None
) -> Posting:
    retention = services.settings.region.retention
    visitor = STRANGER if before is None else await find_visitor(connection, before, retention)
    session = visitor.session or await open_session(connection, retention)
    return Posting(connection, services, fields, key, visitor, session)


async def _replay(queries: Queries, key: str, before: UUID | None, fingerprints: tuple[bytes, ...]) -> Done:
    row = await queries.fetchrow(_STORED, key)
    lost_answer = row["recent"] and before == row["session_before"]
    known = lost_answer or before == row["session_after"]  # None is equal, too: the session that ended
    if not known or not any(hmac.compare_digest(row["fingerprint"], each) for each in fingerprints):
        raise RefusedError(
            422,
            "This form was already sent with other content",
            "What you sent first counts. To send something else, go back, reload the page and fill in the form again.",
        )
    if not row["goes_on"]:  # the browser would be sent on as nobody
        raise RefusedError(409, "What this form began has ended", "You have signed out since. Please send it again.")
    return Done(row["location"], row["session_after"])


def _fingerprint(secret: str, path: str, fields: Mapping[str, str]) -> bytes:
    """Return a keyed digest of what was asked for; keyed, since bodies hold passwords and addresses."""
    body = "\x1e".join(f"{name}\x1f{fields[name]}" for name in sorted(fields))
    return hmac.new(secret.encode(), f"{path}\x1d{body}".encode(), hashlib.sha256).digest()
