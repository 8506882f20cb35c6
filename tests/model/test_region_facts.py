"""What the shop is told of its region: read in full, refused in full, and shown as its customers write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.catalogue.seed.prices import price_minor
from app.catalogue.seed.products import fingerprint, products
from app.errors import SettingsError
from app.psp.settings import PspSettings
from app.region import Region, region_of
from app.settings import VARIABLES, Environment, PaymentsSettings, StorefrontSettings
from app.web.money import money
from lab.hosts import load_hosts
from lab.plan import components_of
from shopsphere.estate.region_facts import region_facts
from shopsphere.topology import load_topology

TOPOLOGY = load_topology()
FACTS = region_facts(TOPOLOGY, "rdc-a")
USABLE = {
    "SHOP_REGION_FACTS": FACTS,
    "SHOP_ENVIRONMENT": "lab",
    "SHOP_SESSION_SECRET": "0123456789abcdef0123456789abcdef",
    "COMMERCE_DSN": "postgresql://commerce@db/commerce",
    "PAYMENTS_CALL_KEY": "0123456789abcdef0123456789abcdef",
}
SWISS = {"currency": "CHF", "currency_sign": "CHF ", "price_factor": 0.94, "group": "\u2019"}
JAPANESE = {"currency": "JPY", "currency_sign": "¥", "minor_digits": 0, "price_factor": 165}
KUWAITI = {"currency": "KWD", "currency_sign": "KD ", "minor_digits": 3, "price_factor": 0.33}
SWEDISH = {"currency": "SEK", "currency_sign": "kr", "group": "\u00a0", "decimal": ",", "sign_after": True}


def region(pair: str = "rdc-a", **changes: object) -> Region:
    return region_of(json.dumps({**json.loads(region_facts(TOPOLOGY, pair)), **changes}))


@pytest.mark.requirement("the shop knows its region from its environment alone")
def test_a_region_is_what_the_topology_says() -> None:
    found = region("rdc-b")
    assert (found.pair, found.title, found.language) == ("rdc-b", "United States", "en-US")
    assert (found.currency, found.currency_sign, found.minor_digits) == ("USD", "$", 2)
    assert (found.shipping_minor, found.free_shipping_from_minor, found.order_prefix) == (690, 9900, "U")
    assert found.delivers_to == {"US": "United States"}
    assert not found.prices_include_tax


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"currency": "euro", "delivers_to": {}}, ["currency: ", "found 'euro'", "delivers_to: "]),
        ({"minor_digits": 4, "sign_after": "no"}, ["minor_digits: ", "found 4", "sign_after: ", "found 'no'"]),
        ({"colour": "red"}, ["colour: expected one of pair, title", "unknown name"]),
        ({"shipping_minor": -1}, ["shipping_minor: ", "found -1"]),
    ],
)
def test_every_wrong_fact_is_named(changes: dict[str, object], named: list[str]) -> None:
    with pytest.raises(SettingsError) as refused:
        StorefrontSettings.read({**USABLE, "SHOP_REGION_FACTS": json.dumps({**json.loads(FACTS), **changes})})
    for words in named:
        assert words in str(refused.value)


@pytest.mark.parametrize("text", ["rdc-a", "[]", '"rdc-a"', "{", "1"])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="SHOP_REGION_FACTS: expected a JSON object"):
        StorefrontSettings.read({**USABLE, "SHOP_REGION_FACTS": text})


def test_without_facts_nothing_starts() -> None:
    with pytest.raises(SettingsError, match="SHOP_REGION_FACTS: expected a value, found none"):
        StorefrontSettings.read({name: value for name, value in USABLE.items() if name != "SHOP_REGION_FACTS"})
    with pytest.raises(SettingsError) as refused:
        region_facts_of({"pair": "rdc-a"})
    assert "title: expected a value, found none" in str(refused.value)
    assert "delivers_to: expected a value, found none" in str(refused.value)


def region_facts_of(facts: dict[str, Any]) -> Region:
    return StorefrontSettings.read({**USABLE, "SHOP_REGION_FACTS": json.dumps(facts)}).region


@pytest.mark.parametrize("name", ["PSP_STATE", "PSP_HOST", "SHOP_REGION", "PAYMENTS_TIMEOUT"])
def test_a_variable_that_nobody_reads_is_an_error(name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}: expected one of .*, found an unknown name"):
        StorefrontSettings.read({**USABLE, name: "value"})


class Asked(dict[str, str]):
    """Variables that remember which of them were asked for."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__(values)
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return super().get(name, default)


