"""The tax that a price includes: stated on carts, checkouts and receipts, kept with an order as it was then."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from app.cart.model import Cart
from app.region import Region

_WHOLE = 10_000  # hundredths of a percent; rates such as 25.5 % are whole numbers in them


class IncludedTax(msgspec.Struct, frozen=True):
    """The tax of one rate in a price.

    Attributes:
        name: as customers know it, as in VAT.
        percent: the rate as text, such as 19 or 25.5.
        country: ISO 3166-1 code of the country whose rate it is.
        tax_minor: the amount, in minor units.
    """

    name: str
    percent: str
    country: str
    tax_minor: int


def taxes_in(cart: Cart, country: str) -> tuple[IncludedTax, ...]:
    """Return the taxes in a cart's total when it is delivered to a country, highest rate first.

    Delivery is taxed as the goods that it brings: with goods of several rates, in proportion to their prices.
    """
    region = cart.region
    if not region.prices_include_tax or not region.tax_name or country not in region.tax_percent:
        return ()
    goods: dict[int, int] = {}
    for line in cart.lines:
        rate = _rate(region, country, line.kind)
        goods[rate] = goods.get(rate, 0) + line.total_minor
    return tuple(
        IncludedTax(region.tax_name, f"{rate / 100:g}", country, _share_minor(gross_minor, rate))
        for rate, gross_minor in _with_shipping(goods, cart.shipping_minor)
        if gross_minor  # a line that went off sale costs nothing
    )


def _rate(region: Region, country: str, kind: str) -> int:
    """Return the rate of a kind of goods, in hundredths of a percent."""
    percent = region.tax_percent_of_kind.get(kind, {}).get(country, region.tax_percent[country])
    return round(percent * 100)


def _with_shipping(goods: dict[int, int], shipping_minor: int) -> Iterable[tuple[int, int]]:
    """Yield rate and price with its part of the shipping; what rounding leaves over goes to the last one."""
    whole_minor, left_minor = sum(goods.values()), shipping_minor
    rates = sorted(goods, reverse=True)
    for rate in rates:
        part_minor = left_minor if rate == rates[-1] else shipping_minor * goods[rate] // (whole_minor or 1)
        left_minor -= part_minor
        yield rate, goods[rate] + part_minor


def _share_minor(gross_minor: int, rate: int) -> int:
    """Return the tax in a price, rounded half up."""
    return (2 * gross_minor * rate + _WHOLE + rate) // (2 * (_WHOLE + rate))
