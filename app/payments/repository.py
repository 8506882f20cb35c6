"""Reads and writes payments and the ledger."""

from __future__ import annotations

from uuid import UUID, uuid4

from app.database import Connection, Queries
from app.payments.model import CAPTURED, CREATED, DECLINED, UNKNOWN, Payment, PaymentRequest, VoidRequest

RECEIVABLE, SALES = "psp-receivable", "order-sales"

_COLUMNS = """
id, key, fingerprint, reference, amount_minor, currency, token, state, charge_id, decline_reason, attempts, problem,
extract(epoch FROM now() - void_asked_at)::float8, refunded_at IS NOT NULL
"""
_INSERT = f"""
INSERT INTO payments.payment (id, key, fingerprint, reference, amount_minor, currency, token, state, due_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, '{CREATED}', now() + make_interval(secs => $8))
ON CONFLICT (key) DO NOTHING RETURNING {_COLUMNS}
"""  # noqa: S608 constants only
_CLAIM = f"""
UPDATE payments.payment SET due_at = now() + make_interval(secs => $1), attempts = attempts + 1 WHERE id IN (
    SELECT id FROM payments.payment WHERE due_at < now() AND (state IN ('{CREATED}', '{UNKNOWN}')
        OR (state = '{CAPTURED}' AND void_asked_at IS NOT NULL AND refunded_at IS NULL))
    ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED
) RETURNING {_COLUMNS}
"""  # noqa: S608 constants only
_CLOSE = f"""
UPDATE payments.payment SET state = $2, charge_id = $3, decline_reason = $4, problem = NULL, changed_at = now()
WHERE id = $1 AND state IN ('{CREATED}', '{UNKNOWN}') RETURNING 1
"""  # noqa: S608 constants only
# Where nothing was asked for yet, a payment that is closed already stands in the way of a request that comes late.
_TOMBSTONE = f"""
INSERT INTO payments.payment (id, key, fingerprint, reference, amount_minor, currency, token, state, decline_reason,
    due_at, void_asked_at)
VALUES ($1, $2, '', $3, $4, $5, '', '{DECLINED}', $6, now(), now()) ON CONFLICT (key) DO NOTHING
"""  # noqa: S608 constants only
_ASK_TO_VOID = f"""
UPDATE payments.payment SET void_asked_at = now(), due_at = now() + make_interval(secs => $2)
WHERE key = $1 AND void_asked_at IS NULL AND state <> '{DECLINED}'
"""  # noqa: S608 constants only
_PUT_OFF = f"""
UPDATE payments.payment SET due_at = now() + make_interval(secs => $2), problem = coalesce($3, problem),
    state = CASE state WHEN '{CREATED}' THEN '{UNKNOWN}' ELSE state END
WHERE id = $1 AND (state IN ('{CREATED}', '{UNKNOWN}') OR (void_asked_at IS NOT NULL AND refunded_at IS NULL
    AND state = '{CAPTURED}'))
"""  # noqa: S608 constants only
_REFUND = f"""
UPDATE payments.payment SET refunded_at = now(), problem = NULL, changed_at = now()
WHERE id = $1 AND state = '{CAPTURED}' AND refunded_at IS NULL RETURNING 1
"""  # noqa: S608 constants only
VOIDED = "voided"
_ENTRIES = """
INSERT INTO ledger.entry (transfer_id, position, account, currency, amount_minor)
VALUES ($1, 1, $2, $4, $5), ($1, 2, $3, $4, -$5::bigint)
"""


async def insert(connection: Connection, key: str, request: PaymentRequest, lease_seconds: float) -> Payment | None:
    """Write an intent; None if the key is there already. The resolver leaves it alone for `lease_seconds`."""
    row = await connection.fetchrow(
        _INSERT,
        uuid4(),
        key,
        request.fingerprint(),
        request.reference,
        request.amount_minor,
        request.currency,
        request.token,
        lease_seconds,
    )
    return None if row is None else Payment(*row)


async def by_key(queries: Queries, key: str) -> Payment | None:
    """Return the payment of an idempotency key."""
    row = await queries.fetchrow(f"SELECT {_COLUMNS} FROM payments.payment WHERE key = $1", key)  # noqa: S608 constants
    return None if row is None else Payment(*row)


async def claim_unsettled(connection: Connection, lease_seconds: float, limit: int) -> list[Payment]:
    """Take payments whose outcome is unknown; other processes leave them alone for `lease_seconds`."""
    return [Payment(*row) for row in await connection.fetch(_CLAIM, lease_seconds, limit)]


async def confirm(connection: Connection) -> None:
    """Make this transaction's COMMIT wait until everything that it has read is at the other site too.

    A row may be visible here only: its own COMMIT was waiting for the other site when the server restarted. The
    record that is written here comes after that row's, and a synchronous COMMIT waits for it and all before it.
    """
    await connection.execute("SELECT pg_logical_emit_message(true, 'shopsphere', 'confirm')")


async def mark_unknown(connection: Connection, payment: Payment, due_seconds: float, problem: str | None) -> None:
    """Say that it is not known what became of a payment; the resolver asks again after `due_seconds`.

    Args:
        connection: in a transaction.
        payment: the payment.
        due_seconds: until it is asked for again (s).
        problem: what a person has to look at; None leaves what is written there already.
    """
    await connection.execute(
        "UPDATE payments.payment SET state = $2, due_at = now() + make_interval(secs => $3), "
        "problem = coalesce($4, problem), changed_at = now() WHERE id = $1 AND state IN ('created', 'unknown')",
        payment.id,
        UNKNOWN,
        due_seconds,
        problem,
    )


async def mark_declined(connection: Connection, payment: Payment, reason: str) -> None:
    """Close a payment without money."""
    await connection.execute(_CLOSE, payment.id, DECLINED, None, reason)


async def capture(connection: Connection, payment: Payment, charge: str) -> None:
    """Close a payment and book it, once: who comes second finds it closed and books nothing."""
    if await connection.fetchval(_CLOSE, payment.id, CAPTURED, charge, None) is None:
        return
    await _book(connection, payment, "capture", RECEIVABLE, SALES)


async def ask_to_void(connection: Connection, key: str, request: VoidRequest, lease_seconds: float) -> None:
    """Write down that the payment of a key is no longer wanted; where there is none, there will be none.

    From now on nobody charges it. The resolver leaves it alone for `lease_seconds`.
    """
    await connection.execute(
        _TOMBSTONE, uuid4(), key, request.reference, request.amount_minor, request.currency, VOIDED
    )
    await connection.execute(_ASK_TO_VOID, key, lease_seconds)


async def put_off(connection: Connection, payment: Payment, due_seconds: float, problem: str | None) -> None:
    """Leave an open payment as it is, created ones aside, and come back to it after `due_seconds`; note a problem."""
    await connection.execute(_PUT_OFF, payment.id, due_seconds, problem)


async def refund(connection: Connection, payment: Payment) -> None:
    """Book that a captured payment was given back, once."""
    if await connection.fetchval(_REFUND, payment.id) is not None:
        await _book(connection, payment, "refund", SALES, RECEIVABLE)


async def _book(connection: Connection, payment: Payment, kind: str, debit: str, credit: str) -> None:
    transfer: UUID = uuid4()
    await connection.execute(
        "INSERT INTO ledger.transfer (id, payment_id, kind) VALUES ($1, $2, $3)", transfer, payment.id, kind
    )
    await connection.execute(_ENTRIES, transfer, debit, credit, payment.currency, payment.amount_minor)
