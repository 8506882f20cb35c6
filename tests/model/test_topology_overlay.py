"""An environment has the names of topology.yaml, and may differ in what stands under them."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path

import pytest
import yaml

from cli import main as cli
from shopsphere.foundation.paths import REPOSITORY, TOPOLOGY_FILE
from shopsphere.topology import TopologyError, load_topology
from shopsphere.topology import overlay as topology_overlay
from shopsphere.topology.report import check


@pytest.fixture
def base(tmp_path: Path) -> Path:
    file = tmp_path / "topology.yaml"
    file.write_text(TOPOLOGY_FILE.read_text())
    return file


def overlay(base: Path, text: str) -> None:
    base.with_name("topology.prod.yaml").write_text(text)


def test_what_is_not_written_stays(base: Path) -> None:
    overlay(base, "sites: {frankfurt: {address: 198.51.100.7, public_address: 203.0.113.7}}\ndomain: shop.example\n")
    topology = load_topology(base, environment="prod")
    assert topology.domain == "shop.example"
    assert topology.site("frankfurt").address == IPv4Address("198.51.100.7")
    assert topology.site("frankfurt").faces_customers_at == IPv4Address("203.0.113.7")
    assert topology.site("frankfurt").racks == 8
    assert topology.site("dublin").faces_customers_at == IPv4Address("10.99.0.12")


def test_another_environment_is_not_changed(base: Path) -> None:
    overlay(base, "domain: shop.example\n")
    assert load_topology(base, environment="lab") == load_topology(base) == load_topology()


def test_a_list_is_replaced(base: Path) -> None:
    overlay(base, "jurisdictions: {eu: {client_networks: [198.51.100.0/24]}}\n")
    topology = load_topology(base, environment="prod")
    assert [str(each) for each in topology.jurisdictions["eu"].client_networks] == ["198.51.100.0/24"]


def test_placeholders_are_named_with_their_lines(base: Path) -> None:
    overlay(base, "domain: shop.example\nsites:\n  dublin: {address: REPLACE_ME}\n  ashburn: {address: REPLACE_ME}\n")
    with pytest.raises(TopologyError) as raised:
        load_topology(base, environment="prod")
    assert [(each.path, each.line) for each in raised.value.problems] == [
        ("sites.dublin.address", 3),
        ("sites.ashburn.address", 4),
    ]


@pytest.mark.requirement("one message names all that production still needs, in the topology and in the stack files")
def test_all_that_is_left_to_fill_in_is_named_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    committed = REPOSITORY / "topology.prod.yaml"
    monkeypatch.setattr(topology_overlay, "overlay_file", lambda *_: committed)
    assert cli.run(["preview", "rdc-a", "-e", "prod"]) == 1
    told = capsys.readouterr().err
    lines = [line.removeprefix("  found:").strip() for line in told.splitlines()]
    files = ["topology.prod.yaml", "Pulumi.prod-dublin.yaml", "Pulumi.prod-frankfurt.yaml", "Pulumi.prod.yaml"]
    assert [next(name for name in files if f"{name}: " in line) for line in lines if ".yaml: " in line] == files
    topology, dublin = (next(line for line in lines if f"{name}: " in line) for name in files[:2])
    assert "domain (line 3)" in topology
    assert topology.count("(line ") == committed.read_text().split("\ndomain", 1)[1].count("REPLACE_ME")
    assert "config.shopsphere:kubeconfig" in dublin
    assert "config.shopsphere:sessionSecret" not in dublin, "`up` makes it"
    assert "ashburn.yaml" not in told, "that is another region's"


def test_an_unknown_target_is_said_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topology_overlay, "overlay_file", lambda *_: REPOSITORY / "topology.prod.yaml")
    assert cli.run(["preview", "atlantis", "-e", "prod"]) == 2


def test_both_sites_of_a_region_are_named_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["preview", "rdc-a", "-e", "prod"]) == 1
    told = capsys.readouterr().err
    assert "Pulumi.prod-dublin.yaml: " in told
    assert "Pulumi.prod-frankfurt.yaml: " in told


def test_check_says_which_environment_is_ready_and_which_is_not(base: Path) -> None:
    overlay(base, "sites:\n  dublin: {address: REPLACE_ME, public_address: REPLACE_ME}\n")
    base.with_name("topology.test.yaml").write_text("sites: {dublin: {kilowatts: 100}}\n")
    first, prod, test = check(base).splitlines()
    assert first.startswith(f"{base}: ok, 7 sites")
    assert prod == f"{base.parent}/topology.prod.yaml: not filled in, 2 times REPLACE_ME; prod needs it"
    assert test.startswith(f"{base.parent}/topology.test.yaml: ok, 7 sites")


def test_check_refuses_a_wrong_environment(base: Path) -> None:
    overlay(base, "sites: {dublin: {racks: none}}\n")
    with pytest.raises(TopologyError, match=r"topology\.prod\.yaml:1: sites\.dublin\.racks"):
        check(base)


def test_the_example_has_every_site_and_jurisdiction() -> None:
    example = yaml.safe_load(TOPOLOGY_FILE.with_name("topology.prod.yaml").read_text())
    topology = load_topology()
    assert (set(example["sites"]), set(example["jurisdictions"])) == (set(topology.sites), set(topology.jurisdictions))


def test_a_name_that_topology_does_not_have_is_refused(base: Path) -> None:
    overlay(base, "sites:\n  munich: {address: 198.51.100.7}\n")
    with pytest.raises(TopologyError, match=r"topology\.prod\.yaml:2: sites\.munich"):
        load_topology(base, environment="prod")


def test_a_wrong_value_is_shown_in_the_overlay(base: Path) -> None:
    overlay(base, "domain: shop.example\nsites: {dublin: {racks: none}}\n")
    with pytest.raises(TopologyError, match=r"topology\.prod\.yaml:2: sites\.dublin\.racks"):
        load_topology(base, environment="prod")


def test_what_two_files_say_together_is_checked(base: Path) -> None:
    overlay(base, "sites: {dublin: {address: 10.99.0.11}}\n")
    with pytest.raises(TopologyError, match=r"10\.99\.0\.11"):
        load_topology(base, environment="prod")
