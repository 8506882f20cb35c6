"""Each region says who sells there, what happens to data, on which terms, and how to give something back."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from app.errors import SettingsError, ShopError
from app.legal.shelf import TEXTS, LegalPages
from app.settings import StorefrontSettings
from shopsphere.estate.region_facts import region_facts
from shopsphere.foundation.paths import REPOSITORY, TOPOLOGY_FILE
from shopsphere.topology import TopologyError, load_topology, parse_topology
from shopsphere.topology.overlay import NotFilledInError

TOPOLOGY = load_topology()

pytestmark = pytest.mark.requirement("legal pages per region, from configuration")


@pytest.mark.parametrize(
    ("pair", "titles"),
    [
        ("rdc-a", ["Imprint", "Privacy", "Terms of sale", "Right of withdrawal"]),
        ("rdc-b", ["About the seller", "Privacy", "Terms of sale", "Returns"]),
        ("rdc-c", ["About the seller", "Privacy", "Terms of sale", "Returns"]),
    ],
)
def test_each_region_has_the_pages_of_its_law(pair: str, titles: list[str]) -> None:
    assert [page.title for page in LegalPages(TOPOLOGY.pair(pair).storefront.legal_texts).all] == titles


def test_every_set_of_texts_has_the_pages_that_others_link_to() -> None:
    for each in TEXTS.iterdir():
        pages = LegalPages(each.name)
        assert pages.address("terms") == "/legal/terms"
        assert pages.address("privacy") == "/legal/privacy"
        assert pages.all[3].slug in {"withdrawal", "returns"}


def test_no_text_names_a_seller_itself() -> None:
    for file in TEXTS.rglob("*.html"):
        assert not re.search(r"GmbH|Inc\.|Pte\.|REPLACE_ME|made up", file.read_text()), file


def test_a_set_that_does_not_exist_is_an_error_with_the_way_out() -> None:
    with pytest.raises(ShopError, match=r"apac, eu, us"):
        LegalPages("mars")


def test_production_refuses_sellers_that_nobody_filled_in(tmp_path: Path) -> None:
    for name in ("topology.yaml", "topology.prod.yaml"):
        (tmp_path / name).write_text((REPOSITORY / name).read_text())
    with pytest.raises(NotFilledInError) as refused:
        load_topology(tmp_path / "topology.yaml", environment="prod")
    for pair in ("rdc-a", "rdc-b", "rdc-c"):
        for fact in ("name", "address", "represented_by", "email", "phone", "registered_as", "tax_number", "authority"):
            assert f"pairs.{pair}.storefront.seller.{fact}" in str(refused.value)


@pytest.mark.parametrize("change", [{"name": ""}, {"name": None}, {"colour": "red"}])
def test_the_shop_refuses_a_seller_with_wrong_facts(change: dict[str, object]) -> None:
    facts = json.loads(region_facts(TOPOLOGY, "rdc-a"))
    facts["seller"] |= change
    usable = {"SHOP_SESSION_SECRET": "0" * 32, "COMMERCE_DSN": "postgresql://commerce@db/commerce"}
    with pytest.raises(SettingsError, match="seller: "):
        StorefrontSettings.read({**usable, "SHOP_REGION_FACTS": json.dumps(facts)})


def test_an_address_that_is_none_is_refused() -> None:
    text = TOPOLOGY_FILE.read_text().replace("service@europe.shopsphere.test", "nobody")
    with pytest.raises(TopologyError, match=r"pairs\.rdc-a\.storefront\.seller\.email"):
        parse_topology(text)
