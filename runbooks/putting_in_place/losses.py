"""What is lost, and what comes back, when a database is put in the place of the live one; asked of both, and shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runbooks.putting_in_place.contents import TABLES, is_there
from runbooks.putting_in_place.instance import Ask
from shopsphere.estate.databases import COMMERCE, DatabaseModel

SHOWN = 20
"""Orders, payments and tables that are named; the rest is counted."""

_COUNT = "SELECT json_build_object('rows', count(*)) FROM {table}"
_ORDERS = """
SELECT json_build_object('count', count(*), 'newest', max(placed_at)::text, 'numbers', coalesce(
  (array_agg(number || ' (' || state || ')' ORDER BY placed_at DESC))[1:{shown}], '{{}}'))
FROM orders."order" WHERE placed_at > timestamptz '{to}'
"""
_MOVED = """
SELECT coalesce(json_object_agg(number, state), '{{}}') FROM orders."order"
WHERE placed_at <= timestamptz '{to}' AND changed_at > timestamptz '{to}'
"""
_STATES = """SELECT coalesce(json_object_agg(number, state), '{{}}') FROM orders."order" WHERE number IN ({numbers})"""
_CUSTOMERS = "SELECT to_json(count(*)) FROM customers.customer WHERE created_at > timestamptz '{to}'"
_ERASURES = "SELECT to_json(count(*)) FROM customers.erasure WHERE erased_at > timestamptz '{to}'"
_PAYMENTS = """
SELECT json_build_object('count', count(*), 'captured', count(*) FILTER (WHERE state = 'captured'), 'keys', coalesce(
  (array_agg(reference || ' (' || state || coalesce(', charge ' || charge_id, '') || ')' ORDER BY created_at DESC))
  [1:{shown}], '{{}}'))
FROM payments.payment WHERE created_at > timestamptz '{to}'
"""
_SETTLED = """
SELECT coalesce(json_object_agg(reference, CASE WHEN refunded_at IS NOT NULL THEN 'refunded' ELSE state END), '{{}}')
FROM payments.payment WHERE created_at <= timestamptz '{to}'
  AND greatest(changed_at, refunded_at, void_asked_at) > timestamptz '{to}'
"""
_STANDINGS = """
SELECT coalesce(json_object_agg(reference, CASE WHEN refunded_at IS NOT NULL THEN 'refunded' ELSE state END), '{{}}')
FROM payments.payment WHERE reference IN ({numbers})
"""
AFTER_COMMERCE = (
    "sessions: whoever signed in after that time signs in again; whoever signed out since stays signed out; guests who "
    "came since lose their cart",
    "forms that customers sent since are not known any more: one that is sent again is a new order",
    "payments: the ledger is not touched, so nothing is charged twice; an order that is pending again is asked for "
    "with its own key and gets the answer that it had. Payments of lost orders are `payment without order` in "
    "`shopsphere reconcile`, and `shop void-payment KEY` gives them back",
    "back-off of failed sign-ins is that of then",
)
AFTER_LEDGER = (
    "orders are not touched; those that were paid since are `order without payment` in `shopsphere reconcile`",
    "charges since then stay at the provider: `charge without payment`. A payment that is pending again is settled by "
    "asking the provider for its key, so nothing is charged twice",
    "money that was given back since is `refund` there: `shop void-payment KEY` books it",
)


def losses(model: DatabaseModel, live: Ask, other: Ask, to: str) -> list[str]:
    """Return in lines what differs between the live database and the one as of a time.

    Args:
        model: commerce or ledger.
        live: asks the live database.
        other: asks the restored one.
        to: the time, as SQL reads it.

    Raises:
        ShopSphereError: one of them does not answer.
    """
    lines = [*_tables(live, other)]
    lines += _of_commerce(live, other, to) if model is COMMERCE else _of_ledger(live, other, to)
    return [*lines, *(AFTER_COMMERCE if model is COMMERCE else AFTER_LEDGER)]


def _tables(live: Ask, other: Ask) -> Iterator[str]:
    """Yield tables whose number of rows differs: what comes back, and what goes."""
    there, then = (_counts(ask) for ask in (live, other))
    shown = [name for name in sorted({*there, *then}) if there.get(name) != then.get(name)]
    for name in shown[:SHOWN]:
        yield f"{name}: {_rows(there.get(name))} now, {_rows(then.get(name))} then"
    if len(shown) > SHOWN:
        yield f"{len(shown) - SHOWN} more tables have other numbers of rows"
    if not shown:
        yield "every table has as many rows now as then"


def _counts(ask: Ask) -> dict[str, int]:
    return {name: ask(_COUNT.format(table=name))["rows"] for name in ask(TABLES)}


def _rows(number: int | None) -> str:
    return "no such table" if number is None else f"{number} rows"


def _of_commerce(live: Ask, other: Ask, to: str) -> Iterator[str]:
    yield from _newer(live, 'orders."order"', _ORDERS, to, "orders placed after that time are lost")
    yield from _moved(
        live, other, 'orders."order"', (_MOVED, _STATES), to, "orders go back; do not make or send them twice"
    )
    for table, question, what in (
        ("customers.customer", _CUSTOMERS, "accounts made after that time are lost"),
        (
            "customers.erasure",
            _ERASURES,
            "persons were erased after that time; they are erased again before it is live",
        ),
    ):
        if is_there(live, table):
            yield f"{live(question.format(to=to))} {what}"
        else:
            yield f"the live database has no table {table}: not known how many {what}"


def _of_ledger(live: Ask, other: Ask, to: str) -> Iterator[str]:
    yield from _newer(live, "payments.payment", _PAYMENTS, to, "payments asked for after that time are lost")
    yield from _moved(live, other, "payments.payment", (_SETTLED, _STANDINGS), to, "payments go back")


def _newer(live: Ask, table: str, question: str, to: str, what: str) -> Iterator[str]:
    if not is_there(live, table):
        yield f"the live database has no table {table}: not known how many {what}"
        return
    found: dict[str, Any] = live(question.format(to=to, shown=SHOWN))
    newest = f", the newest of {found['newest']}" if found.get("newest") else ""
    captured = f", {found['captured']} of them captured" if "captured" in found else ""
    yield f"{found['count']} {what}{newest}{captured}"
    named = found.get("numbers") or found.get("keys") or []
    if named:
        yield f"  {', '.join(named)}{' ...' if found['count'] > len(named) else ''}"


def _moved(live: Ask, other: Ask, table: str, questions: tuple[str, str], to: str, what: str) -> Iterator[str]:
    if not (is_there(live, table) and is_there(other, table)):
        return
    now: dict[str, str] = live(questions[0].format(to=to))
    numbers = ", ".join("'" + each.replace("'", "''") + "'" for each in now) or "''"
    then: dict[str, str] = other(questions[1].format(numbers=numbers))
    moved = [
        f"{each} from {now[each]} to {then[each]}" for each in sorted(now) if then.get(each, now[each]) != now[each]
    ]
    yield f"{len(moved)} {what}"
    if moved:
        yield f"  {', '.join(moved[:SHOWN])}{' ...' if len(moved) > SHOWN else ''}"
