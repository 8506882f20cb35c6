"""What pages say to the script of clicks, and what they ask their visitor: real templates, no database."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from app.cart.model import Cart, CartLine
from app.catalogue.model import Listing, Product, Variant
from app.catalogue.options import MOTIF_TITLES
from app.catalogue.seed.palette import COLOURS
from app.catalogue.shelves import Shelves
from app.clicks.events import batch_of, envelope_of
from app.clicks.senders import Sender
from app.legal.shelf import LegalPages
from app.media.render import STATIC
from app.orders.model import Lapse, Order, OrderLine, Recipient
from app.orders.states import Declined, OrderState, Paid, PendingPayment
from app.settings import StorefrontSettings
from app.web.assets import Assets
from app.web.templating import Templates
from app.web.visitors import STRANGER
from shopsphere.estate.region_facts import region_facts
from shopsphere.topology import load_topology

pytestmark = pytest.mark.requirement("clicks are counted after a yes only, and pages say so")
ID = UUID(int=7)
SHELVES = Shelves()
COLOUR = next(iter(COLOURS))
SHELF = SHELVES.by_slug["t-shirts"]
TEE = Product("tidal-rings-tee", "Tidal", "Rings", "Text", [], "t-shirts", (Variant("s", COLOUR, "M", 2900, 5),))
LINE = CartLine(
    ID, "s", "tidal-rings-tee", "Tidal", "apparel", COLOUR, "M", 2, 2900, 5, is_on_sale=True, customisation={}, most=5
)
TOPOLOGY = load_topology()


class AnyFile:
    """Every file there is, without having been rendered."""

    def url(self, logical: str) -> str:
        return f"https://cdn.example/{logical}"

    def integrity(self, logical: str) -> str:
        return f"sha384-{logical}"


def settings_of(clicks: str = "1", pair: str = "rdc-a") -> StorefrontSettings:
    return StorefrontSettings.read(
        {
            "SHOP_ENVIRONMENT": "lab",
            "SHOP_SESSION_SECRET": "0" * 32,
            "COMMERCE_DSN": "postgresql://commerce@db/commerce",
            "PAYMENTS_CALL_KEY": "0" * 32,
            "SHOP_REGION_FACTS": region_facts(TOPOLOGY, pair),
            "SHOP_CLICKS": clicks,
        }
    )


def templates(clicks: str, pair: str = "rdc-a") -> Templates:
    settings = settings_of(clicks, pair)
    region = settings.region
    shared = {"shelves": SHELVES, "legal": LegalPages(region.legal_texts), "seller": region.seller}
    return Templates(settings, cast(Assets, AnyFile()), shared)


def page(name: str, clicks: str = "1", pair: str = "rdc-a", **values: Any) -> str:
    return str(templates(clicks, pair).page(name, visitor=STRANGER, **values).content)


def order(state: OrderState, age: float = 5, lapse: Lapse | None = None) -> Order:
    line = OrderLine("tidal-rings-tee", COLOUR, "M", "Tidal", 3, 2900, {})
    to = Recipient("a@b.example", "Ada", "Street 1", "1", "Town", "DE")
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return Order(ID, "E-1", ID, None, state, "EUR", 8700, 0, "", to, at, (line,), (), age, lapse)


def cart() -> Cart:
    return Cart((LINE,), settings_of().region)


def clicks_of(text: str) -> list[dict[str, Any]]:
    """Return what a page tells the script: of its body first, then of its forms."""
    return [json.loads(html.unescape(each)) for each in re.findall(r"data-click='([^']*)'", text)]


def product_page(clicks: str = "1") -> str:
    return page("product.html", clicks, product=TEE, shelf=SHELF, related=(), motifs=MOTIF_TITLES)


def receipt(found: Order) -> list[dict[str, Any]]:
    pending = isinstance(found.state, PendingPayment)
    return clicks_of(page("receipt.html", order=found, pending=pending, reservation_minutes=15))


def test_each_page_and_form_says_what_it_is() -> None:
    view = {"t": "view", "p": "tidal-rings-tee", "k": "t-shirts"}
    assert clicks_of(product_page()) == [view, {**view, "t": "add"}]
    listing = Listing((), 30, 2)
    found = page("category.html", shelf=SHELF, listing=listing, sort="", here="/categories/t-shirts")
    assert clicks_of(found) == [{"t": "list", "k": "t-shirts", "n": 2}]
    assert clicks_of(page("search.html", words="it's <b>&\"", listing=listing)) == [
        {"t": "search", "s": "it's <b>&\"", "n": 30}
    ]
    assert clicks_of(page("search.html", words="", listing=None)) == []
    assert clicks_of(page("cart.html", cart=cart(), taxes=())) == [{"t": "remove", "p": "tidal-rings-tee"}]
    checkout = page("checkout.html", cart=cart(), methods={}, tests_only=True, countries={}, taxes=())
    assert clicks_of(checkout) == [{"t": "checkout", "n": 2}]


def test_a_receipt_is_a_purchase_while_it_is_new_and_not_refused() -> None:
    bought = [{"t": "buy", "n": 3, "once": "E-1"}]
    assert receipt(order(Paid(ID))) == bought
    assert receipt(order(PendingPayment(ID))) == bought
    assert receipt(order(Declined(ID))) == []
    assert receipt(order(Paid(ID), age=3601)) == []
    assert receipt(replace(order(Declined(ID)), lapse=Lapse.UNPAID)) == []


def test_the_collector_takes_what_pages_say() -> None:
    told = [*clicks_of(product_page()), *receipt(order(Paid(ID)))]
    events = [{**{k: v for k, v in each.items() if k != "once"}, "at": 1, "q": n} for n, each in enumerate(told)]
    body = json.dumps({"v": 1, "tab": "0" * 16, "b": 0, "sent": 1, "c": 1, "e": events}).encode()
    assert json.loads(envelope_of(batch_of(body), 1, Sender.PERSON))["e"] == events


def test_visitors_are_asked_with_two_answers_that_look_alike() -> None:
    text = product_page()
    (asked,) = re.findall(r'<details class="ask" data-ask hidden>(.*?)</details>', text, re.DOTALL)
    buttons = re.findall(r'<button class="([^"]*)" type="button" value="(\w+)">', asked)
    assert [value for _, value in buttons] == ["yes", "no"]
    assert len({look for look, _ in buttons}) == 1
    assert 'href="/legal/privacy"' in asked
    assert "checked" not in asked
    assert text.count("static/clicks.js") == 2, "its address, and its bytes"


@pytest.mark.parametrize("pair", ["rdc-a", "rdc-b", "rdc-c"])
def test_the_privacy_page_says_what_is_so(pair: str) -> None:
    legal = SimpleNamespace(title="Privacy", path="/legal/privacy")
    name = f"{settings_of(pair=pair).region.legal_texts}/20-privacy.html"
    counting, silent = (page(name, clicks, pair, page=legal) for clicks in ("1", "0"))
    assert "Global Privacy Control" in counting
    assert "or for measuring" not in counting
    assert "We set no cookie for advertising or for measuring" in silent
    assert "Global Privacy Control" not in silent


def test_a_shop_without_a_collector_asks_nobody() -> None:
    for text in (product_page("0"), page("cart.html", "0", cart=cart(), taxes=())):
        assert "data-click" not in text
        assert "data-ask" not in text
        assert "clicks.js" not in text


def test_no_text_of_a_script_is_longer_than_a_line() -> None:
    """Rendering takes the indentation of each line away, and lines that begin as comments do."""
    files = sorted(STATIC.glob("*.js"))
    assert {each.name for each in files} >= {"clicks.js", "shop.js"}
    lines = [(each.name, line) for each in files for line in each.read_text().splitlines()]
    assert [line for line in lines if line[1].count("`") % 2 or line[1].endswith("\\") or "/*" in line[1]] == []
