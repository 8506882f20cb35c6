"""Adding a region writes all that can be written, or nothing, and keeps what people wrote."""

from __future__ import annotations

import fcntl
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from shopsphere.estate import adding_region
from shopsphere.estate.new_region import NewRegion, NewRegionError, NewSite
from shopsphere.estate.new_region_stacks import emptied
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.files import write_whole
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.topology import TopologyError, load_topology
from shopsphere.topology.insertion import InsertionError, appended, lengthened

JAPAN = NewRegion(
    name="rdc-d",
    primary=NewSite("Tokyo", "JP"),
    recovery=NewSite("Ōsaka", "JP"),
    rtt_ms=9,
    jurisdiction="japan",
    legal_basis="One country and one law, the APPI: nothing is transferred abroad.",
    title="Japan",
    language="ja-JP",
    currency="JPY",
    currency_sign="¥",
    minor_digits=0,
    price_factor=165,
    prices_include_tax=True,
    order_prefix="J",
    delivers_to={"JP": "Japan"},
)


PEOPLES = ("topology.yaml", "topology.prod.yaml", "Pulumi.prod.yaml")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a checkout with all that adding a region looks at."""
    for name in PEOPLES:
        shutil.copy(REPOSITORY / name, tmp_path / name)
    # Without the machine's own files: they are links, and a test that writes through one changes the lab.
    own = shutil.ignore_patterns("Pulumi.lab-*.yaml")
    shutil.copytree(REPOSITORY / "stacks" / "rdc-c", tmp_path / "stacks" / "rdc-c", ignore=own)
    (tmp_path / "docs").mkdir()
    shutil.copy(REPOSITORY / "docs" / "architecture.svg", tmp_path / "docs")
    return tmp_path


def state_of(root: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in sorted(root.rglob("*")) if file.is_file()}


@pytest.mark.requirement("`region add` writes topology.yaml and the stack files of a new region")
def test_a_region_is_added(root: Path) -> None:
    wanted = adding_region.draft(JAPAN, root)
    adding_region.write(wanted)
    topology = load_topology(root / "topology.yaml")
    pair = topology.pair("rdc-d")
    assert (pair.sites, pair.jurisdiction, pair.dns_ttl_seconds) == (("tokyo", "osaka"), "japan", 5)
    assert (pair.storefront.currency, pair.storefront.language) == ("JPY", "ja-JP")
    assert (pair.storefront.shipping_minor, pair.storefront.free_shipping_from_minor) == (974, 16335)
    assert topology.currency("JPY").minor_digits == 0
    assert [str(topology.site(site).address) for site in pair.sites] == ["10.99.0.41", "10.99.0.42"]
    assert str(topology.site("osaka").service_network) == "10.42.128.0/17"
    assert [str(each) for each in topology.jurisdictions["japan"].client_networks] == ["10.99.112.0/20"]
    assert topology.rtt_ms("tokyo", "osaka") == 9
    assert topology.site("osaka").city == "Ōsaka"
    assert {file.name for file in (root / "stacks" / "rdc-d").iterdir()} == {
        *("Pulumi.yaml", "__main__.py", "lab-tokyo.base.yaml", "lab-osaka.base.yaml"),
        *("Pulumi.prod-tokyo.yaml", "Pulumi.prod-osaka.yaml"),
    }
    assert "Tokyo, JP" in (root / "docs" / "architecture.svg").read_text()


def test_what_people_wrote_stays_as_it_was(root: Path) -> None:
    before = {name: (root / name).read_text().splitlines() for name in PEOPLES}
    adding_region.write(adding_region.draft(JAPAN, root))
    for name, lines in before.items():
        after = iter((root / name).read_text().splitlines())
        assert all(line in after for line in lines), f"{name} lost a line or changed the order"


def test_stack_files_name_the_new_sites_and_no_other(root: Path) -> None:
    adding_region.write(adding_region.draft(JAPAN, root))
    for file in (root / "stacks" / "rdc-d").iterdir():
        text = file.read_text().lower()
        assert not [old for old in ("rdc-c", "singapore", "sydney", "10.99.0.3") if old in text], file.name
    project = yaml.safe_load((root / "stacks" / "rdc-d" / "Pulumi.yaml").read_text())
    assert (project["name"], project["description"]) == ("rdc-d", "RDC-D: Tokyo, and Ōsaka to recover to")
    lab = yaml.safe_load((root / "stacks" / "rdc-d" / "lab-osaka.base.yaml").read_text())["config"]
    assert lab["shopsphere:context"] == "osaka"


def test_production_has_places_to_fill_in(root: Path) -> None:
    wanted = adding_region.draft(JAPAN, root)
    adding_region.write(wanted)
    edge = yaml.safe_load((root / "Pulumi.prod.yaml").read_text())["config"]
    assert edge["status:witness"]["rdc-d"] == ["REPLACE_ME"] * 3
    assert "shopsphere:siteAddresses" not in edge
    there = yaml.safe_load((root / "topology.prod.yaml").read_text())
    assert there["jurisdictions"]["japan"] == {"client_networks": ["REPLACE_ME"]}
    assert there["sites"]["osaka"] == {"address": "REPLACE_ME", "public_address": "REPLACE_ME"}
    assert any("legal basis of japan" in each for each in wanted.by_hand)
    assert any("10.99.0.41" in each for each in wanted.by_hand)
    assert any("add `archive` to japan" in each for each in wanted.by_hand)


def test_new_sites_take_no_address_of_an_archive(root: Path) -> None:
    file = root / "topology.yaml"
    file.write_text(file.read_text().replace("address: 10.99.0.61,", "address: 10.99.0.42,"))
    adding_region.write(adding_region.draft(JAPAN, root))
    topology = load_topology(file)
    assert [str(topology.site(site).address) for site in topology.pair("rdc-d").sites] == ["10.99.0.51", "10.99.0.52"]


FILLED = """\
secretsprovider: awskms://key
encryptedkey: AQI=
config:
  shopsphere:stateBackend: s3://state-of-apac # storage
  shopsphere:kubeconfig: /etc/kube
  shopsphere:siteAgent: 203.0.113.7
  shopsphere:images: # in a registry of this site's jurisdiction
    shop: registry.sg.example/shopsphere/shop:0.1.0
  shopsphere:volumes:
    - {name: v1, path: /srv/v1, capacity: 500Gi, dataClass: personal}
  shopsphere:workloads:
    shop: {replicas: 4, cpu: "2", memory: 1Gi}
  shopsphere:pspNetworks: [192.0.2.0/24]
  shopsphere:sessionSecret:
    secure: v1:abc:def
