"""Reads and writes orders."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from app.cart.model import MOST_PIECES, Cart
from app.database import Connection, Queries
from app.orders.model import History, Lapse, Order, OrderLine, Recipient
from app.orders.states import OrderState, PendingPayment, state_of
from app.orders.taxes import IncludedTax, taxes_in

_INSERT = """
INSERT INTO orders."order" (id, number, session_id, customer_id, state, currency, goods_minor, shipping_minor,
    payment_token, email, name, street, postcode, city, country, taxes)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
"""
_INSERT_LINES = """
INSERT INTO orders.line (order_id, position, sku, product_name, quantity, unit_minor, customisation)
SELECT $1, * FROM unnest($2::int[], $3::text[], $4::text[], $5::int[], $6::bigint[], $7::jsonb[])
"""
# One statement for all lines, rows in the order of their keys: two checkouts never wait for each other in a circle.
_TAKE = """
WITH wanted AS (
    SELECT sku, sum(quantity)::int AS quantity FROM unnest($1::text[], $2::int[]) AS line (sku, quantity) GROUP BY sku
), locked AS (
    SELECT s.sku FROM inventory.stock s JOIN wanted USING (sku) ORDER BY s.sku FOR NO KEY UPDATE OF s
)
UPDATE inventory.stock SET free = free - wanted.quantity
FROM wanted WHERE stock.sku = wanted.sku AND stock.free >= wanted.quantity AND stock.sku IN (SELECT sku FROM locked)
RETURNING stock.sku
"""
_GIVE_BACK = """
WITH returned AS (
    SELECT sku, sum(quantity)::int AS quantity FROM orders.line WHERE order_id = $1 GROUP BY sku
), locked AS (
    SELECT s.sku FROM inventory.stock s JOIN returned USING (sku) ORDER BY s.sku FOR NO KEY UPDATE OF s
)
UPDATE inventory.stock SET free = free + returned.quantity
FROM returned WHERE stock.sku = returned.sku AND stock.sku IN (SELECT sku FROM locked)
"""
# To the cart of who has the order now: a guest's may have become a customer's while its payment was not known. Nobody
# has one whose customer was erased, or whose session is gone.
_CART_OF_ORDER = """
INSERT INTO carts.cart (session_id, customer_id)
SELECT CASE WHEN customer_id IS NULL THEN session_id END, customer_id FROM orders."order" o WHERE id = $1
    AND (customer_id IS NOT NULL OR EXISTS (SELECT FROM customers.session s WHERE s.id = o.session_id))
ON CONFLICT ({owner}) DO UPDATE SET changed_at = now() RETURNING id
"""
_BACK_TO_CART = f"""
INSERT INTO carts.line (id, session_id, cart_id, sku, quantity, customisation)
SELECT gen_random_uuid(), $2, $3, sku, least(sum(quantity), {MOST_PIECES})::int, customisation
FROM orders.line WHERE order_id = $1 GROUP BY sku, customisation
ON CONFLICT (cart_id, sku, customisation) DO UPDATE
SET quantity = least(carts.line.quantity + excluded.quantity, {MOST_PIECES}), set_by = NULL
"""  # noqa: S608 a constant only
_COLUMNS = """
o.id, o.number, o.session_id, o.customer_id, o.state, o.currency, o.goods_minor, o.shipping_minor, o.payment_token,
o.email, o.name, o.street, o.postcode, o.city, o.country, o.placed_at, o.taxes,
extract(epoch FROM now() - o.placed_at)::float8 AS age_seconds, o.lapse
"""
_OF = 'FROM orders."order" o WHERE (o.customer_id = $1 OR o.session_id = $2)'
PAGE_SIZE = 50
_LINES = """
SELECT p.slug, v.colour, v.size, l.product_name, l.quantity, l.unit_minor, l.customisation, l.order_id
FROM orders.line l JOIN catalogue.variant v ON v.sku = l.sku JOIN catalogue.product p ON p.id = v.product_id
WHERE l.order_id = ANY($1::uuid[]) ORDER BY l.order_id, l.position
"""


async def insert(
    connection: Connection,
    identity: UUID,
    number: str,
    session: UUID,
    customer: UUID | None,
    cart: Cart,
    token: str,
    to: Recipient,
) -> None:
    """Write an order that waits for its payment, with its lines."""
    await connection.execute(
        _INSERT,
        identity,
        number,
        session,
        customer,
        PendingPayment.name,
        cart.region.currency,
        cart.goods_minor,
        cart.shipping_minor,
        token,
        to.email,
        to.name,
        to.street,
        to.postcode,
        to.city,
        to.country,
        taxes_in(cart, to.country),
    )
    lines = cart.lines
    await connection.execute(
        _INSERT_LINES,
        identity,
        list(range(1, len(lines) + 1)),
        [line.sku for line in lines],
        [line.product_name for line in lines],
        [line.quantity for line in lines],
        [line.unit_minor for line in lines],
        [line.customisation for line in lines],
    )


async def take_stock(connection: Connection, cart: Cart) -> set[str]:
    """Take a cart's pieces out of stock and return the SKUs that do not have enough; then roll back."""
    rows = await connection.fetch(_TAKE, [line.sku for line in cart.lines], [line.quantity for line in cart.lines])
    return {line.sku for line in cart.lines} - {row["sku"] for row in rows}


