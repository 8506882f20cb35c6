"""Search engines find what is everybody's, and nothing that is somebody's own."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from running_shop import Shop
from shopper import Shopper

from app.catalogue.seed.products import products

pytestmark = pytest.mark.requirement("robots.txt, sitemap, favicon, structured data, one charset")
NAMESPACE = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def test_robots_may_read_what_is_public(shop: Shop, shopper: Shopper) -> None:
    text = shopper.get("/robots.txt").text
    assert f"Sitemap: {shop.storefront.url}/sitemap.xml" in text
    assert {line.removeprefix("Disallow: ") for line in text.splitlines() if line.startswith("Disallow")} == {
        "/account", "/cart", "/checkout", "/orders", "/search",
    }  # fmt: skip


def test_the_sitemap_has_every_public_page_once(shop: Shop, shopper: Shopper) -> None:
    answer = shopper.get("/sitemap.xml")
    assert answer.headers["content-type"].startswith("application/xml")
    places = [place.text or "" for place in ET.fromstring(answer.text).iter(f"{NAMESPACE}loc")]
    assert len(places) == len(set(places)) == len(products()) + 20 + 4 + 1
    for place in (places[0], places[5], places[40], places[-1]):
        assert place.startswith(f"{shop.storefront.url}/")
        page = shopper.get(place.removeprefix(shop.storefront.url)).text
        assert f'<link rel="canonical" href="{place}">' in page


@pytest.mark.parametrize("path", ["/cart", "/checkout", "/orders", "/search?q=moon", "/account/sign-in", "/nowhere"])
def test_personal_pages_are_in_no_index(shopper: Shopper, path: str) -> None:
    page = shopper.http.get(path).text
    assert '<meta name="robots" content="noindex">' in page
    assert "canonical" not in page


def test_choices_and_sorting_are_no_pages_of_their_own(shop: Shop, shopper: Shopper) -> None:
    page = shopper.get("/products/tidal-rings-tee?colour=ink&motif=lyra").text
    assert f'<link rel="canonical" href="{shop.storefront.url}/products/tidal-rings-tee">' in page
    page = shopper.get("/categories/hoodies?sort=name&page=2").text
    assert f'<link rel="canonical" href="{shop.storefront.url}/categories/hoodies?page=2">' in page


def test_a_product_says_what_it_is_to_machines(shopper: Shopper) -> None:
    page = shopper.get("/products/aurel-one-phone").text
    said = dict(re.findall(r'itemprop="(\w+)" content="([^"]*)"', page))
    assert (said["lowPrice"], said["highPrice"], said["priceCurrency"]) == ("1199.00", "1535.00", "EUR")
    assert said["sku"] == "aurel-one-phone"
    assert 'href="https://schema.org/InStock"' in page
    assert page.count("https://schema.org/ListItem") == 3


def test_the_icon_is_where_browsers_look_for_it(shopper: Shopper) -> None:
    answer = shopper.get("/favicon.ico")
    assert answer.content[:4] == b"\x00\x00\x01\x00"
    assert answer.headers["content-type"] == "image/x-icon"


@pytest.mark.parametrize("path", ["/", "/nowhere", "/livez", "/readyz", "/robots.txt", "/legal/imprint"])
def test_the_charset_is_said_once(shopper: Shopper, path: str) -> None:
    assert shopper.http.get(path).headers["content-type"].count("charset") == 1


def test_style_and_script_say_their_charset_once(shopper: Shopper) -> None:
    for address in re.findall(r'(?:src|href)="([^"]+\.(?:css|js))"', shopper.get("/").text):
        assert shopper.http.get(address).headers["content-type"].count("charset") == 1


@pytest.mark.requirement("a shared cache gives nobody what they cannot read")
@pytest.mark.parametrize("coding", ["gzip", "identity"])
def test_what_a_cache_may_keep_says_that_it_differs_by_coding(shopper: Shopper, coding: str) -> None:
    style = shopper.get("/").text.split('rel="stylesheet" href="')[1].split('"')[0]
    for path in ("/sitemap.xml", "/robots.txt", "/pictures/tidal-rings-tee/clay.orion-rising.back.svg", style):
        answer = shopper.http.get(path, headers={"accept-encoding": coding})
        assert answer.headers["cache-control"].startswith("public"), path
        assert answer.headers["vary"] == "accept-encoding", path
