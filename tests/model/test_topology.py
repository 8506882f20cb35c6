"""The committed topology says what the requirements say, and its helpers answer from it alone."""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import pytest
from present import present
from pydantic import BaseModel, ValidationError

from shopsphere import topology as model
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.topology import HEADQUARTERS, Topology, UnknownNameError, load_topology
from shopsphere.topology.errors import TopologyError
from shopsphere.topology.report import check, check_schema, schema
from shopsphere.topology.schema import SCHEMA_FILE, keys_at, schema_text

TOPOLOGY = load_topology()
PEERS = {"frankfurt": "dublin", "ashburn": "chicago", "singapore": "sydney"}
HOME = {"frankfurt": "eu", "dublin": "eu", "ashburn": "us", "chicago": "us", "singapore": "apac", "sydney": "apac"}


def test_regions_are_those_of_the_requirements() -> None:
    assert {pair.primary: pair.recovery for pair in TOPOLOGY.pairs.values()} == PEERS
    assert TOPOLOGY.headquarters == "newyork"
    assert set(TOPOLOGY.sites) == {*PEERS, *PEERS.values(), "newyork"}


def test_address_and_networks_of_each_site() -> None:
    found = {
        name: (str(at.address), str(at.pod_network), str(at.service_network)) for name, at in TOPOLOGY.sites.items()
    }
    assert found == {
        "frankfurt": ("10.99.0.11", "10.11.0.0/17", "10.11.128.0/17"),
        "dublin": ("10.99.0.12", "10.12.0.0/17", "10.12.128.0/17"),
        "ashburn": ("10.99.0.21", "10.21.0.0/17", "10.21.128.0/17"),
        "chicago": ("10.99.0.22", "10.22.0.0/17", "10.22.128.0/17"),
        "singapore": ("10.99.0.31", "10.31.0.0/17", "10.31.128.0/17"),
        "sydney": ("10.99.0.32", "10.32.0.0/17", "10.32.128.0/17"),
        "newyork": ("10.99.0.40", "10.40.0.0/17", "10.40.128.0/17"),
    }


def test_limits_are_those_of_the_requirements() -> None:
    assert (TOPOLOGY.limits.racks_per_site, TOPOLOGY.limits.kilowatts_per_site) == (8, 150)


@pytest.mark.parametrize(("primary", "recovery"), PEERS.items())
def test_pair_and_peer(primary: str, recovery: str) -> None:
    pair = present(TOPOLOGY.pair_of(primary))
    assert pair is TOPOLOGY.pair_of(recovery)
    assert pair.sites == (primary, recovery)
    assert present(TOPOLOGY.peer_of(primary)).name == recovery
    assert present(TOPOLOGY.peer_of(recovery)).name == primary
    assert pair.jurisdiction == TOPOLOGY.jurisdiction_of(primary) == TOPOLOGY.jurisdiction_of(recovery)


def test_headquarters_has_no_pair_and_no_peer() -> None:
    assert TOPOLOGY.pair_of("newyork") is None
    assert TOPOLOGY.peer_of("newyork") is None
    assert TOPOLOGY.jurisdiction_of("newyork") == HEADQUARTERS
    assert [site.name for site in TOPOLOGY.sites_of_jurisdiction(HEADQUARTERS)] == ["newyork"]


@pytest.mark.parametrize(
    ("data_class", "jurisdiction", "sites"),
    [
        ("personal", "eu", {"frankfurt", "dublin"}),
        ("personal", "us", {"ashburn", "chicago"}),
        ("personal", HEADQUARTERS, set()),
        ("payment", "apac", {"singapore", "sydney"}),
        ("payment", "eu", {"frankfurt", "dublin"}),
        ("fulfilment", "us", {"ashburn", "chicago"}),
        ("fulfilment", "apac", {"singapore", "sydney"}),
        ("aggregate", "eu", {"newyork"}),
        ("aggregate", HEADQUARTERS, {"newyork"}),
        ("public", "us", {"frankfurt", "dublin", "ashburn", "chicago", "singapore", "sydney", "newyork"}),
        ("operational", "eu", {"frankfurt", "dublin", "ashburn", "chicago", "singapore", "sydney", "newyork"}),
    ],
)
def test_who_may_hold_which_class(data_class: str, jurisdiction: str, sites: set[str]) -> None:
    assert set(TOPOLOGY.sites_allowed(data_class, jurisdiction)) == sites


def test_distances_are_those_of_the_requirements() -> None:
    assert TOPOLOGY.rtt_ms("frankfurt", "dublin") == 25
    assert TOPOLOGY.rtt_ms("ashburn", "chicago") == 18
    assert TOPOLOGY.rtt_ms("singapore", "sydney") == 92
    assert {TOPOLOGY.rtt_ms("newyork", site) for site in HOME} == {200}
    assert TOPOLOGY.rtt_ms("dublin", "sydney") == TOPOLOGY.wan.default_rtt_ms


def test_distance_is_symmetric_and_zero_within_a_site() -> None:
    for one, other in permutations(TOPOLOGY.sites, 2):
        assert TOPOLOGY.rtt_ms(one, other) == TOPOLOGY.rtt_ms(other, one) > 0
    assert all(TOPOLOGY.rtt_ms(site, site) == 0 for site in TOPOLOGY.sites)


