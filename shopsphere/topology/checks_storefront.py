"""Money means the same everywhere, and an order's number says which region took it."""

from __future__ import annotations

from collections.abc import Iterator

from shopsphere.topology.errors import Problem
from shopsphere.topology.model import Topology

BASE_CURRENCY = "EUR"
"""What seeded products have a price in whatever the region sells in."""


def storefront_problems(topology: Topology) -> Iterator[Problem]:
    """Find unknown currencies, order prefixes used twice, and amounts that could be read in two ways."""
    base = topology.currencies.get(BASE_CURRENCY)
    if base is not None and base.price_factor != 1:
        expected = "1, the currency that all factors are relative to"
        yield Problem(f"currencies.{BASE_CURRENCY}.price_factor", expected, f"{base.price_factor:g}")
    owners: dict[str, str] = {}
    for name, pair in topology.pairs.items():
        place, shop = f"pairs.{name}.storefront", pair.storefront
        if shop.currency not in topology.currencies:
            known = ", ".join(topology.currencies)
            yield Problem(f"{place}.currency", f"one of the currencies {known}", repr(shop.currency))
        if shop.order_prefix in owners:
            found = f"{shop.order_prefix!r}, which is also that of {owners[shop.order_prefix]}"
            yield Problem(f"{place}.order_prefix", "a prefix of its own", found)
        owners.setdefault(shop.order_prefix, name)
        written = shop.number_format
        if written.group == written.decimal:
            yield Problem(f"{place}.number_format", "different separators", f"{written.decimal!r} twice")
