"""How long the shop keeps what it holds: said once, in the topology, and told to each region's shop."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.errors import SettingsError
from app.region import Retention
from app.settings import StorefrontSettings
from app.web.retention import kinds
from shopsphere.estate.region_facts import region_facts
from shopsphere.foundation.paths import TOPOLOGY_FILE
from shopsphere.topology import Topology, TopologyError, load_topology, parse_topology
from shopsphere.topology.report import check

pytestmark = pytest.mark.requirement("retention per data class is said once, in the topology")

TOPOLOGY = load_topology()
DEFAULTS = {
    "session_days": 30, "unused_session_days": 2, "cart_days": 180, "form_days": 7, "wrong_password_days": 1,
    "card_token_days": 2, "recipient_years": 10,
}  # fmt: skip
VARIABLES = {
    "SHOP_ENVIRONMENT": "lab",
    "SHOP_SESSION_SECRET": "0123456789abcdef0123456789abcdef",
    "COMMERCE_DSN": "postgresql://commerce@db/commerce",
    "PAYMENTS_CALL_KEY": "0123456789abcdef0123456789abcdef",
}


def changed(**sections: object) -> Topology:
    document: dict[str, Any] = yaml.safe_load(TOPOLOGY_FILE.read_text())
    for jurisdiction in document["jurisdictions"].values():
        del jurisdiction["recipient_years"]
    del document["retention"]
    return parse_topology(yaml.safe_dump(document | sections), "test.yaml")


def facts_of(topology: Topology, pair: str = "rdc-a") -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(region_facts(topology, pair))
    return facts


def settings_of(facts: dict[str, Any]) -> StorefrontSettings:
    return StorefrontSettings.read({**VARIABLES, "SHOP_REGION_FACTS": json.dumps(facts)})


@pytest.mark.parametrize(
    ("place", "value", "expected", "found"),
    [
        ("retention.personal.session_days", 0, "or equal to 2", "0"),
        ("retention.personal.session_days", 401, "or equal to 400", "401"),
        ("retention.personal.cart_days", -1, "or equal to 1", "-1"),
        ("retention.personal.cart_days", 36500, "or equal to 1100", "36500"),
        ("retention.payment.card_token_days", 0.5, "a valid integer", "0.5"),
        ("retention.personal.form_days", "7 days", "a valid integer", "'7 days'"),
        ("retention.personal.unused_session_days", 30, "at most 29 days", "30"),
        ("retention.personal.order_days", 1, "only known keys: session_days, ", "unknown key 'order_days'"),
        ("retention.fulfilment.recipient_years", 31, "or equal to 30", "31"),
        ("jurisdictions.us.recipient_years", 0, "or equal to 1", "0"),
    ],
)
def test_a_time_that_cannot_be_is_refused_with_its_place(
    tmp_path: Path, place: str, value: object, expected: str, found: str
) -> None:
    document: dict[str, Any] = yaml.safe_load(TOPOLOGY_FILE.read_text())
    document["retention"]["personal"]["session_days"] = 29
    *parents, last = place.split(".")
    section = document
    for part in parents:
        section = section[part]
    section[last] = value
    file = tmp_path / "topology.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False))
    with pytest.raises(TopologyError) as refused:
        check(file)
    (problem,) = refused.value.problems
    assert problem.path == place
    assert expected in problem.expected
    assert found in problem.found
    assert f"{place}\n  expected: {problem.expected}\n  found:    {problem.found}" in str(refused.value)


def test_a_class_that_the_shop_holds_has_to_be_there() -> None:
    document: dict[str, Any] = yaml.safe_load(TOPOLOGY_FILE.read_text())
    del document["data_classes"]["fulfilment"]
    with pytest.raises(TopologyError, match="the class 'fulfilment', whose data the shop holds"):
        parse_topology(yaml.safe_dump(document), "test.yaml")


@pytest.mark.parametrize(("pair", "years"), [("rdc-a", 8), ("rdc-b", 7), ("rdc-c", 5)])
def test_each_region_keeps_orders_as_long_as_its_law_wants(pair: str, years: int) -> None:
    assert facts_of(TOPOLOGY, pair)["retention"] == DEFAULTS | {"recipient_years": years}


def test_what_the_topology_leaves_out_has_the_defaults_of_the_shop() -> None:
    assert facts_of(changed())["retention"] == DEFAULTS
    facts = facts_of(TOPOLOGY)
    del facts["retention"]
    assert settings_of(facts).region.retention == Retention(**DEFAULTS)


def test_what_the_topology_says_reaches_the_shop() -> None:
    topology = changed(
        retention={"personal": {"session_days": 9, "cart_days": 60}, "fulfilment": {"recipient_years": 3}}
    )
    found = settings_of(facts_of(topology)).region.retention
    assert (found.session_days, found.cart_days, found.recipient_years) == (9, 60, 3)
    assert (found.unused_session_days, found.card_token_days) == (2, 2)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("session_days", 0), ("session_days", -30), ("session_days", 100_000), ("session_days", "30"),
        ("cart_days", 0), ("card_token_days", 0.5), ("form_days", True), ("recipient_years", 0),
        ("recipient_years", 1000), ("unused_session_days", 31), ("order_days", 3),
    ],
)  # fmt: skip
def test_the_shop_does_not_start_with_a_time_that_cannot_be(name: str, value: object) -> None:
    facts = facts_of(TOPOLOGY)
    facts["retention"][name] = value
    with pytest.raises(SettingsError) as refused:
        settings_of(facts)
    assert "SHOP_REGION_FACTS: retention: " in str(refused.value)
    assert name in str(refused.value)


def test_the_bounds_of_the_shop_are_those_of_the_topology() -> None:
    schema: dict[str, Any] = json.loads((TOPOLOGY_FILE.parent / "docs" / "topology.schema.json").read_text())["$defs"]
    bounds = {
        name: (facts["minimum"], facts["maximum"])
        for section in ("PersonalRetention", "PaymentRetention", "FulfilmentRetention")
        for name, facts in schema[section]["properties"].items()
    }
    assert set(bounds) == set(DEFAULTS)
    facts = facts_of(TOPOLOGY)
    for name, (least, most) in bounds.items():
        for value in (least, most):
            usable = facts | {"retention": facts["retention"] | {"unused_session_days": 1, name: value}}
            if name == "unused_session_days":
                usable["retention"]["session_days"] = 400
            assert getattr(settings_of(usable).region.retention, name) == value
        for value in (least - 1, most + 1):
            with pytest.raises(SettingsError):
                settings_of(facts | {"retention": facts["retention"] | {name: value}})


def test_each_kind_is_removed_after_its_own_time() -> None:
    ages = {kind.name: kind.age for kind in kinds(Retention(**DEFAULTS | {"cart_days": 60, "form_days": 5}))}
    assert ages == {
        "sessions": timedelta(hours=1),
        "carts": timedelta(days=60),
        "results of forms": timedelta(days=5),
        "wrong passwords": timedelta(days=1),
        "tokens of cards": timedelta(days=2),
        "recipients": 10,
    }
