"""The facts that money is made of: taken from orders once, written down, marked with the release that counts them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from uuid import UUID

from app.database import Connection, Queries
from app.export.disclosure import Fact
from app.export.money import Group, Published
from app.export.sales import Ordered, Sale, people_of
from app.export.vocabulary import Currency, MoneyMetric

# What was paid, and what was paid and given back; an order that is not settled yet comes with a later correction.
_UNTAKEN = """
SELECT o.id, (o.placed_at AT TIME ZONE 'UTC')::date, o.currency, coalesce(o.lapse = 'refunded', false), p.category,
    sum(l.quantity * l.unit_minor)::bigint
FROM orders."order" o JOIN orders.line l ON l.order_id = o.id
    JOIN catalogue.variant v ON v.sku = l.sku JOIN catalogue.product p ON p.id = v.product_id
WHERE o.placed_at >= $1 AND o.placed_at < $2
    AND (o.state IN ('paid', 'in_production', 'dispatched', 'delivered') OR o.lapse = 'refunded')
    AND NOT EXISTS (SELECT FROM export.fact f WHERE f.order_id = o.id)
GROUP BY o.id, p.category
"""
_TAKE = """
INSERT INTO export.fact (order_id, metric, category, day, currency, amount)
SELECT * FROM unnest($1::uuid[], $2::export.metric[], $3::smallint[], $4::date[], $5::export.currency[], $6::bigint[])
"""
_WAITING = """
SELECT f.order_id, f.day, f.currency::text, f.category, f.metric::text, f.amount, o.customer_id, o.email
FROM export.fact f JOIN orders."order" o ON o.id = f.order_id WHERE f.seq IS NULL AND f.day >= $1 AND f.day < $2
"""
_PUBLISHED = """
SELECT c.day, c.currency::text, c.metric::text, c.category, sum(c.value)::bigint, bool_or(r.is_adopted)
FROM export.cell c JOIN export.release r USING (seq)
WHERE c.table_name = 'money' AND c.flag <> 'small' AND c.day >= $1 AND c.day < $2 GROUP BY 1, 2, 3, 4
"""
_DAYS_SAID = "SELECT day FROM export.release WHERE kind = 'money' AND day >= $1 AND day < $2"
_COUNT = """
UPDATE export.fact SET seq = $1 FROM unnest($2::uuid[], $3::export.metric[], $4::smallint[])
    AS counted (order_id, metric, category)
WHERE fact.order_id = counted.order_id AND fact.metric = counted.metric AND fact.category = counted.category
"""


async def untaken(queries: Queries, since: date, until: date) -> list[Sale]:
    """Return the orders of some days (from `since` until before `until`) that no fact is written of."""
    rows = await queries.fetch(_UNTAKEN, _midnight(since), _midnight(until))
    goods: dict[UUID, dict[str, int]] = defaultdict(dict)
    for row in rows:
        goods[row[0]][row[4]] = row[5]
    orders = {row[0]: tuple(row)[1:4] for row in rows}
    return [Sale(order, day, code, goods[order], given_back) for order, (day, code, given_back) in orders.items()]


async def take(connection: Connection, facts: Sequence[Fact]) -> None:
    """Write facts down."""
    rows = [(each.order, each.metric, each.category, each.day, each.currency, each.amount) for each in facts]
    if rows:
        await connection.execute(_TAKE, *(list(column) for column in zip(*rows, strict=True)))


async def waiting(queries: Queries, since: date, until: date) -> dict[Group, list[Fact]]:
    """Return the facts of some days that no release has counted, by group; who ordered is looked up now."""
    rows = await queries.fetch(_WAITING, since, until)
    people = people_of({row[0]: Ordered(row[0], row[6], row[7]) for row in rows}.values())
    found: dict[Group, list[Fact]] = defaultdict(list)
    for order, day, currency, category, metric, amount, *_ in rows:
        fact = Fact(order, people[order], day, Currency(currency), category, MoneyMetric(metric), amount)
        found[Group(day, fact.currency, fact.metric)].append(fact)
    return dict(found)


async def published(queries: Queries, since: date, until: date) -> dict[Group, Published]:
    """Return what of the groups of some days has left the region.

    Where a sum was taken back from headquarters, it is not known any more which facts it counts: its group is closed.
    """
    found: dict[Group, Published] = {}
    for day, currency, metric, category, value, is_adopted in await queries.fetch(_PUBLISHED, since, until):
        group = Group(day, Currency(currency), MoneyMetric(metric))
        before = found.get(group, Published())
        is_total = category is None
        found[group] = Published(
            before.categories if is_total else before.categories | {category},
            before.has_total or is_total,
            before.kept + (0 if is_total else value),
            before.is_closed or is_adopted,
        )
    return found


async def days_said(queries: Queries, since: date, until: date) -> frozenset[date]:
    """Return which of some days' money was released."""
    return frozenset(row[0] for row in await queries.fetch(_DAYS_SAID, since, until))


async def count(connection: Connection, facts: Sequence[Fact], seq: int) -> None:
    """Mark facts as counted by a release; the database refuses it for one that is marked."""
    keys = [each.key for each in facts]
    if keys:
        await connection.execute(_COUNT, seq, *(list(column) for column in zip(*keys, strict=True)))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)
