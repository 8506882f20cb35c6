"""What the recommender reads of the shop's database: what may be shown now, its categories, and what is bought.

Three questions that take no lock and write nothing. The first is asked every second or so and answered by one value,
4 bytes a product: 100,000 products are not 100,000 rows for Python.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from app.database import Queries
from app.recommendations.fallbacks import LEAST_PEOPLE

ROLE = "recommend_app"
"""In which the recommender reads: what is asked here and in sessions.py, by columns, and nothing else."""
_SHOWN = """
SELECT string_agg(int4send(p.id), ''::bytea ORDER BY p.id) FROM catalogue.product p WHERE p.on_sale AND EXISTS (
    SELECT FROM catalogue.variant v JOIN inventory.stock s ON s.sku = v.sku WHERE v.product_id = p.id AND s.free > 0
)
"""
_CATEGORIES = "SELECT id, category FROM catalogue.product WHERE on_sale"
BOUGHT_DAYS = 30
"""What was ordered earlier says nothing about what is popular now."""
_BUYERS = f"""
SELECT v.product_id, count(DISTINCT coalesce(o.customer_id, o.session_id))::int AS buyers
FROM orders."order" o JOIN orders.line l ON l.order_id = o.id JOIN catalogue.variant v ON v.sku = l.sku
WHERE o.placed_at > now() - make_interval(days => {BOUGHT_DAYS}) AND o.state NOT IN ('pending_payment', 'declined')
GROUP BY v.product_id HAVING count(DISTINCT coalesce(o.customer_id, o.session_id)) >= {LEAST_PEOPLE}
"""  # noqa: S608 constants only


async def shown_now(queries: Queries) -> bytes:
    """Return the numbers of all products that are on sale and in stock, ascending; `numbers_of` reads them."""
    return bytes(await queries.fetchval(_SHOWN) or b"")


def numbers_of(shown: bytes) -> NDArray[np.int32]:
    """Return what `shown_now` returned as numbers."""
    return np.frombuffer(shown, ">i4").astype(np.int32)


async def categories(queries: Queries) -> Mapping[int, str]:
    """Return the category of each product on sale, by number."""
    return {row["id"]: row["category"] for row in await queries.fetch(_CATEGORIES)}


async def buyers(queries: Queries) -> Mapping[int, int]:
    """Return how many customers bought each product in the last BOUGHT_DAYS, by number; of few nothing is said."""
    return {row["product_id"]: row["buyers"] for row in await queries.fetch(_BUYERS)}
