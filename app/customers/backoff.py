"""After some wrong passwords for one address of an account, the next try has to wait, for longer each time.

The count is kept by a keyed hash of the e-mail address, whether or not there is such an account: the answer tells
nobody which addresses are customers, and the table holds no address. It is in the database, so that it holds for all
pods and across a failover.
"""

from __future__ import annotations

import hashlib
import hmac

from app.database import Database

FREE_TRIES = 5
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 15, 300
"""Long enough to make guessing hopeless (300 tries a day), short enough that it is over soon after the last wrong one.

Whoever sends a wrong password at the end of each wait keeps its owner out as well; the security log names the network.
"""
FORGOTTEN_HOURS = 24

_WAIT = """
SELECT extract(epoch FROM blocked_until - now())::float8 FROM customers.failed_sign_in
WHERE account = $1 AND blocked_until > now()
"""
_NUMBER = f"""
CASE WHEN known.failed_at < now() - interval '{FORGOTTEN_HOURS} hours' THEN 1 ELSE least(known.failures + 1, 1000) END
"""
_FAILED = f"""
INSERT INTO customers.failed_sign_in AS known (account, failures, blocked_until, failed_at)
VALUES ($1, 1, now(), now())
ON CONFLICT (account) DO UPDATE SET
    failures = {_NUMBER},
    blocked_until = now() + make_interval(secs => CASE WHEN {_NUMBER} < {FREE_TRIES} THEN 0
        ELSE least({LONGEST_WAIT_SECONDS}, {FIRST_WAIT_SECONDS} * power(2, least({_NUMBER} - {FREE_TRIES}, 20))) END),
    failed_at = now()
"""  # noqa: S608 constants only
_FORGET = "DELETE FROM customers.failed_sign_in WHERE account = $1"


def account_key(secret: str, email: str) -> bytes:
    """Return what stands for an e-mail address, in the table and in the security log."""
    return hmac.new(secret.encode(), b"account:" + email.lower().encode(), hashlib.sha256).digest()[:16]


async def wait_of(commerce: Database, account: bytes) -> float:
    """Return the seconds for which an account takes no tries, 0 if it takes one now."""
    return float(await commerce.fetchval(_WAIT, account) or 0)


async def note_failure(commerce: Database, account: bytes) -> None:
    """Count one wrong password.

    Raises:
        DatabaseUnavailableError: it could not be counted, so the try must not be answered.
    """
    async with commerce.write() as connection:
        await connection.execute(_FAILED, account)


async def forget(commerce: Database, account: bytes) -> None:
    """Begin to count anew after a right password."""
    async with commerce.write() as connection:
        await connection.execute(_FORGET, account)
