"""Reads products. One query per page: cards come with their lowest price, a product with all its variants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.catalogue.model import PAGE_SIZE, Card, Listing, Product, Variant
from app.catalogue.vocabulary import Question
from app.database import Queries

# Rows to leave out for a page; beyond the last page, those before the last one.
_OFFSET = f"(SELECT least($3::bigint, greatest(count(*) - 1, 0) / {PAGE_SIZE} * {PAGE_SIZE}) FROM hit)"  # noqa: S608
# $1 is always the currency. Laterals run for the rows of one page only, since LIMIT stands inside.
_CARD = """
SELECT p.slug, p.name, p.tagline, p.category, p.total, p.rank, price.lowest, price.several, colour.slugs
FROM page p
CROSS JOIN LATERAL (
    SELECT min(amount_minor) AS lowest, count(*) > 1 AND min(amount_minor) < max(amount_minor) AS several
    FROM catalogue.price WHERE product_id = p.id AND currency = $1
) AS price
CROSS JOIN LATERAL (
    SELECT array_agg(c.colour ORDER BY c.position) AS slugs FROM (
        SELECT colour, min(position) AS position FROM catalogue.variant WHERE product_id = p.id GROUP BY colour
    ) AS c
) AS colour
ORDER BY p.rank
"""
_FEATURED = f"""
WITH page AS (
    SELECT id, slug, name, tagline, category, 0 AS total, position AS rank
    FROM catalogue.product WHERE on_sale AND featured ORDER BY position LIMIT $2
) {_CARD}
"""  # noqa: S608 constants only
_LOWEST = "(SELECT min(amount_minor) FROM catalogue.price WHERE product_id = product.id AND currency = $1)"
_ORDERS = {
    "": "position",
    "price": f"{_LOWEST}, position",
    "-price": f"{_LOWEST} DESC, position",
    "name": "name, position",
}
_SHELF = {
    sort: f"""
WITH hit AS (
    SELECT id, slug, name, tagline, category, count(*) OVER () AS total, row_number() OVER (ORDER BY {order}) AS rank
    FROM catalogue.product WHERE on_sale AND category = $2
), page AS (SELECT * FROM hit ORDER BY rank LIMIT {PAGE_SIZE} OFFSET {_OFFSET}) {_CARD}
"""  # noqa: S608 constants only
    for sort, order in _ORDERS.items()
}
# All words (stemmed), or all other words in a category that was named; if nothing has them all, any of them; else names
# that look alike, for slips of the finger. $5 are the categories, $6 the words that name none.
_SEARCH = f"""
WITH query AS (
    SELECT websearch_to_tsquery('english', $2) AS words, websearch_to_tsquery('english', $4) AS any_word,
        websearch_to_tsquery('english', $6) AS other_words
), found AS (
    SELECT p.*, ts_rank(document, words) + 1 + (category = ANY($5::text[]))::int AS score
    FROM catalogue.product p, query
    WHERE on_sale AND (document @@ words OR (category = ANY($5) AND ($6 = '' OR document @@ other_words)))
), partly AS (
    SELECT p.*, ts_rank(document, any_word) + (category = ANY($5))::int AS score FROM catalogue.product p, query
    WHERE NOT EXISTS (SELECT FROM found) AND on_sale AND (document @@ any_word OR category = ANY($5))
), alike AS (
    SELECT p.*, word_similarity(lower($2), lower(name)) AS score FROM catalogue.product p
    WHERE NOT EXISTS (SELECT FROM found) AND NOT EXISTS (SELECT FROM partly) AND on_sale AND lower($2) <% lower(name)
), hit AS (
    SELECT id, slug, name, tagline, category, count(*) OVER () AS total,
        row_number() OVER (ORDER BY score DESC, position) AS rank
    FROM (SELECT * FROM found UNION ALL SELECT * FROM partly UNION ALL SELECT * FROM alike) AS one
), page AS (SELECT * FROM hit ORDER BY rank LIMIT {PAGE_SIZE} OFFSET {_OFFSET}) {_CARD}
"""  # noqa: S608 constants only
_PRODUCT = """
SELECT p.id, p.slug, p.name, p.tagline, p.description, p.details, p.category,
    array_agg(v.sku ORDER BY v.position) AS skus, array_agg(v.colour ORDER BY v.position) AS colours,
    array_agg(v.size ORDER BY v.position) AS sizes, array_agg(price.amount_minor ORDER BY v.position) AS prices,
    array_agg(stock.free ORDER BY v.position) AS free
