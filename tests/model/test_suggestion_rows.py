"""The rows of recommendations as pages draw them, and what visitors are told of the cookie: real templates."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any, cast

import pytest

from app.cart.model import Cart
from app.catalogue.model import Card
from app.catalogue.seed.palette import COLOURS
from app.catalogue.shelves import Shelves
from app.legal.shelf import LegalPages
from app.recommendations.because import Because
from app.settings import StorefrontSettings
from app.web.assets import Assets
from app.web.rows import Rows, Suggested
from app.web.templating import Templates
from app.web.visitors import STRANGER
from shopsphere.estate.region_facts import region_facts
from shopsphere.topology import load_topology

pytestmark = pytest.mark.requirement("recommendations are in the first bytes, readable without a script, and say why")
SHELVES = Shelves()
COLOUR = next(iter(COLOURS))


class AnyFile:
    def url(self, logical: str) -> str:
        return f"https://cdn.example/{logical}"

    def integrity(self, logical: str) -> str:
        return f"sha384-{logical}"


def page(name: str, *, recommender: str = "http://recommend:8011", **values: Any) -> str:
    settings = StorefrontSettings.read(
        {
            "SHOP_SESSION_SECRET": "0" * 32,
            "COMMERCE_DSN": "postgresql://commerce@db/commerce",
            "PAYMENTS_CALL_KEY": "0" * 32,
            "SHOP_ENVIRONMENT": "lab",
            "SHOP_REGION_FACTS": region_facts(load_topology(), "rdc-a"),
            "SHOP_CLICKS": "1",
            "SHOP_RECOMMENDATIONS": recommender,
        }
    )
    region = settings.region
    shared = {"shelves": SHELVES, "legal": LegalPages(region.legal_texts), "seller": region.seller}
    values.setdefault("cart", Cart((), region))
    values.setdefault("taxes", ())
    return str(Templates(settings, cast(Assets, AnyFile()), shared).page(name, visitor=STRANGER, **values).content)


def card(number: int) -> Card:
    return Card(
        f"tee-{number}", f"Tee <{number}>", "Text", "t-shirts", 2900, "media/a.svg", (COLOUR,), several_prices=False
    )


ROWS = Rows(tuple(Suggested(card(n), because) for n, because in enumerate(Because)), (card(7),))


def test_each_row_is_a_section_with_a_heading_and_a_list() -> None:
    html = page("cart.html", rows=ROWS)
    for name, title, count in (("suggested", "You may like", 3), ("recently", "You looked at these", 1)):
        section = re.search(rf'<section class="band" aria-labelledby="{name}">(.*?)</section>', html, re.DOTALL)
        assert section is not None
        assert f'<h2 id="{name}">{title}</h2>' in section[1]
        assert f'<ul class="grid" role="list" aria-label="{title}">' in section[1]
        assert section[1].count('<li class="card">') == count
    assert "<script" not in html.partition("<main")[2]
    assert "Tee &lt;1&gt;" in html


def test_each_product_says_why_it_is_there_and_those_of_the_visitor_need_no_reason() -> None:
    notes = re.findall(r'<span class="card-note">(.*?)</span>', page("cart.html", rows=ROWS))
    assert notes == ["Others looked at it in the same visit", "Popular in T-shirts", "New in T-shirts"]


def test_where_nothing_is_known_there_is_no_row() -> None:
    for html in (page("cart.html"), page("cart.html", rows=Rows())):
        assert "You may like" not in html
        assert "You looked at these" not in html


def test_visitors_are_told_of_the_cookie_where_it_can_be_set() -> None:
    legal = SimpleNamespace(title="Privacy", path="/legal/privacy")
    told, silent = (page("eu/20-privacy.html", recommender=each, page=legal) for each in ("http://recommend:8011", ""))
    assert "<code>recently</code>: the numbers of the last eight products" in told
    assert "30 days" in told
    assert "last eight" not in silent
    assert "a cookie with the last eight lets us show you what goes with them" in page("cart.html")
    assert "last eight" not in page("cart.html", recommender="")
