"""Finding things: categories by any of their names, and pages past the end."""

import re

import pytest
from shopper import Shopper


def _shelves(shopper: Shopper, question: str) -> set[str]:
    """The kinds of things that a search shows first."""
    page = shopper.http.get("/search", params={"q": question})
    assert page.status_code == 200
    return set(re.findall(r'href="/products/([a-z0-9-]+)"', page.text))


@pytest.mark.parametrize(
    ("question", "ending"),
    [
        ("t-shirts", "-tee"),
        ("Kapuzenpullover", "-hoodie"),
        ("casquettes", "-cap"),
        ("Mützen", "-cap"),
        ("hooded sweatshirts", "-hoodie"),
        ("tablier", "-apron"),
        ("Plattenspieler", "-turntable"),
        ("montres", "-watch"),
    ],
)
def test_a_category_is_found_by_any_of_its_names(shopper: Shopper, question: str, ending: str) -> None:
    found = _shelves(shopper, question)
    assert found
    assert {product for product in found if product.endswith(ending)} == found


def test_other_words_choose_within_the_named_category(shopper: Shopper) -> None:
    assert _shelves(shopper, "Kapuzenpullover Mond") <= _shelves(shopper, "moon hoodie")
    assert "moon-phases-hoodie" in _shelves(shopper, "Kapuzenpullover Mond")


def test_a_page_past_the_end_is_the_last_one(shopper: Shopper) -> None:
    first, last, beyond = (shopper.get(f"/categories/hoodies?page={page}").text for page in (1, 2, 9))
    total = re.search(r"(\d+) to choose from", first)
    assert total is not None
    assert f"{total[0]}" in beyond
    assert re.findall(r"/products/[a-z-]+", beyond) == re.findall(r"/products/[a-z-]+", last)
    assert "Page 2 of 2" in beyond
    found = shopper.get("/search?q=hoodie&page=50").text
    assert "No products found" not in found
    assert 'class="card"' in found


def test_nothing_has_one_page(shopper: Shopper) -> None:
    assert "No products found" in shopper.get("/search?q=zzzzqqqq&page=7").text


@pytest.mark.requirement("pages are compressed, and tell nobody anything by their length")
def test_pages_are_compressed_unless_they_hold_a_secret_beside_a_strangers_words(shopper: Shopper) -> None:
    def coding(path: str) -> str | None:
        headers = shopper.http.get(path, headers={"accept-encoding": "gzip"}).headers
        return str(headers["content-encoding"]) if "content-encoding" in headers else None

    style = shopper.get("/").text.split('rel="stylesheet" href="')[1].split('"')[0]
    assert [coding(path) for path in ("/", "/search?q=moon", "/nowhere", style)] == ["gzip"] * 4
    shopper.add()
    assert [coding(path) for path in ("/", "/cart", style)] == ["gzip"] * 3
    assert [coding(path) for path in ("/search?q=moon", "/categories/hoodies?sort=name")] == [None, None]
    assert "Tidal Rings Tee" in shopper.get("/cart").text
    assert "content-encoding" not in shopper.http.get("/", headers={"accept-encoding": "gzip;q=0, br"}).headers
