"""The tax that a price includes, by hand-written tables; and how postcodes are written."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from app.cart.model import Cart, CartLine
from app.orders.postcodes import is_postcode
from app.orders.taxes import taxes_in
from app.region import Region, region_of
from shopsphere.estate.region_facts import region_facts
from shopsphere.topology import load_topology

pytestmark = pytest.mark.requirement("carts and receipts state the tax in their prices, by the facts of the region")

TOPOLOGY = load_topology()


def region(pair: str = "rdc-a", **changes: Any) -> Region:
    return region_of(json.dumps({**json.loads(region_facts(TOPOLOGY, pair)), **changes}))


def cart(shop: Region, *prices: tuple[str, int]) -> Cart:
    lines = (
        CartLine(UUID(int=1), "1-1", "thing", "Thing", kind, "clay", "M", 1, minor, 9, True, {}, 9)
        for kind, minor in prices
    )
    return Cart(tuple(lines), shop)


@pytest.mark.parametrize(
    ("country", "goods_minor", "percent", "tax_minor"),
    [
        ("DE", 11900, "19", 1900),
        ("DE", 3900, "19", 717),  # and 590 for shipping: 4490 * 19 / 119 = 716.89
        ("FI", 12550, "25.5", 2550),
        ("HU", 12700, "27", 2700),
        ("LU", 11700, "17", 1700),
    ],
)
def test_the_rate_is_that_of_the_country(country: str, goods_minor: int, percent: str, tax_minor: int) -> None:
    (tax,) = taxes_in(cart(region(), ("apparel", goods_minor)), country)
    assert (tax.name, tax.percent, tax.country, tax.tax_minor) == ("VAT", percent, country, tax_minor)


# Cents of tax in a price of €100, by the standard rates of 2026: 10,000 * rate / (100 + rate).
IN_100 = {
    1453: ["LU"],
    1525: ["MT"],
    1597: ["CY", "DE"],
    1667: ["AT", "BG", "FR"],
    1736: ["BE", "CZ", "ES", "LT", "LV", "NL", "RO"],
    1803: ["IT", "SI"],
    1870: ["IE", "PL", "PT", "SK"],
    1935: ["EE", "GR"],
    2000: ["DK", "HR", "SE"],
    2032: ["FI"],
    2126: ["HU"],
}


def test_every_country_s_own_rate() -> None:
    shop = region()
    in_100 = {country: minor for minor, countries in IN_100.items() for country in countries}
    assert set(in_100) == set(shop.delivers_to)
    for country, tax_minor in in_100.items():
        (tax,) = taxes_in(cart(shop, ("apparel", 10000)), country)
        assert (tax.country, tax.tax_minor) == (country, tax_minor)


@pytest.mark.parametrize(("country", "tax_minor"), [("SG", 1651), ("AU", 1818)])
def test_goods_and_services_tax(country: str, tax_minor: int) -> None:
    (tax,) = taxes_in(cart(region("rdc-c"), ("electronics", 20000)), country)
    assert (tax.name, tax.tax_minor) == ("GST", tax_minor)


def test_prices_before_tax_state_none() -> None:
    assert taxes_in(cart(region("rdc-b"), ("apparel", 20000)), "US") == ()
    assert taxes_in(cart(region(), ("apparel", 20000)), "US") == ()
    assert taxes_in(cart(region("rdc-c", tax_name="", tax_percent={}), ("apparel", 20000)), "SG") == ()


def test_shipping_is_taxed_as_what_it_brings() -> None:
    shop = region(tax_percent_of_kind={"apparel": {"IE": 13.5}}, free_shipping_from_minor=10**9, shipping_minor=1000)
    taxes = taxes_in(cart(shop, ("electronics", 23600), ("apparel", 11000), ("apparel", 350)), "IE")
    # 23600 + 675 of the shipping at 23 %, 11350 + 325 at 13.5 %
    assert [(tax.percent, tax.tax_minor) for tax in taxes] == [("23", 4539), ("13.5", 1389)]


def test_a_line_that_went_off_sale_adds_no_rate() -> None:
    shop = region(tax_percent_of_kind={"apparel": {"IE": 13.5}}, shipping_minor=1230)
    taxes = taxes_in(cart(shop, ("electronics", 1230), ("apparel", 0)), "IE")
    assert [(tax.percent, tax.tax_minor) for tax in taxes] == [("23", 460)]  # 1230 and all of the shipping, at 23 %


def test_an_empty_cart_has_no_tax() -> None:
    assert taxes_in(cart(region()), "DE") == ()


@pytest.mark.parametrize("pair", TOPOLOGY.pairs)
def test_every_country_has_a_rate_where_prices_include_tax(pair: str) -> None:
    shop = region(pair)
    assert set(shop.tax_percent) == (set(shop.delivers_to) if shop.prices_include_tax else set())


POSTCODES = {
    "AT": "1010", "BE": "1000", "BG": "1000", "HR": "10000", "CY": "1010", "CZ": "110 00", "DK": "1050", "EE": "10111",
    "FI": "00100", "FR": "75001", "DE": "10115", "GR": "105 57", "HU": "1051", "IE": "D02 AF30", "IT": "00184",
    "LV": "LV-1050", "LT": "LT-01100", "LU": "1009", "MT": "VLT 1117", "NL": "1012 AB", "PL": "00-950",
    "PT": "1000-001", "RO": "010011", "SK": "811 01", "SI": "1000", "ES": "28001", "SE": "111 20", "US": "10001-1234",
    "SG": "018956", "AU": "2000",
}  # fmt: skip


@pytest.mark.parametrize("country", [code for pair in TOPOLOGY.pairs for code in region(pair).delivers_to])
def test_postcodes_of_every_country_that_is_delivered_to(country: str) -> None:
    assert is_postcode(country, POSTCODES[country])
    assert is_postcode(country, f"{country}-{POSTCODES[country].removeprefix(f'{country}-')}")
    for wrong in ("XX", "1", "1" * 12, POSTCODES[country] + "0", "\N{ARABIC-INDIC DIGIT ONE}" * 5):
        assert not is_postcode(country, wrong), wrong


def test_letters_that_people_put_before_a_postcode() -> None:
    assert is_postcode("LU", "L-1009")
    assert is_postcode("DE", "D 10115")
    assert is_postcode("NL", "1012ab")
    assert not is_postcode("DE", "A-10115")


def test_a_country_that_nobody_listed_takes_any_code() -> None:
    assert is_postcode("KE", "00100")
    assert not is_postcode("KE", "\N{SNOWMAN}")
