"""A stack's configuration: what is refused, and in which words."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from own_authority import authority_of_tests, key_of_tests, leaf_of_tests
from pulumi.runtime import set_all_config

from components.gateway_configuration import gateway_files
from components.known_cdn import UnknownCdnError
from components.regional_pair import NotAMemberError, RegionalPair, TooManyInstancesError
from components.stack_config import StackConfigError, load_site_config
from shopsphere.estate.databases import COMMERCE, LEDGER
from shopsphere.estate.event_log_site import SITE_WITH_BROKER
from shopsphere.estate.namespaces import NamespaceModel
from shopsphere.estate.pair_secrets import SITE_SECRET_NAMES
from shopsphere.estate.site_config import DatabaseConfig, HeadquartersConfig, RegionalConfig
from shopsphere.estate.site_declaration import HEADQUARTERS_SITE, REGIONAL_SITE, DeclarationError, SiteDeclaration
from shopsphere.estate.web_address import port_of
from shopsphere.estate.workload_declaration import Surroundings
from shopsphere.foundation.paths import STACKS
from shopsphere.topology import load_topology

TOPOLOGY = load_topology()
SECRETS = {f"shopsphere:{name}": "secret" for name in SITE_SECRET_NAMES}


def committed(path: str) -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load(Path(STACKS / path).read_text())["config"]
    return config


@pytest.fixture
def config() -> dict[str, Any]:
    machine = {
        "shopsphere:kubeconfig": "/k",
        "shopsphere:archiveRecipient": "age1ofatest",
        "shopsphere:cdnAuthority": authority_of_tests(),
    }
    return {**committed("rdc-a/lab-frankfurt.base.yaml"), **machine, **SECRETS}


def load(
    config: dict[str, Any],
    encrypted: tuple[str, ...] | list[str] = tuple(SECRETS),
    secrets: tuple[str, ...] = SITE_SECRET_NAMES,
) -> RegionalConfig:
    set_texts(config, encrypted)
    return load_site_config(RegionalConfig, secrets=secrets, site=SITE_WITH_BROKER)


def set_texts(config: dict[str, Any], encrypted: tuple[str, ...] | list[str] = tuple(SECRETS)) -> None:
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
    set_all_config(texts, list(encrypted))


def test_a_complete_configuration_is_a_frozen_value(config: dict[str, Any]) -> None:
    loaded = load(config)
    assert loaded.workloads["shop"].replicas == 2
    with pytest.raises(ValueError, match="frozen"):
        loaded.context = "other"  # type: ignore[misc]  # it is frozen, which is what is tested


@pytest.mark.requirement("no more databases run at a site than its fence shuts off")
def test_more_instances_than_nodes_are_refused(config: dict[str, Any]) -> None:
    config["shopsphere:databases"]["ledger"]["instances"] = 2
    loaded = load(config)
    pair = RegionalPair.of(TOPOLOGY, "rdc-a", "frankfurt", loaded, environment="lab")
    with pytest.raises(TooManyInstancesError, match=r"(?s)ledger has more instances.*at most 1"):
        pair.member(LEDGER)


@pytest.mark.parametrize("file", sorted(STACKS.glob("rdc-*/Pulumi.prod-*.yaml")), ids=lambda file: file.stem)
def test_the_examples_for_production_have_one_instance(file: Path) -> None:
    databases = yaml.safe_load(file.read_text())["config"]["shopsphere:databases"]
    assert {name: DatabaseConfig.model_validate(each).instances for name, each in databases.items()} == {
        "commerce": None,
        "ledger": None,
    }


@pytest.mark.requirement("the origin's entry for the CDN answers nobody who does not show the CDN's certificate")
@pytest.mark.parametrize(("knows", "plain"), [(True, False), (True, True), (False, True)])
def test_a_gateway_knows_the_cdn_or_says_that_it_does_not(config: dict[str, Any], knows: bool, plain: bool) -> None:
    authority = authority_of_tests() if knows else ""
    config |= {"shopsphere:cdnAuthority": authority, "shopsphere:staticOverHttp": plain}
    gateway = RegionalPair.of(TOPOLOGY, "rdc-a", "frankfurt", load(config), environment="lab").gateway()
    files = gateway_files(gateway)
    assert files.get("cdn-ca.crt", "").strip() == authority.strip()
    assert ("verify required" in files["haproxy.cfg"]) is bool(authority)


@pytest.mark.parametrize("authority", ["", " "])
def test_a_gateway_that_would_answer_no_cdn_is_refused(config: dict[str, Any], authority: str) -> None:
    config["shopsphere:cdnAuthority"] = authority
    with pytest.raises(UnknownCdnError, match=r"(?s)frankfurt: .*cdnAuthority"):
        RegionalPair.of(TOPOLOGY, "rdc-a", "frankfurt", load(config), environment="lab")


@pytest.mark.parametrize(
    ("authority", "found"),
    [
        (["PEM"], "no certificate"),
        (["half"], "no certificate"),
        (["leaf"], "signs no other"),
        (["authority", "leaf"], "signs no other"),
        (["key"], "a private key"),
        (["authority", "key"], "a private key"),
    ],
)
def test_what_is_no_authority_is_refused(config: dict[str, Any], authority: list[str], found: str) -> None:
    texts = {"authority": authority_of_tests(), "leaf": leaf_of_tests(), "key": key_of_tests()}
    texts["half"] = texts["authority"][:-60]
    config["shopsphere:cdnAuthority"] = "".join(texts.get(each, each) for each in authority)
    with pytest.raises(UnknownCdnError, match=f"(?s)frankfurt: .*cannot be used.*{found}") as refused:
        RegionalPair.of(TOPOLOGY, "rdc-a", "frankfurt", load(config), environment="lab")
    assert "MHc" not in str(refused.value), "nothing of a key is told"


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
    with pytest.raises(StackConfigError, match=r"(?s)shopsphere:images\.gateway.*declares gateway.*nothing"):
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
    model, site = (HeadquartersConfig, HEADQUARTERS_SITE) if path.startswith("hq/") else (RegionalConfig, REGIONAL_SITE)
    set_texts(committed(path))
    with pytest.raises(StackConfigError) as raised:
        load_site_config(model, secrets=SITE_SECRET_NAMES, site=site)
    text = str(raised.value)
    lines = (STACKS / path).read_text().split("\nconfig:\n")[1].splitlines()
    written = sum("REPLACE_ME" in line for line in lines)  # an image has two in its one value
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


def test_addresses_are_the_topologys(config: dict[str, Any]) -> None:
    pair = pair_of(config)
    assert {site: str(address) for site, address in pair.addresses.items()} == {
        "frankfurt": "10.99.0.11",
        "dublin": "10.99.0.12",
    }
    assert (pair.agent.host, pair.agent.port) == ("10.99.0.11", 8405)
    assert pair.network().api_server.host == "10.99.0.11"


@pytest.mark.parametrize("key", ["address", "peerAddress"])
def test_a_site_s_address_is_written_in_one_place(config: dict[str, Any], key: str) -> None:
    config[f"shopsphere:{key}"] = "198.51.100.1"
    with pytest.raises(
        StackConfigError, match=rf"shopsphere:{key}\n.*sites\.<site>\.address of the environment's topology"
    ):
        load(config)


def test_agent_and_api_server_may_be_elsewhere(config: dict[str, Any]) -> None:
    config |= {"shopsphere:siteAgent": "198.51.100.1", "shopsphere:apiServer": "198.51.100.2"}
    pair = pair_of(config)
    assert (pair.agent.host, pair.network().api_server.host) == ("198.51.100.1", "198.51.100.2")


def test_public_names_follow_from_the_domain_unless_the_stack_has_its_own(config: dict[str, Any]) -> None:
    surroundings = Surroundings(TOPOLOGY, "frankfurt", "rdc-a", load(config))
    assert surroundings.public_url == "https://www.shopsphere.test"
    assert surroundings.static_url == "https://static.shopsphere.test"
    config |= {"shopsphere:publicUrl": "https://shop.example", "shopsphere:staticUrl": "https://cdn.example"}
    surroundings = Surroundings(TOPOLOGY, "frankfurt", "rdc-a", load(config))
    assert (surroundings.public_url, surroundings.static_url) == ("https://shop.example", "https://cdn.example")


def pair_of(config: dict[str, Any]) -> RegionalPair:
    return RegionalPair.of(TOPOLOGY, "rdc-a", "frankfurt", load(config), environment="lab")


def test_watts_follow_from_the_power_model(config: dict[str, Any]) -> None:
    sized = copy.deepcopy(config)
    sized["shopsphere:databases"]["commerce"] |= {"cpu": "2", "memory": "4Gi"}
    assert pair_of(sized).member(COMMERCE).watts == 30  # 2 * 12 W + 4 * 1.5 W


@pytest.mark.requirement("limits: racks and power of a site")
def test_shares_of_power_leave_some_for_the_cluster_itself() -> None:
    namespaces = (NamespaceModel("one", "public", "team", 60), NamespaceModel("two", "public", "team", 40))
    with pytest.raises(DeclarationError, match=r"(?s)under 100 %.*100 %: one 60 %, two 40 %"):
        SiteDeclaration(reserved=namespaces)
    assert SiteDeclaration(reserved=(namespaces[0], NamespaceModel("two", "public", "team", 39)))


WORKLOADS, DATABASES = "shopsphere/estate/workloads.py", "shopsphere/estate/databases.py"


@pytest.mark.parametrize(
    ("part", "name", "key", "value", "reason"),
    [
        ("workloads", "shop", "dataClass", "personal", f"follows from the workload's entry in {WORKLOADS}"),
        ("databases", "ledger", "dataClass", "payment", f"follows from the database's entry in {DATABASES}"),
        ("databases", "commerce", "storageSite", "frankfurt", "always stored at its own site"),
    ],
)
def test_a_fact_that_is_declared_cannot_be_configured(
    config: dict[str, Any], part: str, name: str, key: str, value: str, reason: str
) -> None:
    config[f"shopsphere:{part}"][name][key] = value
    with pytest.raises(StackConfigError) as raised:
        load(config)
    assert f"shopsphere:{part}.{name}.{key}\n    expected: no such key: " in str(raised.value)
    assert reason in str(raised.value)
    assert f"found:    {value!r}" in str(raised.value)


@pytest.mark.requirement("payments: 100 % exact; RPO 0 for the ledger")
@pytest.mark.parametrize("said", ["true", "false"])
def test_no_stack_says_whether_the_ledger_is_synchronous(config: dict[str, Any], said: str) -> None:
    config["shopsphere:databases"]["ledger"]["synchronous"] = said == "true"
    with pytest.raises(StackConfigError) as raised:
        load(config)
    assert "shopsphere:databases.ledger.synchronous\n" in str(raised.value)
    assert "(RPO 0) is a property of the database" in str(raised.value)


@pytest.mark.parametrize(
    ("part", "declared", "table"),
    [
        (
            "workloads",
            "shop, payments, gateway, archive-commerce, archive-ledger, collector, kafka, insight, recommend",
            WORKLOADS,
        ),
        ("databases", "commerce, ledger", DATABASES),
        ("images", "archive, gateway, kafka, postgresql, shop", WORKLOADS),
    ],
)
def test_an_undeclared_name_is_refused(config: dict[str, Any], part: str, declared: str, table: str) -> None:
    entries = config[f"shopsphere:{part}"]
    entries["shopp"] = next(iter(entries.values()))
    with pytest.raises(StackConfigError) as raised:
        load(config)
    assert f"shopsphere:{part}.shopp\n    expected: one of {declared}, as {table} declares\n" in str(raised.value)


@pytest.mark.parametrize(
    ("part", "name", "table"),
    [("workloads", "payments", WORKLOADS), ("databases", "ledger", DATABASES), ("images", "postgresql", WORKLOADS)],
)
def test_a_declared_name_without_an_entry_is_refused(config: dict[str, Any], part: str, name: str, table: str) -> None:
    del config[f"shopsphere:{part}"][name]
    with pytest.raises(StackConfigError) as raised:
        load(config)
    expected = (
        f"shopsphere:{part}.{name}\n    expected: an entry, because {table} declares {name}\n    found:    nothing"
    )
    assert expected in str(raised.value)


def test_a_volume_is_of_a_class_that_the_site_stores(config: dict[str, Any]) -> None:
    config["shopsphere:volumes"][2]["dataClass"] = "payments"
    with pytest.raises(StackConfigError) as raised:
        load(config)
    assert (
        "shopsphere:volumes[2].dataClass\n    expected: a class of data that this site stores: payment, personal\n"
        "    found:    'payments'"
    ) in str(raised.value)


@pytest.mark.parametrize(("address", "port"), [("http://a", 80), ("https://a", 443), ("http://10.0.0.1:8070", 8070)])
def test_the_port_of_an_address(address: str, port: int) -> None:
    assert port_of(address) == port
