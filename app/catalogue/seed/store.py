"""Brings a database's catalogue to the seeded one: what is there is updated, stock is never touched twice."""

from __future__ import annotations

import psycopg
from psycopg.types.json import Jsonb

from app.catalogue.seed.model import SeededProduct
from app.catalogue.seed.prices import price_minor
from app.catalogue.seed.products import categories, fingerprint, products, stock_of
from app.region import Region

_CATEGORY = """
INSERT INTO catalogue.category (slug, kind, title, tagline, position) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (slug) DO UPDATE SET title = excluded.title, tagline = excluded.tagline, position = excluded.position
"""
_PRODUCT = """
INSERT INTO catalogue.product (id, slug, category, name, tagline, description, details, position, featured)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (id) DO UPDATE SET slug = excluded.slug, category = excluded.category, name = excluded.name,
    tagline = excluded.tagline, description = excluded.description, details = excluded.details,
    position = excluded.position, featured = excluded.featured
"""
_VARIANT = """
INSERT INTO catalogue.variant (sku, product_id, colour, size, position) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (sku) DO UPDATE SET position = excluded.position
"""
_PRICE = """
INSERT INTO catalogue.price (product_id, currency, size, amount_minor) VALUES (%s, %s, %s, %s)
ON CONFLICT (product_id, currency, size) DO UPDATE SET amount_minor = excluded.amount_minor
"""
_STOCK = "INSERT INTO inventory.stock (sku, free) VALUES (%s, %s) ON CONFLICT (sku) DO NOTHING"


def seed_catalogue(connection: psycopg.Connection, region: Region) -> str:
    """Write the catalogue with a region's prices in one transaction; the caller holds the migration lock."""
    mark = fingerprint(region)
    with connection.transaction(), connection.cursor() as cursor:
        if cursor.execute("SELECT FROM catalogue.seed WHERE fingerprint = %s", (mark,)).fetchone() is not None:
            return "present"
        cursor.executemany(
            _CATEGORY,
            [
                (shelf.slug, shelf.kind, shelf.title, shelf.tagline, position)
                for position, shelf in enumerate(categories())
            ],
        )
        cursor.executemany(_PRODUCT, [_product_row(number, product) for number, product in enumerate(products(), 1)])
        variants = [row for number, product in enumerate(products(), 1) for row in _variant_rows(number, product)]
        cursor.executemany(_VARIANT, variants)
        cursor.executemany(
            _PRICE,
            [row for number, product in enumerate(products(), 1) for row in _price_rows(number, product, region)],
        )
        cursor.executemany(_STOCK, [(row[0], stock_of(str(row[0]))) for row in variants])
        cursor.execute("INSERT INTO catalogue.seed (fingerprint) VALUES (%s)", (mark,))
    connection.execute("ANALYZE")
    return f"seeded {len(products())} products"


def _product_row(number: int, product: SeededProduct) -> tuple[object, ...]:
    return (
        number,
        product.slug,
        product.category.slug,
        product.name,
        product.tagline,
        product.description,
        Jsonb(list(product.details.items())),
        number,
        product.featured,
    )


def _variant_rows(number: int, product: SeededProduct) -> list[tuple[object, ...]]:
    return [
        (f"{number:04d}-{colour.slug}-{rank}", number, colour.slug, size.title, position * 10 + rank)
        for position, colour in enumerate(product.colours)
        for rank, size in enumerate(product.sizes)
    ]


def _price_rows(number: int, product: SeededProduct, region: Region) -> list[tuple[object, ...]]:
    return [(number, region.currency, size.title, price_minor(product, size, region)) for size in product.sizes]