"""


@pytest.mark.requirement("nothing that one owner's site keeps to itself gets into another's stack file")
def test_a_filled_in_file_is_emptied() -> None:
    found = yaml.safe_load(emptied(FILLED))
    assert found == {
        "config": {
            "shopsphere:stateBackend": "REPLACE_ME",
            "shopsphere:kubeconfig": "REPLACE_ME",
            "shopsphere:siteAgent": "REPLACE_ME",
            "shopsphere:images": {"shop": "REPLACE_ME/shopsphere/shop:0.1.0"},
            "shopsphere:volumes": [{"name": "v1", "path": "REPLACE_ME", "capacity": "500Gi", "dataClass": "personal"}],
            "shopsphere:workloads": {"shop": {"replicas": 4, "cpu": "2", "memory": "1Gi"}},
            "shopsphere:pspNetworks": ["REPLACE_ME"],
            "shopsphere:sessionSecret": "REPLACE_ME",
        }
    }


@pytest.mark.parametrize("name", ["Pulumi.prod-singapore.yaml", "Pulumi.prod-sydney.yaml"])
def test_an_example_is_empty_already(name: str) -> None:
    text = (REPOSITORY / "stacks" / "rdc-c" / name).read_text()
    assert emptied(text) == text


def test_a_machine_s_own_file_is_not_taken(root: Path) -> None:
    (root / "stacks" / "rdc-c" / "Pulumi.lab-sydney.yaml").write_text("config: {secret: x}\n")
    assert not [name for name in adding_region.draft(JAPAN, root).stacks if name.startswith("Pulumi.lab-")]


@pytest.mark.requirement("a second pair in a jurisdiction, with a currency that is there")
def test_a_region_in_a_jurisdiction_that_is_there(root: Path) -> None:
    second = replace(
        JAPAN, primary=NewSite("Paris", "FR"), recovery=NewSite("Madrid", "ES"), jurisdiction="eu", legal_basis="",
        currency="EUR", order_prefix="F", title="South",
    )  # fmt: skip
    wanted = adding_region.draft(second, root)
    adding_region.write(wanted)
    topology = load_topology(root / "topology.yaml")
    assert topology.jurisdictions["eu"].sites == ("frankfurt", "dublin", "paris", "madrid")
    assert topology.pair("rdc-d").storefront.shipping_minor == 590
    assert list(topology.currencies) == ["EUR", "USD", "SGD"]
    assert "Customers of eu are led to rdc-a, its first pair, not to rdc-d." in wanted.by_hand


BAD: dict[str, tuple[dict[str, object], type[ShopSphereError], str]] = {
    "a pair that is there": ({"name": "rdc-a"}, NewRegionError, "there is such a pair"),
    "a name unfit for DNS": ({"name": "RDC_D"}, TopologyError, "match pattern"),
    "a site that is there": ({"primary": NewSite("Dublin", "IE")}, NewRegionError, "dublin"),
    "one city twice": ({"recovery": NewSite("Tōkyō", "JP")}, NewRegionError, "tokyo twice"),
    "a new jurisdiction without a legal basis": ({"legal_basis": " "}, NewRegionError, "--legal-basis"),
    "a legal basis that says nothing": ({"legal_basis": "law"}, TopologyError, "at least 10"),
    "a new currency without a factor": ({"price_factor": 0.0}, NewRegionError, "--price-factor"),
    "a currency that is none": ({"currency": "yen"}, TopologyError, "match pattern"),
    "a language that is none": ({"language": "Japanese"}, TopologyError, "language"),
    "a country that is none": ({"delivers_to": {"Japan": "Japan"}}, TopologyError, "delivers_to"),
    "an order prefix that is taken": ({"order_prefix": "E"}, TopologyError, "also that of rdc-a"),
    "a round trip of nothing": ({"rtt_ms": 0}, TopologyError, "greater than 0"),
}


@pytest.mark.requirement("bad input is refused before anything is written")
@pytest.mark.parametrize("case", BAD)
def test_bad_input_writes_nothing(root: Path, case: str) -> None:
    changes, error, said = BAD[case]
    before = state_of(root)
    with pytest.raises(error, match=said):
        adding_region.draft(replace(JAPAN, **changes), root)  # type: ignore[arg-type]
    assert state_of(root) == before


def test_words_stay_words(root: Path) -> None:
    adding_region.write(adding_region.draft(replace(JAPAN, title='Ja"pan: {x}', delivers_to={"NO": "Norway"}), root))
    shop = load_topology(root / "topology.yaml").pair("rdc-d").storefront
    assert (shop.title, shop.delivers_to) == ('Ja"pan: {x}', {"NO": "Norway"})


def test_a_region_is_added_once(root: Path) -> None:
    adding_region.write(adding_region.draft(JAPAN, root))
    before = state_of(root)
    with pytest.raises(NewRegionError, match="there is such a pair"):
        adding_region.draft(JAPAN, root)
    assert state_of(root) == before


def test_a_folder_in_the_way_is_left_alone(root: Path) -> None:
    (root / "stacks" / "rdc-d").mkdir()
    with pytest.raises(NewRegionError, match="an earlier try"):
        adding_region.draft(JAPAN, root)


@pytest.mark.requirement("nothing is left half done")
@pytest.mark.parametrize("last", ["Pulumi.yaml", "Pulumi.prod.yaml", "topology.yaml"])
def test_a_failure_in_between_leaves_nothing(root: Path, monkeypatch: pytest.MonkeyPatch, last: str) -> None:
    before = state_of(root)
    failed: list[Path] = []

    def fail_once(file: Path, text: str) -> None:
        if file.name == last and not failed:
            failed.append(file)
            raise OSError("no space left on device")
        write_whole(file, text)

    monkeypatch.setattr(adding_region, "write_whole", fail_once)
    with pytest.raises(OSError, match="no space"):
        adding_region.write(adding_region.draft(JAPAN, root))
    assert failed
    assert state_of(root) == before


@pytest.mark.requirement("two that add a region at once do not meet")
def test_a_second_one_at_once_is_refused(root: Path) -> None:
    korea = replace(JAPAN, name="rdc-e", primary=NewSite("Seoul", "KR"), recovery=NewSite("Busan", "KR"))
    first, second = (adding_region.draft(each, root) for each in (JAPAN, korea))
    before = state_of(root)
    descriptor = os.open(root / "stacks", os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(NewRegionError, match="another region is being added"):
        adding_region.write(first)
    os.close(descriptor)
    assert state_of(root) == before
    adding_region.write(first)
    after = state_of(root)
    with pytest.raises(NewRegionError, match=r"changed: .*topology\.yaml"):
        adding_region.write(second)
    assert state_of(root) == after


@pytest.mark.requirement("what is taken back is what this run has made, and nothing of anybody else")
def test_what_others_wrote_meanwhile_stays(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = state_of(root)
    note, production = root / "stacks" / "rdc-d" / "note.txt", root / "Pulumi.prod.yaml"

    def meet_others(file: Path, text: str) -> None:
        if file.name == "topology.yaml":
            note.write_text("mine")
            production.write_text("config: {}\n")
            raise OSError("no space left on device")
        write_whole(file, text)

    monkeypatch.setattr(adding_region, "write_whole", meet_others)
    with pytest.raises(OSError, match="no space"):
        adding_region.write(adding_region.draft(JAPAN, root))
    assert state_of(root) == {**before, note: b"mine", production: b"config: {}\n"}


def test_a_topology_in_another_form_is_refused(root: Path) -> None:
    file = root / "topology.yaml"
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()), default_flow_style=True))
    with pytest.raises(InsertionError, match="nothing can be added"):
        adding_region.draft(JAPAN, root)


def test_lines_go_to_the_end_of_what_a_key_holds() -> None:
    text = "a:\n  x: 1\n\n  # of y\n  y: 2\n\n# of b\nb: # here\n  z: 3\n"
    assert appended(text, "a", ["  new: 0"], file="f") == text.replace("  y: 2\n", "  y: 2\n  new: 0\n")
    assert appended(text, "b", ["  new: 0"], file="f") == text + "  new: 0\n"
    with pytest.raises(InsertionError, match="0 of them"):
        appended(text, "c", ["  new: 0"], file="f")
    with pytest.raises(InsertionError, match="0 of them"):
        appended("a: {x: 1}\n", "a", ["  new: 0"], file="f")


def test_a_list_in_brackets_is_lengthened() -> None:
    assert lengthened("a:\n  sites: [x, y] # two\n", 2, "sites", ["z"], file="f") == "a:\n  sites: [x, y, z] # two\n"
    with pytest.raises(InsertionError, match="a list on one line"):
        lengthened("sites:\n  - x\n", 1, "sites", ["z"], file="f")
