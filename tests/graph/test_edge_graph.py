"""The edge project of each environment, built against mocks: the whole graph, with plain asserts."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from unplaced import without_source_positions

from components.edge.edge import build_edge
from shopsphere.deploy.declared_graph import Registered, declared_by
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.topology import load_topology

MACHINE = {"shopsphere:edgeKeys": "/keys/edge"}
PROD = {"url": "https://service.example:8081", "cdnUrl": "https://cdn.example", "edgeKeys": "/keys/edge"}

Resources = list[Registered]


def lab_config() -> dict[str, Any]:
    return {**yaml.safe_load((REPOSITORY / "lab.base.yaml").read_text())["config"], **MACHINE}


def prod_config() -> dict[str, Any]:
    """The production file with every placeholder filled in."""

    def filled(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: filled(entry, name) for name, entry in value.items()}
        if isinstance(value, list):
            return [filled(entry, key) for entry in value]
        if value != "REPLACE_ME":
            return value
        short = key.removeprefix("shopsphere:")
        if short in PROD:
            return PROD[short]
        return "s3://state" if short == "stateBackend" else "203.0.113.7"

    config: dict[str, Any] = filled(yaml.safe_load((REPOSITORY / "Pulumi.prod.yaml").read_text())["config"])
    return config


def build(stack: str, config: dict[str, Any], program: Path | Callable[[], None] = build_edge) -> Resources:
    with without_source_positions():
        return declared_by(program, project="shopsphere-edge", stack=stack, config=config).resources


ENVIRONMENTS = {"lab": lab_config, "prod": prod_config}


@functools.cache
def committed(environment: str) -> Resources:
    """The graph of an environment with its committed configuration, built once."""
    return build(environment, ENVIRONMENTS[environment]())


@pytest.fixture(params=ENVIRONMENTS)
def graph(request: pytest.FixtureRequest) -> Resources:
    resources = committed(request.param)
    return [entry for entry in resources if entry.type.startswith("pulumi-python:")]


def kind(resource: Registered) -> str:
    return resource.type.removeprefix("pulumi-python:dynamic/edge:")


def of_kind(graph: Resources, wanted: str) -> list[dict[str, Any]]:
    return [entry.state for entry in graph if kind(entry) == wanted]


def test_every_resource_is_known(graph: Resources) -> None:
    topology = load_topology()
    fixed = len(topology.sites) + len(("ns1", "ns2", "static"))
    steered = len(topology.pairs) + len(("www", "the domain itself"))
    counted = {name: len(of_kind(graph, name)) for name in {kind(entry) for entry in graph}}
    assert counted == {
        "DnsZone": 1,
        "DnsZoneKeys": 1,
        "DnsPairState": len(topology.pairs),
        "DnsRRset": fixed + steered + len(("who issues certificates",)),
        "CdnDistribution": 1,
    }


@pytest.mark.requirement("the edge touches no cluster")
def test_no_cluster(graph: Resources) -> None:
    assert not [entry.urn for entry in graph if "kubernetes" in entry.urn]


@pytest.mark.requirement("every name is written to every authority")
def test_both_authorities(graph: Resources) -> None:
    for entry in graph:
        if kind(entry) != "CdnDistribution":
            assert [authority["name"] for authority in entry.state["authorities"]] == ["ns1", "ns2"]


@pytest.mark.requirement("each pair has names for both sites, with weights")
def test_pairs(graph: Resources) -> None:
    topology = load_topology()
    (zone,) = of_kind(graph, "DnsZone")
    states = {state["pair"]: state for state in of_kind(graph, "DnsPairState")}
    assert set(states) == set(topology.pairs)
    for name, pair in topology.pairs.items():
        assert set(states[name]["addresses"]) == set(pair.sites)
        assert (states[name]["activeWeight"], states[name]["passiveWeight"]) == (100, 0)
        assert states[name]["ttl"] == pair.dns_ttl_seconds
    names = {entry["name"] for entry in of_kind(graph, "DnsRRset")}
    assert {f"{label}.{zone['zone']}" for label in [*topology.sites, *topology.pairs, "www", "static"]} <= names


@pytest.mark.requirement("names lead to where customers reach a site in this environment")
@pytest.mark.parametrize(
    ("environment", "zone", "dublin", "networks"),
    [
        ("lab", "shopsphere.test.", "10.99.0.12", "10.99.80.0/20"),
        ("prod", "shop.example.", "203.0.113.12", "100.65.0.0/16"),
    ],
)
def test_addresses_are_those_of_the_environment(environment: str, zone: str, dublin: str, networks: str) -> None:
    graph = committed(environment)
    names = {each["name"]: each for each in of_kind(graph, "DnsRRset")}
    assert names[f"dublin.{zone}"]["records"] == [dublin]
    assert networks in names[f"www.{zone}"]["records"][0]
    assert {each["pair"]: each["addresses"] for each in of_kind(graph, "DnsPairState")}["rdc-a"]["dublin"] == dublin
    (distribution,) = of_kind(graph, "CdnDistribution")
    assert dublin in [origin["address"] for origin in distribution["origins"]]


@pytest.mark.requirement("the CDN carries public data from static paths, with both sites of each pair as origins")
def test_cdn(graph: Resources) -> None:
    (distribution,) = of_kind(graph, "CdnDistribution")
    assert distribution["dataClass"] == "public"
    assert distribution["paths"] == ["/static/", "/media/"]
    origins = [(origin["name"], origin["port"]) for origin in distribution["origins"]]
    sites = ["frankfurt", "dublin", "ashburn", "chicago", "singapore", "sydney"]
    assert origins == [(site, 8443) for site in sites]
    assert distribution["staleSeconds"] >= 24 * 3600


def test_an_owner_may_choose_the_origins() -> None:
    chosen = [{"site": "sydney", "port": 8080}, {"site": "dublin"}]
    graph = build("lab", {**lab_config(), "shopsphere:origins": chosen})
    (distribution,) = [entry.state for entry in graph if kind(entry) == "CdnDistribution"]
    assert distribution["origins"] == [
        {"name": "sydney", "address": "10.99.0.32", "port": 8080},
        {"name": "dublin", "address": "10.99.0.12", "port": 8443},
    ]


@pytest.mark.requirement("keys are never inputs")
def test_keys_are_named_by_folder(graph: Resources) -> None:
    for entry in graph:
        assert entry.state["keysFolder"] == "/keys/edge"


@pytest.mark.requirement("a placeholder left in gives one clear error that lists all of them")
def test_placeholders_are_listed() -> None:
    committed = yaml.safe_load((REPOSITORY / "Pulumi.prod.yaml").read_text())["config"]
    with pytest.raises(pulumi.RunError) as caught:
        build("prod", committed)
    for key in ("dnsAuthorities[0].url", "edgeKeys", "nameservers[0].address", "cdnAddress", "stateBackend"):
        assert key in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        ("origins", [{"site": "newyork"}], "newyork"),
        ("origins", [{"site": "berlin"}], "berlin"),
        ("origins", [], "origins"),
        ("cdnAddress", "cdn", "cdnAddress"),
        ("siteAddresses", {"dublin": "10.0.0.1"}, r"siteAddresses(?s:.*)sites\.<site>\.public_address"),
        ("colour", "red", "colour"),
    ],
)
def test_wrong_configuration(key: str, value: object, found: str) -> None:
    with pytest.raises(pulumi.RunError, match=found):
        build("lab", {**lab_config(), f"shopsphere:{key}": value})


def test_the_program_itself_is_short_and_runs() -> None:
    file = REPOSITORY / "__main__.py"
    assert len(file.read_text().splitlines()) < 30
    assert build("lab", lab_config(), file)


@pytest.mark.requirement("the zone says which authorities may issue certificates for its names")
def test_who_may_issue_certificates() -> None:
    (found,) = [each for each in of_kind(build("lab", lab_config()), "DnsRRset") if each["type"] == "CAA"]
    assert (found["name"], found["records"]) == ("shopsphere.test.", ['0 issue ";"', '0 issuewild ";"'])
    none = {**lab_config(), "shopsphere:certificateIssuers": []}
    assert not [each for each in of_kind(build("lab", none), "DnsRRset") if each["type"] == "CAA"]
    with pytest.raises(pulumi.RunError, match="certificateIssuers"):
        build("lab", {**lab_config(), "shopsphere:certificateIssuers": ["ca.example; account=1"]})
