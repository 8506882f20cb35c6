"""What stands before an account: limits, then the hash, all of it outside the transaction of the form.

Three limits, each against another kind of crowd: tries of one client (in each pod), wrong passwords of one account (in
the database), hashes of one pod. Beyond any of them the answer is 429 with the time to wait. A signed-in customer
passes through here once more before what cannot be taken back.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from app.customers import backoff, repository
from app.customers.hashing import RETRY_SECONDS, Hashing, HashingFullError
from app.customers.passwords import NOBODY, hash_password, is_password
from app.database import Database
from app.web.allowance import Allowance
from app.web.clients import client_network
from app.web.refusals import RefusedError
from app.web.security_log import SecurityLog
from app.web.services import Request, services_of

TRIES_AT_ONCE, TRY_EVERY_SECONDS = 20, 3.0
EXPORTS_AT_ONCE, EXPORT_EVERY_SECONDS = 3, 60.0
"""Of one customer."""
EXPORTING_AT_ONCE = 2
"""In one pod: a file holds all orders of a customer, and is in memory while it is made."""


@dataclass(frozen=True, slots=True)
class Entrance:
    """The limits of one process."""

    hashing: Hashing
    tries: Allowance
    exports: Allowance
    exporting: asyncio.Semaphore
    log: SecurityLog

    @classmethod
    def make(cls, secret: str) -> Entrance:
        """Return the entrance of a process that has seen nobody yet."""
        tries, exports = Allowance(TRIES_AT_ONCE, TRY_EVERY_SECONDS), Allowance(EXPORTS_AT_ONCE, EXPORT_EVERY_SECONDS)
        return cls(Hashing(), tries, exports, asyncio.Semaphore(EXPORTING_AT_ONCE), SecurityLog(secret))


@dataclass(frozen=True, slots=True)
class _Try:
    """One try at the entrance, for the limits and the log."""

    entrance: Entrance
    event: str
    network: str
    account: bytes

    @contextmanager
    def admitted(self) -> Iterator[None]:
        """Hold a place in the queue for a hash, or refuse, before anything else is asked."""
        wait = self.entrance.tries.take(self.network)
        if wait > 0:
            self.note("client waits")
            raise too_many(wait)
        try:
            with self.entrance.hashing.place():
                yield
        except HashingFullError as error:
            self.note("pod is full")
            raise too_many(RETRY_SECONDS) from error

    def note(self, outcome: str, customer: UUID | None = None) -> None:
        """Write down what came of it."""
        self.entrance.log.note(self.event, outcome, network=self.network, account=self.account, customer=customer)


async def recognise(request: Request, email: str, password: str) -> UUID:
    """Return the customer whose address and password these are; an unknown address costs the same as a wrong password.

    Raises:
        RefusedError: they do not match (401), or too many tries were made (429).
    """
    commerce, attempt = services_of(request).commerce, _try_of(request, "sign-in", email)
    with attempt.admitted():
        await _require_no_wait(commerce, attempt)
        found = await repository.credentials_of(commerce, email)
        fits = await _fits(commerce, attempt, password, found.password_hash if found else NOBODY)
    if found is None or not fits:
        attempt.note("refused", found.customer if found else None)
        raise RefusedError(401, "That did not match", "Check your e-mail address and password, and try again.")
    attempt.note("signed in", found.customer)
    return found.customer


async def confirm(request: Request, event: str, customer: UUID, email: str, password: str) -> None:
    """Make sure that a signed-in customer knows the account's password; it counts as a try to sign in.

    Whose account was erased in this moment has nothing to prove: the transaction that comes next finds no session.

    Raises:
        RefusedError: it is another password (401), or too many tries were made (429).
    """
    commerce, attempt = services_of(request).commerce, _try_of(request, event, email)
    with attempt.admitted():
        await _require_no_wait(commerce, attempt)
        stored = await repository.hash_of(commerce, customer)
        fits = stored is None or await _fits(commerce, attempt, password, stored)
    if not fits:
        attempt.note("refused", customer)
        advice = "This is not the password of your account. Nothing was changed."
        raise RefusedError(401, "That did not match", advice, problems={"password": advice})
    attempt.note("password was right", customer)


async def hash_new(request: Request, email: str, password: str) -> str:
    """Return the hash of a new account's password, one that can be taken.

    Raises:
        RefusedError: too many tries were made (429).
    """
    attempt = _try_of(request, "sign-up", email)
    with attempt.admitted():
        hashed = await attempt.entrance.hashing.run(hash_password, password)
    attempt.note("asked for")
    return hashed


async def _require_no_wait(commerce: Database, attempt: _Try) -> None:
    wait = await backoff.wait_of(commerce, attempt.account)
    if wait > 0:
        attempt.note("account waits")
        raise too_many(wait)


async def _fits(commerce: Database, attempt: _Try, password: str, stored: str) -> bool:
    """Compare a password with a hash, and count what came of it for the account; NOBODY's fits none."""
    fits = await attempt.entrance.hashing.run(is_password, password, stored)
    if fits:
        await backoff.forget(commerce, attempt.account)
    else:
        await backoff.note_failure(commerce, attempt.account)
    return fits


def entrance_of(request: Request) -> Entrance:
    """Return the entrance of this process."""
    entrance: Entrance = request.app.state["entrance"]
    return entrance


def _try_of(request: Request, event: str, email: str) -> _Try:
    account = backoff.account_key(services_of(request).settings.session_secret, email)
    return _Try(entrance_of(request), event, client_network(request), account)


def too_many(wait_seconds: float) -> RefusedError:
    """Return the answer to whoever has to wait."""
    seconds = math.ceil(wait_seconds)
    return RefusedError(
        429,
        "That was too often",
        f"Please wait for {seconds} {'second' if seconds == 1 else 'seconds'}, then try again.",
        headers={"retry-after": str(seconds)},
    )
