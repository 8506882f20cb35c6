"""What the storefront compares its orders with: payments of a time, or of some keys; read-only, a page at a time."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast
from uuid import UUID

import msgspec
from litestar import Response, get, post

from app.database import Database
from app.payments.model import CAPTURED, CREATED, KEY, REFUNDED, UNKNOWN
from app.payments.pages import Request, problem
from app.statements import AT_ONCE, Keys, Statement, StatementPage

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
        return problem(422, str(error))
    if first.tzinfo is None or last.tzinfo is None:
        return problem(422, "expected moments with an offset from UTC")
    rows = await _ledger(request).fetch(_BETWEEN, first, beyond, last)
    following = f"{rows[-1]['created_at'].isoformat()}|{rows[-1]['id']}" if len(rows) == AT_ONCE else None
    return _page(rows, following)


@post("/v1/statements/by-keys", status_code=200)
async def by_keys(request: Request) -> Response[Any]:
    """Return the payments of some keys; those that there are."""
    try:
        keys = msgspec.json.decode(await request.body(), type=Keys).keys
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return problem(422, str(error))
    if len(keys) > AT_ONCE or not all(KEY.fullmatch(key) for key in keys):
        return problem(422, f"expected {AT_ONCE} keys or fewer that match {KEY.pattern}")
    rows = await _ledger(request).fetch(_BY_KEYS, keys)
    return _page(rows)


ROUTES = (between, by_keys)


def _page(rows: list[Any], following: str | None = None) -> Response[Any]:
    return Response(msgspec.to_builtins(StatementPage(tuple(Statement(*tuple(row)[:7]) for row in rows), following)))


def _ledger(request: Request) -> Database:
    return cast(Database, request.app.state["ledger"])