async def give_back(connection: Connection, order: UUID, session: UUID) -> None:
    """Return a declined order's pieces to the stock and its lines to the cart, beside what is there by now.

    The cart is the customer's, on all devices, when there is one; else the guest's of this session.
    """
    is_customers = await connection.fetchval('SELECT customer_id IS NOT NULL FROM orders."order" WHERE id = $1', order)
    owner = "customer_id" if is_customers else "session_id"
    cart = await connection.fetchval(_CART_OF_ORDER.format(owner=owner), order)
    await connection.execute(_GIVE_BACK, order)  # after the cart, as a checkout locks them
    if cart is not None:
        await connection.execute(_BACK_TO_CART, order, session, cart)


async def give_to_customer(connection: Connection, session: UUID, customer: UUID) -> None:
    """Make the orders that a guest placed in a session a customer's."""
    await connection.execute(
        'UPDATE orders."order" SET customer_id = $2 WHERE session_id = $1 AND customer_id IS NULL', session, customer
    )


async def advance(connection: Connection, old: OrderState, new: OrderState, payment: str | None = None) -> bool:
    """Move an order along one transition; False if it had left the old state already."""
    status = await connection.execute(
        'UPDATE orders."order" SET state = $3, payment_id = coalesce($4, payment_id) WHERE id = $1 AND state = $2',
        old.order,
        old.name,
        new.name,
        payment,
    )
    return str(status).endswith(" 1")


async def find(queries: Queries, order: UUID) -> Order | None:
    """Return an order with its lines."""
    row = await queries.fetchrow(f'SELECT {_COLUMNS} FROM orders."order" o WHERE o.id = $1', order)  # noqa: S608 constants
    return None if row is None else (await _with_lines(queries, [row]))[0]


async def history(queries: Queries, session: UUID, customer: UUID | None, page: int) -> History:
    """Return a page of the orders of a customer, or of a guest's session; past the end it is the last one."""
    count = await queries.fetchval(f"SELECT count(*) {_OF}", customer, session)
    pages = max(1, -(-count // PAGE_SIZE))
    page = min(page, pages)
    rows = await queries.fetch(
        f"SELECT {_COLUMNS} {_OF} ORDER BY o.placed_at DESC, o.id LIMIT {PAGE_SIZE} OFFSET $3",
        customer,
        session,
        (page - 1) * PAGE_SIZE,
    )
    return History(tuple(await _with_lines(queries, rows)), page, pages)


async def latest_recipient(queries: Queries, session: UUID, customer: UUID | None) -> Recipient | None:
    """Return to whom a customer, or a guest in this session, ordered last; kept no longer than the order itself."""
    row = await queries.fetchrow(
        'SELECT email, name, street, postcode, city, country FROM orders."order" '
        "WHERE customer_id = $1 OR (customer_id IS NULL AND session_id = $2) ORDER BY placed_at DESC LIMIT 1",
        customer,
        session,
    )
    return None if row is None else Recipient(*row)


async def _with_lines(queries: Queries, rows: list[Any]) -> list[Order]:
    lines: dict[UUID, list[OrderLine]] = {row["id"]: [] for row in rows}
    for line in await queries.fetch(_LINES, list(lines)) if rows else []:
        lines[line["order_id"]].append(OrderLine(*line[:7]))
    return [
        Order(
            id=row["id"],
            number=row["number"],
            session=row["session_id"],
            customer=row["customer_id"],
            state=state_of(row["state"], row["id"]),
            currency=row["currency"],
            goods_minor=row["goods_minor"],
            shipping_minor=row["shipping_minor"],
            payment_token=row["payment_token"],
            recipient=Recipient(*row[9:15]),
            placed_at=row["placed_at"],
            lines=tuple(lines[row["id"]]),
            taxes=msgspec.convert(row["taxes"] or [], tuple[IncludedTax, ...]),
            age_seconds=row["age_seconds"],
            lapse=None if row["lapse"] is None else Lapse(row["lapse"]),
        )
        for row in rows
    ]
