"""What a seeded product costs in a region's currency."""

from __future__ import annotations

from app.catalogue.seed.model import SeededProduct, Size
from app.region import Region

BASE_CURRENCY = "EUR"  # every product has a price in it


def price_minor(product: SeededProduct, size: Size, region: Region) -> int:
    """Return the price of one size in minor units (cents).

    A price that somebody has set for the currency holds. Otherwise the price in euro is multiplied by the region's
    factor and rounded as that amount in euro would be: 39 euro at 165 yen each are 6,435 yen, so 6,400.
    """
    unit: int = 10**region.minor_digits
    price = product.prices.get(region.currency)
    if price is None:
        step = _step(region.price_factor)
        price = _nice(product.prices[BASE_CURRENCY] * region.price_factor / step, ends_in_nine=product.ends_in_nine)
        unit *= step
    return round(price * (100 + size.surcharge_percent) / 100) * unit


def _step(factor: float) -> int:
    """Return the power of ten that is to the currency what one is to the euro: 100 for 165 yen, 1 for 1.06 dollars."""
    return int(10 ** (len(str(int(factor))) - 1))


def _nice(price: float, *, ends_in_nine: bool) -> int:
    return round(price / 10) * 10 + 9 if ends_in_nine else max(1, round(price))