FROM catalogue.product p
JOIN catalogue.variant v ON v.product_id = p.id
JOIN catalogue.price price ON price.product_id = p.id AND price.currency = $1 AND price.size = v.size
JOIN inventory.stock stock ON stock.sku = v.sku
WHERE p.slug = $2 AND p.on_sale
GROUP BY p.id
"""
_RELATED = f"""
WITH page AS (
    SELECT id, slug, name, tagline, category, 0 AS total, (position * 37 + length($3)) % 101 AS rank
    FROM catalogue.product WHERE on_sale AND category = $2 AND slug <> $3 ORDER BY rank, position LIMIT 4
) {_CARD}
"""  # noqa: S608 constants only

# Whoever names these numbers may be wrong: what is not on sale, sold out or without a price here is left out.
_NUMBERED = f"""
WITH page AS (
    SELECT id, slug, name, tagline, category, 0 AS total, array_position($2::int[], id) AS rank
    FROM catalogue.product p
    WHERE on_sale AND id = ANY($2::int[])
        AND EXISTS (SELECT FROM catalogue.price WHERE product_id = p.id AND currency = $1)
        AND EXISTS (
            SELECT FROM catalogue.variant v JOIN inventory.stock s ON s.sku = v.sku
            WHERE v.product_id = p.id AND s.free > 0
        )
) {_CARD}
"""  # noqa: S608 constants only


async def featured(queries: Queries, currency: str, count: int) -> tuple[Card, ...]:
    """Return the products of the home page."""
    return tuple(_card(row) for row in await queries.fetch(_FEATURED, currency, count))


async def on_sale(queries: Queries) -> list[str]:
    """Return the names of all products on sale, in order."""
    rows = await queries.fetch("SELECT slug FROM catalogue.product WHERE on_sale ORDER BY position")
    return [row["slug"] for row in rows]


async def on_shelf(queries: Queries, currency: str, category: str, page: int, sort: str = "") -> Listing:
    """Return one page of a category, by `price`, `-price`, `name` or as arranged; past the end it is the last one."""
    rows = await queries.fetch(_SHELF.get(sort, _SHELF[""]), currency, category, (page - 1) * PAGE_SIZE)
    return _listing(rows)


async def search(queries: Queries, currency: str, words: str, page: int, named: Question) -> Listing:
    """Return one page of what fits the words; `named` is what they name in our vocabulary."""
    any_word = " or ".join([*words.split(), *named.other.split()])
    skipped = (page - 1) * PAGE_SIZE
    rows = await queries.fetch(_SEARCH, currency, words, skipped, any_word, list(named.shelves), named.other)
    return _listing(rows)


async def related(queries: Queries, currency: str, category: str, slug: str) -> tuple[Card, ...]:
    """Return four other products of a category, the same ones each time."""
    return tuple(_card(row) for row in await queries.fetch(_RELATED, currency, category, slug))


async def available(queries: Queries, currency: str, numbers: Sequence[int]) -> dict[int, Card]:
    """Return those of some products that are on sale and in stock now, by number."""
    rows = await queries.fetch(_NUMBERED, currency, numbers) if numbers else []
    return {numbers[row["rank"] - 1]: _card(row) for row in rows}


async def product(queries: Queries, currency: str, slug: str) -> Product | None:
    """Return a product with its variants, None if there is none on sale."""
    row = await queries.fetchrow(_PRODUCT, currency, slug)
    if row is None:
        return None
    columns = zip(row["skus"], row["colours"], row["sizes"], row["prices"], row["free"], strict=True)
    variants = tuple(Variant(*column) for column in columns)
    told = (row["slug"], row["name"], row["tagline"], row["description"], row["details"], row["category"])
    return Product(*told, variants, row["id"])


def picture_of(slug: str, colour: str) -> str:
    """Return the logical name of a product's picture in one colour."""
    return f"media/{slug}-{colour}.svg"


def _listing(rows: list[Any]) -> Listing:
    if not rows:
        return Listing((), 0, 1)
    page = (rows[0]["rank"] - 1) // PAGE_SIZE + 1  # the last one, when a later one was asked for
    return Listing(tuple(_card(row) for row in rows), rows[0]["total"], page)


def _card(row: Any) -> Card:
    colours = tuple(row["slugs"])
    return Card(
        slug=row["slug"],
        name=row["name"],
        tagline=row["tagline"],
        shelf=row["category"],
        price_minor=row["lowest"],
        picture=picture_of(row["slug"], colours[0]),
        colours=colours,
        several_prices=row["several"],
    )
