"""What the storefront compares its orders with: payments of a time, or of some keys; read-only, a page at a time."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast
from uuid import UUID

import litestar
import msgspec
from litestar import Response, get, post
from litestar.datastructures import State

from app.database import Database, Queries
from app.payments.model import CAPTURED, CREATED, KEY, REFUNDED, UNKNOWN
from app.statements import AT_ONCE, Keys, Statement, StatementPage

Request = litestar.Request[Any, Any, State]
_COLUMNS = f"""
key, reference, amount_minor, currency, CASE WHEN refunded_at IS NOT NULL AND state = '{CAPTURED}' THEN '{REFUNDED}'
    WHEN state = '{CREATED}' THEN '{UNKNOWN}' ELSE state END,
extract(epoch FROM now() - changed_at)::float8, extract(epoch FROM now() - created_at)::float8, created_at, id
"""
_BETWEEN = f"""
SELECT {_COLUMNS} FROM payments.payment WHERE (created_at, id) > ($1, $2) AND created_at < $3
ORDER BY created_at, id LIMIT {AT_ONCE}
"""  # noqa: S608 constants only
_BY_KEYS = f"SELECT {_COLUMNS} FROM payments.payment WHERE key = ANY($1::text[])"  # noqa: S608 constants only


@get("/v1/statements")
async def between(request: Request, since: str, until: str, after: str = "") -> Response[Any]:
    """Return payments that were asked for between two moments (ISO 8601, with an offset), from `after` on."""
    try:
        start, _, identity = (after or f"{since}|{UUID(int=0)}").partition("|")
        first, last, beyond = datetime.fromisoformat(start), datetime.fromisoformat(until), UUID(identity)
    except ValueError as error:
        return _refused(str(error))
    if first.tzinfo is None or last.tzinfo is None:
        return _refused("expected moments with an offset from UTC")
    return Response(msgspec.to_builtins(await _page(_ledger(request), first, beyond, last)))


@post("/v1/statements/by-keys", status_code=200)
async def by_keys(request: Request) -> Response[Any]:
    """Return the payments of some keys; those that there are."""
    try:
        keys = msgspec.json.decode(await request.body(), type=Keys).keys
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return _refused(str(error))
    if len(keys) > AT_ONCE or not all(KEY.fullmatch(key) for key in keys):
        return _refused(f"expected {AT_ONCE} keys or fewer that match {KEY.pattern}")
    rows = await _ledger(request).fetch(_BY_KEYS, keys)
    return Response(msgspec.to_builtins(StatementPage(tuple(Statement(*tuple(row)[:7]) for row in rows))))


ROUTES = (between, by_keys)


async def _page(ledger: Queries, first: datetime, beyond: UUID, last: datetime) -> StatementPage:
    rows = await ledger.fetch(_BETWEEN, first, beyond, last)
    following = f"{rows[-1]['created_at'].isoformat()}|{rows[-1]['id']}" if len(rows) == AT_ONCE else None
    return StatementPage(tuple(Statement(*tuple(row)[:7]) for row in rows), following)


def _ledger(request: Request) -> Database:
    return cast(Database, request.app.state["ledger"])


def _refused(detail: str) -> Response[Any]:
    return Response({"status": 422, "detail": detail}, status_code=422)