def test_the_list_of_variables_is_what_the_entry_points_read() -> None:
    asked = Asked({**USABLE, "LEDGER_DSN": "postgresql://ledger@db/ledger"})
    StorefrontSettings.read(asked)
    PaymentsSettings.read(asked)
    PspSettings.read(asked)
    Environment(asked).check()
    assert {name for name in asked.names if name.startswith(("SHOP_", "PAYMENTS_", "PSP_"))} == VARIABLES


@pytest.mark.requirement("the provider's books lie on the lab's own disk, and it listens where the plan says")
def test_the_lab_s_payment_provider_gets_settings_that_it_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path))
    components = components_of(load_hosts(TOPOLOGY).host("psp"), [], TOPOLOGY)
    (component,) = (each for each in components if each.name == "psp")
    settings = PspSettings.read(component.environment)
    assert (settings.listen.address, settings.listen.port) == ("10.99.0.70", 8070)
    assert settings.state_file.is_relative_to(tmp_path)
    assert settings.state_file.parent.is_dir()


@pytest.mark.parametrize(
    ("pair", "changes", "amount_minor", "shown"),
    [
        ("rdc-a", {}, 119000, "€1,190"),
        ("rdc-a", {}, 590, "€5.90"),
        ("rdc-a", {}, -590, "-€5.90"),
        ("rdc-a", {}, 5, "€0.05"),
        ("rdc-b", {}, 9900, "$99"),
        ("rdc-c", {}, 123456789, "S$1,234,567.89"),
        ("rdc-a", JAPANESE, 119000, "¥119,000"),
        ("rdc-a", KUWAITI, 119050, "KD 119.050"),
        ("rdc-a", SWEDISH, 123456789, "1\u00a0234\u00a0567,89\u00a0kr"),
        ("rdc-a", SWISS, 119000, "CHF 1\u2019190"),
    ],
)
def test_money_is_written_as_in_the_region(
    pair: str, changes: dict[str, object], amount_minor: int, shown: str
) -> None:
    assert money(amount_minor, region(pair, **changes)) == shown


PRICES = {  # minor units by product, size and currency; the first three columns are the prices since the first release
    ("tidal-rings-tee", "M"): {"EUR": 3900, "USD": 4200, "SGD": 5900, "CHF": 3700, "JPY": 6400, "KWD": 13000},
    ("aurel-one-headphones", "Standard"): {
        "EUR": 55900, "USD": 59900, "SGD": 82900, "CHF": 53900, "JPY": 92900, "KWD": 189000,
    },
    ("aurel-one-phone", "1 TB"): {
        "EUR": 153500, "USD": 163700, "SGD": 225200, "CHF": 145800, "JPY": 254600, "KWD": 524000,
    },
}  # fmt: skip
SHOPS = {"EUR": ("rdc-a", {}), "USD": ("rdc-b", {}), "SGD": ("rdc-c", {}), "CHF": ("rdc-a", SWISS)}
SHOPS |= {"JPY": ("rdc-a", JAPANESE), "KWD": ("rdc-a", KUWAITI)}


@pytest.mark.requirement("a currency without prices of its own has prices by a rule; existing prices stay as they are")
@pytest.mark.parametrize("currency", SHOPS)
@pytest.mark.parametrize(("slug", "title"), PRICES)
def test_seeded_prices(slug: str, title: str, currency: str) -> None:
    pair, changes = SHOPS[currency]
    product = next(each for each in products() if each.slug == slug)
    size = next(each for each in product.sizes if each.title == title)
    assert price_minor(product, size, region(pair, **changes)) == PRICES[slug, title][currency]


def test_another_currency_is_another_catalogue() -> None:
    marks = [fingerprint(region("rdc-a")), fingerprint(region("rdc-b")), fingerprint(region("rdc-a", **SWISS))]
    assert len(set(marks)) == 3
    assert fingerprint(region("rdc-a", title="Elsewhere")) == marks[0]
