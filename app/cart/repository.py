"""Reads and writes cart lines."""

from __future__ import annotations

from uuid import UUID, uuid4

from app.cart.model import MOST_PIECES, Cart, CartLine
from app.database import Connection, Queries
from app.region import Region

_LINES = """
SELECT l.id, l.sku, p.slug, p.name, v.colour, v.size, l.quantity, price.amount_minor, stock.free, l.customisation
FROM carts.line l
JOIN catalogue.variant v ON v.sku = l.sku
JOIN catalogue.product p ON p.id = v.product_id
JOIN catalogue.price price ON price.product_id = p.id AND price.currency = $2 AND price.size = v.size
JOIN inventory.stock stock ON stock.sku = l.sku
WHERE l.session_id = $1 ORDER BY l.added_at, l.id
"""
_ADD = f"""
INSERT INTO carts.line (id, session_id, sku, quantity, customisation) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (session_id, sku, customisation) DO UPDATE
SET quantity = least(carts.line.quantity + excluded.quantity, {MOST_PIECES})
"""  # noqa: S608 a constant only
_VARIANT = """
SELECT v.sku, s.kind, stock.free FROM catalogue.variant v
JOIN catalogue.product p ON p.id = v.product_id
JOIN catalogue.category s ON s.slug = p.category
JOIN inventory.stock stock ON stock.sku = v.sku
WHERE p.on_sale AND (v.sku = $1 OR (p.slug = $2 AND v.colour = $3 AND v.size = $4))
"""


async def read_cart(queries: Queries, session: UUID | None, region: Region) -> Cart:
    """Return a session's cart at today's prices; a stranger's is empty."""
    rows = [] if session is None else await queries.fetch(_LINES, session, region.currency)
    return Cart(tuple(CartLine(*row) for row in rows), region)


async def find_variant(queries: Queries, sku: str, slug: str, colour: str, size: str) -> tuple[str, str, int] | None:
    """Return SKU, kind and free stock of a variant, named by its SKU or by product and options."""
    row = await queries.fetchrow(_VARIANT, sku, slug, colour, size)
    return None if row is None else (row["sku"], row["kind"], row["free"])


async def add_line(
    connection: Connection, session: UUID, sku: str, quantity: int, customisation: dict[str, str]
) -> None:
    """Put pieces into a cart; the same thing customised alike becomes one line."""
    await connection.execute(_ADD, uuid4(), session, sku, quantity, customisation)


async def set_quantity(connection: Connection, session: UUID, line: UUID, quantity: int) -> bool:
    """Change a line of this session, zero removes it; return whether there was one."""
    if quantity == 0:
        status = await connection.execute("DELETE FROM carts.line WHERE id = $1 AND session_id = $2", line, session)
    else:
        status = await connection.execute(
            "UPDATE carts.line SET quantity = $3 WHERE id = $1 AND session_id = $2", line, session, quantity
        )
    return str(status).endswith(" 1")


async def empty(connection: Connection, session: UUID) -> None:
    """Remove all lines of a session."""
    await connection.execute("DELETE FROM carts.line WHERE session_id = $1", session)


async def move(connection: Connection, source: UUID, target: UUID) -> None:
    """Give a session's lines to another session, which is new and has none."""
    await connection.execute("UPDATE carts.line SET session_id = $2 WHERE session_id = $1", source, target)
