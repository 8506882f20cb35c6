"""Legal pages are linked from every page and before "Order and pay", and name the region's seller."""

from __future__ import annotations

import re

import pytest
from present import matched
from shopper import Shopper

pytestmark = pytest.mark.requirement("legal pages per region, from configuration")
PAGES = {"/legal/imprint": "Imprint", "/legal/privacy": "Privacy", "/legal/terms": "Terms of sale"}
PAGES |= {"/legal/withdrawal": "Right of withdrawal"}
SELLER = "ShopSphere Europe GmbH (made up for this laboratory)"


@pytest.mark.parametrize("path", ["/", "/cart", "/products/tidal-rings-tee", "/account/sign-up", "/nowhere"])
def test_every_page_links_to_them(shopper: Shopper, path: str) -> None:
    footer = shopper.http.get(path).text.partition("<footer")[2]
    assert dict(re.findall(r'<a href="(/legal/[a-z]+)">([^<]+)</a>', footer)) == PAGES


@pytest.mark.parametrize(("path", "title"), PAGES.items())
def test_each_says_who_sells(shopper: Shopper, path: str, title: str) -> None:
    page = shopper.get(path).text
    assert f'<h1 class="page">{title}</h1>' in page
    assert SELLER in page
    assert "{{" not in page


def test_the_law_s_links_stand_before_order_and_pay(shopper: Shopper) -> None:
    shopper.add()
    summary = matched(r'<aside class="summary".*?</aside>', shopper.get("/checkout").text, re.DOTALL).group()
    assert SELLER in summary
    for path in ("/legal/terms", "/legal/withdrawal", "/legal/privacy"):
        assert f'href="{path}"' in summary


def test_no_other_legal_page(shopper: Shopper) -> None:
    for path in ("/legal/returns", "/legal/..%2Fbase", "/legal/eu"):
        assert shopper.http.get(path).status_code == 404
