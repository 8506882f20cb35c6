"""Money means the same everywhere, and an order's number says which region took it."""

from __future__ import annotations

from collections.abc import Iterator

from shopsphere.foundation.document_problem import Problem
from shopsphere.topology.model import Topology
from shopsphere.topology.storefront import Storefront

BASE_CURRENCY = "EUR"
"""What seeded products have a price in whatever the region sells in."""


def storefront_problems(topology: Topology) -> Iterator[Problem]:
    """Find unknown currencies, order prefixes used twice, amounts with two readings, and taxes without a rate."""
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
        yield from _tax_problems(place, shop)


def _tax_problems(place: str, shop: Storefront) -> Iterator[Problem]:
    """Find a tax that prices do not include, and countries without a rate, or with one and no delivery."""
    if shop.tax is None:
        return
    if not shop.prices_include_tax:
        yield Problem(f"{place}.tax", "no tax, since prices_include_tax is false", repr(shop.tax.name))
    missing = [country for country in shop.delivers_to if country not in shop.tax.percent]
    if missing:
        expected = "a rate for each country that is delivered to"
        yield Problem(f"{place}.tax.percent", expected, f"none for {', '.join(missing)}")
    rates = {"percent": shop.tax.percent}
    rates |= {f"percent_of_kind.{kind}": of_kind for kind, of_kind in shop.tax.percent_of_kind.items()}
    for key, of_countries in rates.items():
        for country in of_countries:
            if country not in shop.delivers_to:
                yield Problem(f"{place}.tax.{key}.{country}", "a country that is delivered to", repr(country))
