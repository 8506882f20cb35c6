"""A stack's configuration: what is refused, and in which words."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi.runtime import set_all_config

from components.regional_pair import NotAMemberError, RegionalPair
from components.stack_config import SITE_SECRET_NAMES, StackConfigError, load_site_config
from shopsphere.estate.databases import COMMERCE
from shopsphere.estate.namespaces import HEADQUARTERS_NAMESPACES, REGIONAL_NAMESPACES, NamespaceModel
from shopsphere.estate.site_config import HeadquartersConfig, RegionalConfig
from shopsphere.estate.web_address import port_of
from shopsphere.foundation.paths import STACKS
from shopsphere.topology import load_topology

TOPOLOGY = load_topology()
SECRETS = {f"shopsphere:{name}": "secret" for name in SITE_SECRET_NAMES}


def committed(path: str) -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load(Path(STACKS / path).read_text())["config"]
    return config


@pytest.fixture
def config() -> dict[str, Any]:
    return {**committed("rdc-a/lab-frankfurt.base.yaml"), "shopsphere:kubeconfig": "/k", **SECRETS}


def load(
    config: dict[str, Any],
    encrypted: tuple[str, ...] | list[str] = tuple(SECRETS),
    model: type[RegionalConfig] | type[HeadquartersConfig] = RegionalConfig,
    secrets: tuple[str, ...] = SITE_SECRET_NAMES,
) -> RegionalConfig:
    set_all_config(
        {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}, list(encrypted)
    )
    loaded = load_site_config(model, secrets=secrets)
    assert isinstance(loaded, RegionalConfig)
    return loaded


def test_a_complete_configuration_is_a_frozen_value(config: dict[str, Any]) -> None:
    loaded = load(config)
    assert loaded.databases.ledger.synchronous
    with pytest.raises(ValueError, match="frozen"):
        loaded.context = "other"  # type: ignore[misc]  # it is frozen, which is what is tested


def test_an_unknown_key_is_refused(config: dict[str, Any]) -> None:
    config["shopsphere:replicas"] = "3"
    with pytest.raises(StackConfigError, match=r"(?s)shopsphere:replicas.*not permitted"):
        load(config)


def test_an_unknown_key_deep_inside_is_refused(config: dict[str, Any]) -> None:
    config["shopsphere:workloads"]["shop"]["replica"] = 3
    with pytest.raises(StackConfigError, match=r"shopsphere:workloads\.shop\.replica"):
        load(config)


def test_a_missing_key_is_named(config: dict[str, Any]) -> None:
    del config["shopsphere:images"]["gateway"]
    with pytest.raises(StackConfigError, match=r"(?s)shopsphere:images\.gateway.*required"):
        load(config)


def test_all_that_is_wrong_is_said_at_once(config: dict[str, Any]) -> None:
    config["shopsphere:pspUrl"] = "psp.example"
    config["shopsphere:databases"]["ledger"]["size"] = "big"
    with pytest.raises(StackConfigError) as raised:
        load(config)
    assert "shopsphere:pspUrl" in str(raised.value)
    assert "shopsphere:databases.ledger.size" in str(raised.value)


def test_another_namespaces_keys_are_nobodys_business(config: dict[str, Any]) -> None:
    assert load({**config, "pulumi:disable-default-providers": ["kubernetes"]})


@pytest.mark.parametrize(
    "path", sorted(path.relative_to(STACKS).as_posix() for path in STACKS.glob("*/Pulumi.prod-*.yaml"))
)
def test_one_error_lists_every_placeholder(path: str) -> None:
    config = committed(path)
    model = HeadquartersConfig if path.startswith("hq/") else RegionalConfig
    with pytest.raises(StackConfigError) as raised:
        load(config, model=model)
    text = str(raised.value)
    written = (STACKS / path).read_text().split("\nconfig:\n")[1].count("REPLACE_ME")
    assert f"has {written} placeholders left" in text
    assert text.count("  shopsphere:") == written
    assert "shopsphere:volumes[0].path" in text
    assert "pulumi config set --secret" in text


def test_a_placeholder_inside_a_text_is_one_too(config: dict[str, Any]) -> None:
    config["shopsphere:images"]["shop"] = "registry.example/REPLACE_ME/shop:1"
    with pytest.raises(StackConfigError, match=r"has 1 placeholders left\n  shopsphere:images\.shop"):
        load(config)


def test_a_missing_secret_is_named(config: dict[str, Any]) -> None:
    del config["shopsphere:ledgerPassword"]
    with pytest.raises(StackConfigError, match=r"(?s)shopsphere:ledgerPassword.*nothing"):
        load(config)


def test_a_readable_secret_is_refused_and_not_repeated(config: dict[str, Any]) -> None:
    config["shopsphere:ledgerPassword"] = "swordfish"
    with pytest.raises(StackConfigError, match=r"(?s)shopsphere:ledgerPassword.*plain text") as raised:
        load(config, encrypted=[key for key in SECRETS if not key.endswith("ledgerPassword")])
    assert "swordfish" not in str(raised.value)


def test_a_site_of_another_pair_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(NotAMemberError, match="frankfurt, dublin"):
        RegionalPair.of(TOPOLOGY, "rdc-a", "chicago", load(config))


def test_addresses_are_the_topologys_unless_the_stack_has_its_own(config: dict[str, Any]) -> None:
    assert {site: str(address) for site, address in pair_of(config).addresses.items()} == {
        site: str(TOPOLOGY.site(site).address) for site in ("frankfurt", "dublin")
    }
    config["shopsphere:peerAddress"] = "198.51.100.1"
    assert str(pair_of(config).addresses["dublin"]) == "198.51.100.1"


def pair_of(config: dict[str, Any]) -> RegionalPair:
    return RegionalPair.of(TOPOLOGY, "rdc-a", "frankfurt", load(config))


def test_watts_follow_from_the_power_model(config: dict[str, Any]) -> None:
    sized = copy.deepcopy(config)
    sized["shopsphere:databases"]["commerce"] |= {"cpu": "2", "memory": "4Gi"}
    pair = pair_of(sized)
    assert pair.member(COMMERCE, pair.config.databases.commerce).watts == 30  # 2 * 12 W + 4 * 1.5 W


@pytest.mark.parametrize("namespaces", [REGIONAL_NAMESPACES, HEADQUARTERS_NAMESPACES])
def test_shares_of_power_leave_some_for_the_cluster_itself(namespaces: tuple[NamespaceModel, ...]) -> None:
    assert sum(namespace.power_percent for namespace in namespaces) < 100


@pytest.mark.parametrize(("address", "port"), [("http://a", 80), ("https://a", 443), ("http://10.0.0.1:8070", 8070)])
def test_the_port_of_an_address(address: str, port: int) -> None:
    assert port_of(address) == port
