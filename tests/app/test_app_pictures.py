"""The picture is what is bought: motif, place, colour and words, from the product's page to the receipt."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from present import matched, present
from running_shop import Shop
from shopper import Shopper

from shopsphere.clients.html_forms import form_in

pytestmark = pytest.mark.requirement("the picture is what is bought")

CHOSEN = "/pictures/tidal-rings-tee/clay.orion-rising.back.svg"
CHOICES = {"colour": "clay", "motif": "orion-rising", "placement": "back", "text": "Summer <in> Lisbon"}
WORDS = re.compile(r'<svg class="words[^"]*".*?<text[^>]*>([^<]*)</text>', re.DOTALL)
SHOWN = "Summer &lt;in&gt; Lisbon"


def images(page: str) -> list[str]:
    return re.findall(r'<img src="([^"]+)"', page)


def test_cart_checkout_receipt_and_orders_show_what_was_chosen(shopper: Shopper) -> None:
    assert shopper.add(**CHOICES).status_code == 303
    pages = {"cart": shopper.get("/cart").text, "checkout": shopper.get("/checkout").text}
    receipt = shopper.send(shopper.checkout_form(), payment_method="tok_visa").headers["location"]
    pages |= {"receipt": shopper.get(receipt).text, "orders": shopper.get("/orders").text}
    for name, page in pages.items():
        assert CHOSEN in images(page), name
        assert WORDS.findall(page) == [SHOWN], name


def test_what_is_made_stands_before_order_and_pay(shopper: Shopper) -> None:
    shopper.add(**CHOICES)
    shopper.add("aurel-one-watch", text="For Ada, always")
    before = shopper.get("/checkout").text.partition("Order and pay")[0]
    for words in ("Orion Rising", "Back", SHOWN, "Clay", "For Ada, always", "Midnight"):
        assert f"<dd>{words}</dd>" in before, words


def test_without_a_script_the_design_is_shown_by_a_button(shopper: Shopper) -> None:
    form = shopper.form("/products/tidal-rings-tee", "/cart/items")
    page = shopper.http.post("/products/tidal-rings-tee/design", data={**form.fields, **CHOICES, "size": "XL"})
    assert page.status_code == 200
    assert images(page.text.partition("data-gallery>")[2])[0] == CHOSEN  # the chosen colour comes first
    assert set(WORDS.findall(page.text)) == {SHOWN}
    again = form_in(page.text, "/cart/items").fields
    assert {name: again[name] for name in (*CHOICES, "size")} == {**CHOICES, "size": "XL"}
    assert "Nothing in here yet" in shopper.get("/cart").text


def test_with_a_script_only_the_pictures_are_asked_for(shopper: Shopper) -> None:
    answer = shopper.http.post("/products/tidal-rings-tee/picture", data=CHOICES)
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert images(answer.text)[0] == CHOSEN
    assert len(images(answer.text)) == 4  # one for each colour
    assert shopper.http.post("/products/no-such-thing/picture", data=CHOICES).status_code == 404


def test_every_motif_is_a_picture_to_choose(shopper: Shopper) -> None:
    page = shopper.get("/products/tidal-rings-tee").text
    offered = re.findall(r'name="motif" value="([^"]+)"( checked)?><span class="motif motif-\1">', page)
    assert len(offered) == 36
    assert [slug for slug, checked in offered if checked] == ["tidal-rings"]
    sheet = shopper.http.get(matched(r"background:url\(\.\./(media/motifs\.[0-9a-f]{12}\.svg)\)", style_of(shopper))[1])
    assert sheet.status_code == 200
    assert len(ET.fromstring(sheet.text)) == 36


def style_of(shopper: Shopper) -> str:
    return shopper.http.get(matched(r'rel="stylesheet" href="([^"]+)"', shopper.get("/").text)[1]).text


def test_a_chosen_motif_is_drawn_and_differs_by_motif_place_and_colour(shopper: Shopper) -> None:
    seen = set()
    for name in ("clay.orion-rising.back", "clay.lyra.back", "clay.orion-rising.front", "ink.orion-rising.back"):
        answer = shopper.http.get(f"/pictures/tidal-rings-tee/{name}.svg")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
        assert "immutable" not in answer.headers["cache-control"]
        seen.add(re.sub(r"<title>.*?</title>", "", answer.text))
    assert len(seen) == 4


@pytest.mark.parametrize(
    "path",
    [
        "tidal-rings-tee/clay.no-such-print.back.svg",
        "tidal-rings-tee/plum.lyra.back.svg",  # a colour of other products
        "lyra-apron/sand.lyra.back.svg",  # an apron has no back
        "tidal-rings-tee/clay.lyra.back.png",
        "tidal-rings-tee/clay.lyra.svg",
        "no-such-thing/clay.lyra.back.svg",
        "tidal-rings-tee/..svg",
    ],
)
def test_addresses_of_pictures_are_a_short_list(shopper: Shopper, path: str) -> None:
    assert shopper.http.get(f"/pictures/{path}").status_code == 404


def test_words_are_in_no_address(shopper: Shopper) -> None:
    shopper.add(**CHOICES)
    for path in ("/cart", "/checkout"):
        for address in re.findall(r'(?:href|src|action|formaction)="([^"]*)"', shopper.get(path).text):
            assert "Lisbon" not in address


def test_an_address_can_choose_but_never_words(shopper: Shopper) -> None:
    page = shopper.get("/products/tidal-rings-tee?colour=ink&motif=lyra&placement=left-chest&text=Secret&size=XS").text
    fields = form_in(page, "/cart/items").fields
    assert {name: fields[name] for name in ("colour", "motif", "placement", "text", "size")} == {
        "colour": "ink", "motif": "lyra", "placement": "left-chest", "text": "", "size": "XS",
    }  # fmt: skip
    assert "Secret" not in page
    nonsense = shopper.get("/products/tidal-rings-tee?colour=%00&motif=%3Cb%3E&placement=x&size=%22").text
    assert form_in(nonsense, "/cart/items").fields["motif"] == "tidal-rings"


def test_a_print_looks_the_same_on_every_garment() -> None:
    from app.media.designs import design_from, draw  # noqa: PLC0415

    prints = set()
    for slug in ("orion-rising-tee", "lyra-longsleeve", "dahlia-tote"):
        design = design_from(slug, {"motif": "orion-rising", "placement": "front"})
        assert design is not None
        chalk = draw(design.in_colour("chalk"))
        prints.add(matched(r'<g transform="translate\([^"]*" opacity="[^"]*">(.*)</g></svg>', chalk)[1])
    assert len(prints) == 1


def test_words_stay_within_the_cloth() -> None:
    from app.media.designs import design_from  # noqa: PLC0415
    from app.media.places import PLACES  # noqa: PLC0415
    from app.media.wording import wording  # noqa: PLC0415

    for shape, places in PLACES.items():
        for place in places:
            for words in ("W" * 24, "あ" * 24, "i"):
                set_in = present(wording(present(design_from(f"lyra-{shape}", {"placement": place, "text": words}))))
                width = {"W": 0.99, "あ": 1.0, "i": 0.35}[words[0]] * len(words) * set_in.size
                assert width <= places[place].words_width + 1
                assert set_in.x - width / 2 > 60
                assert set_in.x + width / 2 < 340


def test_a_garment_is_printed_only_where_it_has_cloth(shopper: Shopper) -> None:
    assert 'value="back"' not in shopper.get("/products/lyra-apron").text
    assert shopper.add("lyra-apron", placement="back").status_code == 422
    assert shopper.add("lyra-apron", placement="left-chest").status_code == 303


@pytest.mark.parametrize("product", ["tidal-rings-tee", ""])
def test_a_garment_that_is_named_by_its_number_is_printed_only_where_it_has_cloth(
    shop: Shop, shopper: Shopper, product: str
) -> None:
    ((sku,),) = shop.cluster.query(
        "commerce",
        "SELECT v.sku FROM catalogue.variant v JOIN catalogue.product p ON p.id = v.product_id "
        "WHERE p.slug = 'lyra-apron' LIMIT 1",
    )
    form = shopper.form("/products/tidal-rings-tee", "/cart/items")
    assert shopper.send(form, sku=sku, product=product, placement="back").status_code == 422
    assert shopper.send(form, sku=sku, product=product, placement="left-chest").status_code == 303
    assert "Lyra Apron" in shopper.get("/cart").text
