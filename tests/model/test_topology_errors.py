"""Wrong topology documents get an error with file, place, expected and found."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from shopsphere.foundation.paths import TOPOLOGY_FILE
from shopsphere.topology import TopologyError, load_topology, parse_topology

TEXT = TOPOLOGY_FILE.read_text()
DOCUMENT: dict[str, Any] = yaml.safe_load(TEXT)
Change = Callable[[dict[str, Any]], object]


def written(document: dict[str, Any]) -> str:
    text: str = yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False)
    return text


def refused(change: Change) -> TopologyError:
    document = copy.deepcopy(DOCUMENT)
    change(document)
    with pytest.raises(TopologyError) as caught:
        parse_topology(written(document), "test.yaml")
    return caught.value


def put(path: str, value: object) -> Change:
    *parents, last = path.split(".")

    def change(document: dict[str, Any]) -> None:
        for part in parents:
            document = document[int(part) if isinstance(document, list) else part]
        document[int(last) if isinstance(document, list) else last] = value

    return change


def drop(path: str) -> Change:
    *parents, last = path.split(".")

    def change(document: dict[str, Any]) -> None:
        for part in parents:
            document = document[part]
        del document[last]

    return change


CASES = {
    "site in two pairs": (put("pairs.rdc-b.recovery", "dublin"), "pairs.rdc-b", "exactly one pair", "rdc-a, rdc-b"),
    "site in no pair": (drop("pairs.rdc-c"), "sites.singapore", "exactly one pair", "none"),
    "site in two jurisdictions": (
        put("jurisdictions.us.sites", ["ashburn", "chicago", "dublin"]),
        "jurisdictions.us", "exactly one jurisdiction", "eu, us",
    ),
    "site in no jurisdiction": (
        put("jurisdictions.us.sites", ["ashburn"]), "sites.chicago", "exactly one jurisdiction", "none",
    ),
    "unknown site in a jurisdiction": (
        put("jurisdictions.us.sites.1", "paris"), "jurisdictions.us.sites.1", "one of the sites ashburn", "'paris'",
    ),
    "unknown site in a pair": (put("pairs.rdc-a.primary", "paris"), "pairs.rdc-a.primary", "frankfurt", "'paris'"),
    "a site as its own recovery": (
        put("pairs.rdc-a.recovery", "frankfurt"), "pairs.rdc-a", "exactly one pair", "rdc-a, rdc-a",
    ),
    "headquarters in a pair": (put("headquarters", "sydney"), "headquarters", "in no jurisdiction", "apac"),
    "weights do not sum": (put("pairs.rdc-a.weights.passive", 1), "pairs.rdc-a.weights", "= 100", "100 + 1 = 101"),
    "weight below zero": (put("pairs.rdc-a.weights.passive", -1), "pairs.rdc-a.weights.passive", "or equal to 0", "-1"),
    "power below zero": (put("sites.dublin.kilowatts", -150), "sites.dublin.kilowatts", "greater than 0", "-150"),
    "power of zero": (put("sites.dublin.kilowatts", 0), "sites.dublin.kilowatts", "greater than 0", "0"),
    "power as text": (put("sites.dublin.kilowatts", "150"), "sites.dublin.kilowatts", "a valid number", "'150'"),
    "power not finite": (
        put("sites.dublin.kilowatts", float("nan")), "sites.dublin.kilowatts", "a decimal number", "no finite number",
    ),
    "model power below zero": (
        put("power_model.watts_per_core", -1), "power_model.watts_per_core", "or equal to 0", "-1",
    ),
    "unknown data class": (put("cdn.carries", ["publik"]), "cdn.carries.0", "one of the data classes", "'publik'"),
    "personal data on the CDN": (
        put("cdn.carries", ["public", "personal"]), "cdn.carries.1", "a class held anywhere", "held at home",
    ),
    "all of the shop on the CDN": (put("cdn.paths", ["/"]), "cdn.paths.0", "below the root", "'/'"),
    "unknown reach": (put("data_classes.public.held_at", "moon"), "data_classes.public.held_at", "'home'", "'moon'"),
    "legal basis missing": (
        drop("jurisdictions.eu.legal_basis"), "jurisdictions.eu.legal_basis", "'legal_basis'", "no such key",
    ),
    "legal basis blank": (
        put("jurisdictions.eu.legal_basis", " " * 40), "jurisdictions.eu.legal_basis", "at least 10", "'    ",
    ),
    "duplicate CIDR": (
        put("sites.dublin.pod_network", "10.11.0.0/17"),
        "sites.dublin.pod_network", "overlaps no other", "the same as sites.frankfurt.pod_network",
    ),
    "overlapping CIDR": (
        put("sites.dublin.pod_network", "10.11.64.0/18"),
        "sites.dublin.pod_network", "overlaps no other", "overlapping sites.frankfurt.pod_network",
    ),
    "client networks of two jurisdictions overlap": (
        put("jurisdictions.us.client_networks", ["10.99.64.0/24"]),
        "jurisdictions.us.client_networks.0", "overlaps no other", "jurisdictions.eu.client_networks.0",
    ),
    "address as a number": (put("sites.dublin.address", 5), "sites.dublin.address", "an IPv4", "5"),
    "network as a number": (put("sites.dublin.pod_network", 5), "sites.dublin.pod_network", "an IPv4", "5"),
    "CIDR with host bits": (put("sites.dublin.pod_network", "10.12.0.1/17"), "sites.dublin.pod_network", "IPv4", "0.1"),
    "duplicate address": (
        put("sites.dublin.address", "10.99.0.11"), "sites.dublin.address", "address of its own", "sites.frankfurt",
    ),
    "address inside a network": (
        put("sites.dublin.address", "10.11.0.1"), "sites.dublin.address", "outside all networks", "pod_network",
    ),
    "archive in a country without a site": (
        put("jurisdictions.eu.archive.country", "US"),
        "jurisdictions.eu.archive.country", "one of eu's sites: DE, IE", "US",
    ),
    "archive at a site": (
        put("jurisdictions.eu.archive.address", "10.99.0.11"),
        "jurisdictions.eu.archive.address", "address of its own", "sites.frankfurt",
    ),
    "archive of two jurisdictions": (
        put("jurisdictions.us.archive.address", "10.99.0.61"),
        "jurisdictions.us.archive.address", "address of its own", "jurisdictions.eu.archive",
    ),
    "archive among pods": (
        put("jurisdictions.eu.archive.address", "10.11.0.1"),
        "jurisdictions.eu.archive.address", "outside all networks", "pod_network",
    ),
    "unknown key": (put("sites.dublin.colour", "green"), "sites.dublin.colour", "city, country", "unknown key"),
    "unknown key at the top": (put("extra", 1), "extra", "version, domain", "unknown key 'extra'"),
    "derived key written": (put("sites.dublin.name", "dublin"), "sites.dublin.name", "known keys", "derived"),
    "missing section": (drop("limits"), "limits", "'limits'", "no such key"),
    "racks above the limit": (put("sites.dublin.racks", 9), "sites.dublin.racks", "at most 8 racks", "9"),
    "power above the limit": (
        put("sites.dublin.kilowatts", 150.1), "sites.dublin.kilowatts", "at most 150 kW", "150.1 kW",
    ),
    "distance listed twice": (
        put("wan.rtt_ms.1.between", ["dublin", "frankfurt"]), "wan.rtt_ms.0.between", "once", "dublin and frankfurt",
    ),
    "distance to itself": (put("wan.rtt_ms.1.between", ["sydney"] * 2), "wan.rtt_ms.1.between", "different", "twice"),
    "distance to an unknown site": (
        put("wan.rtt_ms.0.between", ["frankfurt", "paris"]), "wan.rtt_ms.0.between.1", "one of the sites", "'paris'",
    ),
    "unknown currency": (
        put("pairs.rdc-a.storefront.currency", "CHF"),
        "pairs.rdc-a.storefront.currency", "one of the currencies EUR, USD, SGD", "'CHF'",
    ),
    "currency in small letters": (put("currencies.chf", {}), "currencies.chf", "match pattern", "'chf'"),
    "currency with four minor digits": (
        put("currencies.USD.minor_digits", 4), "currencies.USD.minor_digits", "less than or equal to 3", "4",
    ),
    "price factor of zero": (put("currencies.USD.price_factor", 0), "currencies.USD.price_factor", "than 0", "0"),
    "euro that is not the base": (
        put("currencies.EUR.price_factor", 1.1), "currencies.EUR.price_factor", "1, the currency that", "1.1",
    ),
    "country in full": (
        put("pairs.rdc-b.storefront.delivers_to", {"USA": "United States"}),
        "pairs.rdc-b.storefront.delivers_to.USA", "match pattern", "'USA'",
    ),
    "Norway without quotes": (
        put("pairs.rdc-b.storefront.delivers_to", {False: "Norway"}),
        "pairs.rdc-b.storefront.delivers_to.false", 'text in quotes, as in "false"', "false",
    ),
    "no country": (
        put("pairs.rdc-b.storefront.delivers_to", {}), "pairs.rdc-b.storefront.delivers_to", "at least 1", "{}",
    ),
    "language in full": (
        put("pairs.rdc-a.storefront.language", "English"), "pairs.rdc-a.storefront.language", "pattern", "'English'",
    ),
    "shipping below zero": (
        put("pairs.rdc-a.storefront.shipping_minor", -1), "pairs.rdc-a.storefront.shipping_minor", "equal to 0", "-1",
    ),
    "shipping in euro": (
        put("pairs.rdc-a.storefront.shipping_minor", 5.9), "pairs.rdc-a.storefront.shipping_minor", "integer", "5.9",
    ),
    "tax as a word": (
        put("pairs.rdc-a.storefront.prices_include_tax", "no"),
        "pairs.rdc-a.storefront.prices_include_tax", "a valid boolean", "'no'",
    ),
    "country without a rate": (
        drop("pairs.rdc-c.storefront.tax.percent.AU"),
        "pairs.rdc-c.storefront.tax.percent", "a rate for each country", "none for AU",
    ),
    "rate of a country that is not delivered to": (
        put("pairs.rdc-c.storefront.tax.percent.NZ", 15),
        "pairs.rdc-c.storefront.tax.percent.NZ", "a country that is delivered to", "'NZ'",
    ),
    "rate above the price": (
        put("pairs.rdc-c.storefront.tax.percent.AU", 110),
        "pairs.rdc-c.storefront.tax.percent.AU", "equal to 100", "110",
    ),
    "rate of goods that nobody sells": (
        put("pairs.rdc-c.storefront.tax.percent_of_kind", {"books": {"AU": 0}}),
        "pairs.rdc-c.storefront.tax.percent_of_kind.books", "'apparel'", "'books'",
    ),
    "tax that prices do not include": (
        put("pairs.rdc-b.storefront.tax", {"name": "Sales tax", "percent": {"US": 6}}),
        "pairs.rdc-b.storefront.tax", "prices_include_tax is false", "'Sales tax'",
    ),
    "order prefix of another pair": (
        put("pairs.rdc-c.storefront.order_prefix", "E"),
        "pairs.rdc-c.storefront.order_prefix", "a prefix of its own", "'E', which is also that of rdc-a",
    ),
    "one separator for two things": (
        put("pairs.rdc-a.storefront.number_format", {"group": ".", "decimal": "."}),
        "pairs.rdc-a.storefront.number_format", "different", "'.' twice",
    ),
    "another version": (put("version", 2), "version", "1", "2"),
    "name unfit for DNS": (put("sites.New_York", {}), "sites.New_York", "match pattern", "'New_York'"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_error_names_file_place_expected_and_found(name: str) -> None:
    change, path, expected, found = CASES[name]
    error = refused(change)
    problem = next((each for each in error.problems if each.path == path), None)
    assert problem is not None, str(error)
    assert expected in problem.expected
    assert found in problem.found
    assert error.file == "test.yaml"
    assert f"{path}\n  expected: {problem.expected}\n  found:    {problem.found}" in str(error)
    assert "do:" in str(error)
    assert error.exit_code != 0


def test_recovery_site_in_another_jurisdiction() -> None:
    def swap(document: dict[str, Any]) -> None:
        document["pairs"]["rdc-a"]["recovery"] = "chicago"
        document["pairs"]["rdc-b"]["recovery"] = "dublin"

    error = refused(swap)
    assert [problem.path for problem in error.problems] == ["pairs.rdc-a.recovery", "pairs.rdc-b.recovery"]
    assert error.expected == "a site in 'eu', the jurisdiction of the primary 'frankfurt'"
    assert error.found == "'chicago', which is in 'us'"


@pytest.mark.parametrize(("racks", "kilowatts"), [(7, 149.9), (8, 150), (8, 150.0)])
def test_sites_up_to_the_limits_are_accepted(racks: int, kilowatts: float) -> None:
    document = copy.deepcopy(DOCUMENT)
    document["sites"]["dublin"] |= {"racks": racks, "kilowatts": kilowatts}
    assert parse_topology(written(document)).site("dublin").racks == racks


def test_all_problems_are_reported_in_the_order_of_the_file() -> None:
    def spoil(document: dict[str, Any]) -> None:
        put("sites.dublin.racks", 0)(document)
        put("pairs.rdc-a.weights.active", 101)(document)

    error = refused(spoil)
    assert [problem.path for problem in error.problems] == ["pairs.rdc-a.weights.active", "sites.dublin.racks"]


def test_errors_carry_the_line() -> None:
    line = next(number for number, text in enumerate(TEXT.splitlines(), start=1) if "primary: ashburn" in text)
    with pytest.raises(TopologyError) as caught:
        parse_topology(TEXT.replace("primary: ashburn", "primary: paris"))
    assert f"topology.yaml:{line}: pairs.rdc-b.primary" in str(caught.value)


def test_duplicate_key_is_refused_with_both_lines() -> None:
    with pytest.raises(TopologyError) as caught:
        parse_topology(TEXT + "\nheadquarters: dublin\n")
    assert caught.value.path == "headquarters"
    assert caught.value.expected == "each key once"
    first = next(number for number, text in enumerate(TEXT.splitlines(), start=1) if text.startswith("headquarters"))
    assert f"first on line {first}" in caught.value.found


def test_duplicate_key_in_depth() -> None:
    with pytest.raises(TopologyError) as caught:
        parse_topology(TEXT.replace("city: Dublin,", "city: Dublin, city: Paris,"))
    assert caught.value.path == "sites.dublin.city"


@pytest.mark.parametrize(
    ("text", "expected", "found"),
    [
        ("sites: [", "YAML", "expected the node content"),
        ("sites:\n\t- a", "YAML", "found character"),
        ("", "a mapping", "an empty file"),
        ("- a\n- b", "a mapping", "a list"),
        ("a: &a {b: *a}", "an alias of a part that stands before it and is complete", "*a"),
        ("version: !!python/object:os.system {}", "no tag", "python/object:os.system"),
    ],
)
def test_broken_documents(text: str, expected: str, found: str) -> None:
    with pytest.raises(TopologyError) as caught:
        parse_topology(text)
    assert expected in caught.value.expected
    assert found in caught.value.found


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(TopologyError) as caught:
        load_topology(tmp_path / "none.yaml")
    assert caught.value.found == "no such file"
    assert str(tmp_path / "none.yaml") in str(caught.value)


def test_unreadable_file(tmp_path: Path) -> None:
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(TopologyError, match="readable text file"):
        load_topology(tmp_path / "binary.yaml")


def places(value: object, path: str = "") -> list[str]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [path] if path else []
    for key, child in children:
        found += places(child, f"{path}.{key}" if path else str(key))
    return found


JUNK = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.integers(), max_size=2)
)


@given(st.sampled_from(places(DOCUMENT)), JUNK)
def test_any_damage_gives_a_topology_or_a_topology_error(
    path: str, junk: float | bool | str | list[int] | None
) -> None:
    document = copy.deepcopy(DOCUMENT)
    put(path, junk)(document)
    with contextlib.suppress(TopologyError):
        assert parse_topology(written(document)).sites
