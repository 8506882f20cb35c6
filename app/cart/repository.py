"""Reads and writes cart lines. A cart is a guest's, by session, or a customer's, on all of their devices."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from app.cart.model import MOST_LINES, MOST_PIECES, Cart, CartLine, most_of_article
from app.database import Connection, Queries
from app.region import Region

OF_SESSION = """(
    SELECT k.id FROM customers.session s JOIN carts.cart k
        ON k.customer_id = s.customer_id OR (s.customer_id IS NULL AND k.session_id = s.id)
    WHERE s.id = $1
)"""
"""SQL: the id of the cart of session $1, NULL if there is none yet."""

_LINES = f"""
SELECT l.id, l.sku, p.id AS product, p.slug, p.name AS product_name, c.kind, v.colour, v.size, l.quantity,
    coalesce(price.amount_minor, 0) AS unit_minor, stock.free,
    p.on_sale AND price.amount_minor IS NOT NULL AS is_on_sale, l.customisation,
    sum(l.quantity) OVER (PARTITION BY l.sku)::int - l.quantity AS others
FROM carts.line l
JOIN catalogue.variant v ON v.sku = l.sku
JOIN catalogue.product p ON p.id = v.product_id
JOIN catalogue.category c ON c.slug = p.category
JOIN inventory.stock stock ON stock.sku = l.sku
LEFT JOIN catalogue.price price
    ON price.product_id = p.id AND price.currency = $2 AND price.size = v.size AND p.on_sale
WHERE l.cart_id = {OF_SESSION} ORDER BY l.added_at, l.id
"""  # noqa: S608 constants only
# The lock of a cart: whoever writes its lines or orders them holds it until the end of the transaction. The session is
# asked for after that, because a sign-in may have ended it, and taken its cart along, while this waited.
_LOCK = "SELECT carts.cart_of($1)"
_IS_OPEN = "SELECT EXISTS (SELECT FROM customers.session WHERE id = $1 AND expires_at > clock_timestamp())"
_COUNT = """
SELECT count(*)::int AS lines, coalesce(sum(quantity) FILTER (WHERE sku = $2), 0)::int AS pieces,
    coalesce(sum(quantity) FILTER (WHERE sku = $2 AND customisation = $3), 0)::int AS alike
FROM carts.line WHERE cart_id = $1
"""
_ADD = """
INSERT INTO carts.line (id, session_id, cart_id, sku, quantity, customisation) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (cart_id, sku, customisation)
DO UPDATE SET quantity = carts.line.quantity + excluded.quantity, set_by = NULL
"""
_MERGE = f"""
INSERT INTO carts.line (id, session_id, cart_id, sku, quantity, customisation, added_at)
SELECT gen_random_uuid(), $3, $2, sku, quantity, customisation, added_at FROM carts.line WHERE cart_id = $1
ORDER BY added_at DESC
LIMIT greatest(0, {2 * MOST_LINES} - (SELECT count(*) FROM carts.line WHERE cart_id = $2))
ON CONFLICT (cart_id, sku, customisation) DO UPDATE
SET quantity = least(carts.line.quantity + excluded.quantity, {MOST_PIECES}), set_by = NULL
"""  # noqa: S608 constants only
_VARIANT = """
SELECT v.sku, p.slug, s.kind, stock.free FROM catalogue.variant v
JOIN catalogue.product p ON p.id = v.product_id
JOIN catalogue.category s ON s.slug = p.category
JOIN inventory.stock stock ON stock.sku = v.sku
WHERE p.on_sale AND (v.sku = $1 OR ($1 = '' AND p.slug = $2 AND v.colour = $3 AND v.size = $4))
"""


class FullError(Exception):
    """What was to be added does not fit; the message is for the customer, `status` is that of the answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


async def read_cart(queries: Queries, session: UUID | None, region: Region) -> Cart:
    """Return a session's cart at today's prices; a stranger's is empty."""
    rows = [] if session is None else await queries.fetch(_LINES, session, region.currency)
    return Cart(tuple(_line(row) for row in rows), region)


async def lock(connection: Connection, session: UUID) -> UUID:
    """Return the cart of a session, made if there is none; nobody else writes or orders it in this transaction."""
    cart: UUID = await connection.fetchval(_LOCK, session)
    return cart


async def is_open(connection: Connection, session: UUID) -> bool:
    """Return whether a session goes on at this moment."""
    found: bool = await connection.fetchval(_IS_OPEN, session)
    return found


async def find_variant(
    queries: Queries, sku: str, slug: str, colour: str, size: str
) -> tuple[str, str, str, int] | None:
    """Return SKU, product, kind and free stock of a variant, named by its SKU or else by product and options."""
    row = await queries.fetchrow(_VARIANT, sku, slug, colour, size)
    return None if row is None else (row["sku"], row["slug"], row["kind"], row["free"])


async def colours_of(queries: Queries, slug: str) -> set[str]:
    """Return the colours that a product has in any size; none if there is no such product on sale."""
    rows = await queries.fetch(
        "SELECT DISTINCT v.colour FROM catalogue.variant v JOIN catalogue.product p ON p.id = v.product_id "
        "WHERE p.slug = $1 AND p.on_sale",
        slug,
    )
    return {row["colour"] for row in rows}


async def add_line(
    connection: Connection,
    cart: UUID,
    session: UUID,
    article: tuple[str, int],
    quantity: int,
    customisation: dict[str, str],
) -> None:
    """Put pieces of an article (SKU and free stock) into a locked cart; the same thing customised alike is one line.

    Raises:
        FullError: the cart has too many lines, or too many pieces of this article.
    """
    sku, free = article
    lines, pieces, alike = await connection.fetchrow(_COUNT, cart, sku, customisation)
    if not alike and lines >= MOST_LINES:
        raise FullError(422, f"Your cart has {lines} lines, which is all that it takes. Order these first.")
    if pieces + quantity > most_of_article(free) or alike + quantity > MOST_PIECES:
        most = min(most_of_article(free), MOST_PIECES if pieces == alike else free)
        told = f"Only {free} of these are left" if free <= most else f"You can order {most} of these at once"
        raise FullError(409, f"{told}, and {pieces} are in your cart." if pieces else f"{told}.")
    await connection.execute(_ADD, uuid4(), session, cart, sku, quantity, customisation)


async def set_quantity(connection: Connection, line: UUID, quantity: int, form: bytes | None) -> None:
    """Change a line of a locked cart, and note which form did; zero removes it."""
    if quantity == 0:
        await connection.execute("DELETE FROM carts.line WHERE id = $1", line)
    else:
        await connection.execute("UPDATE carts.line SET quantity = $2, set_by = $3 WHERE id = $1", line, quantity, form)


async def remove(connection: Connection, cart: Cart) -> None:
    """Remove the lines that a cart had when it was read; what came later stays."""
    await connection.execute("DELETE FROM carts.line WHERE id = ANY($1::uuid[])", [line.id for line in cart.lines])


async def merge(connection: Connection, guest: UUID, session: UUID) -> None:
    """Give the lines of a guest's session to the cart of the customer who has just signed in as `session`."""
    source, target = await lock(connection, guest), await lock(connection, session)
    if source != target:
        await connection.execute(_MERGE, source, target, session)
        await connection.execute("DELETE FROM carts.cart WHERE id = $1", source)


def _line(row: Any) -> CartLine:
    columns = dict(row.items())
    most = min(MOST_PIECES, most_of_article(columns["free"]) - columns.pop("others"))
    return CartLine(**columns, most=max(0, most))