@pytest.mark.parametrize(
    "ask",
    [
        lambda: TOPOLOGY.site("paris"),
        lambda: TOPOLOGY.pair("rdc-z"),
        lambda: TOPOLOGY.pair_of("paris"),
        lambda: TOPOLOGY.data_class("secret"),
        lambda: TOPOLOGY.currency("CHF"),
        lambda: TOPOLOGY.sites_of_jurisdiction("mars"),
        lambda: TOPOLOGY.sites_allowed("secret", "eu"),
        lambda: TOPOLOGY.sites_allowed("public", "mars"),
        lambda: TOPOLOGY.rtt_ms("frankfurt", "paris"),
    ],
)
def test_unknown_names_are_errors_that_list_the_known_ones(ask: Callable[[], object]) -> None:
    with pytest.raises(UnknownNameError, match="expected: one of"):
        ask()


def test_model_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        TOPOLOGY.site("frankfurt").racks = 9  # type: ignore[misc]  # it is frozen, which is what is tested


def test_model_survives_pickling() -> None:
    assert pickle.loads(pickle.dumps(TOPOLOGY)) == TOPOLOGY


def test_every_field_has_a_title_and_a_description() -> None:
    for kind in vars(model).values():
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            for name, field in kind.model_fields.items():
                assert field.title, f"{kind.__name__}.{name}"
                assert field.description, f"{kind.__name__}.{name}"


def test_committed_schema_is_the_model_s() -> None:
    assert SCHEMA_FILE.read_text() == schema_text() == schema()
    check_schema()


def test_schema_refuses_unknown_keys_and_hides_derived_ones() -> None:
    for name, definition in json.loads(schema_text())["$defs"].items():
        if definition["type"] == "object":
            assert definition["additionalProperties"] is False, name
    assert keys_at(("sites", "frankfurt"))[0] == "city"
    assert "jurisdiction" not in keys_at(("pairs", "rdc-a"))
    assert keys_at(()) == list(Topology.model_fields)


def test_an_old_schema_is_an_error_that_says_how_to_renew_it(tmp_path: Path) -> None:
    stale = tmp_path / "topology.schema.json"
    with pytest.raises(TopologyError, match="no such file"):
        check_schema(stale)
    stale.write_text("{}")
    with pytest.raises(TopologyError, match="schema --write"):
        check_schema(stale)
    assert schema(write=True, file=stale) == stale.read_text()
    check_schema(stale)


def test_check_sums_it_up() -> None:
    assert "7 sites in 3 pairs and 3 jurisdictions, 50 racks" in check()


@pytest.mark.requirement("what a region's shop needs stands in topology.yaml, and is what it was in the shop's code")
def test_the_shops_are_those_of_the_requirements() -> None:
    shops = {name: pair.storefront for name, pair in TOPOLOGY.pairs.items()}
    assert {name: (shop.title, shop.currency, shop.language, shop.order_prefix) for name, shop in shops.items()} == {
        "rdc-a": ("Europe", "EUR", "en-IE", "E"),
        "rdc-b": ("United States", "USD", "en-US", "U"),
        "rdc-c": ("Asia Pacific", "SGD", "en-SG", "S"),
    }
    assert {name: (shop.shipping_minor, shop.free_shipping_from_minor) for name, shop in shops.items()} == {
        "rdc-a": (590, 9900),
        "rdc-b": (690, 9900),
        "rdc-c": (890, 14900),
    }
    assert {name: shop.prices_include_tax for name, shop in shops.items()} == {
        "rdc-a": True,
        "rdc-b": False,
        "rdc-c": True,
    }


def test_the_european_shop_delivers_to_all_of_the_union() -> None:
    union = [
        "AT",
        "BE",
        "BG",
        "HR",
        "CY",
        "CZ",
        "DK",
        "EE",
        "FI",
        "FR",
        "DE",
        "GR",
        "HU",
        "IE",
        "IT",
        "LV",
        "LT",
        "LU",
        "MT",
        "NL",
        "PL",
        "PT",
        "RO",
        "SK",
        "SI",
        "ES",
        "SE",
    ]
    assert len(union) == 27
    assert set(TOPOLOGY.pair("rdc-a").storefront.delivers_to) == set(union)
    assert next(iter(TOPOLOGY.pair("rdc-a").storefront.delivers_to)) == "DE"
    assert TOPOLOGY.pair("rdc-b").storefront.delivers_to == {"US": "United States"}
    assert TOPOLOGY.pair("rdc-c").storefront.delivers_to == {"SG": "Singapore", "AU": "Australia"}


def test_public_names_follow_from_the_domain() -> None:
    topology = load_topology()
    assert (topology.shop_host, topology.static_host) == ("www.shopsphere.test", "static.shopsphere.test")


def test_the_labels_of_public_names_are_written_in_one_place() -> None:
    literal = re.compile(r"""["'](https://)?(www["'.]|static\.\{)""")
    trees = ("shopsphere", "runbooks", "components", "policies", "cli")
    found = [file for tree in trees for file in (REPOSITORY / tree).rglob("*.py") if literal.search(file.read_text())]
    assert [file.name for file in found] == ["public_names.py"]
