"""Where the lab's data may be: no site, no database, no voter and no folder is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import record, residency
from lab.hosts import load_hosts
from lab.residency import searched
from shopsphere.residency.places import (
    CacheSpec,
    DatabaseSpec,
    EtcdSpec,
    FolderSpec,
    LinksSpec,
    ObjectsSpec,
    PlaceSpec,
    ZonesSpec,
)
from shopsphere.residency.proving import Searched
from shopsphere.residency.searcher import Request
from shopsphere.residency.tokens import Token
from shopsphere.topology import load_topology

TOPOLOGY = load_topology(environment="lab")
HOSTS = load_hosts(TOPOLOGY)
JURISDICTIONS = {
    "frankfurt": "eu", "dublin": "eu", "ashburn": "us", "chicago": "us", "singapore": "apac", "sydney": "apac",
    "newyork": "headquarters",
}  # fmt: skip


@pytest.fixture(autouse=True)
def lab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path))
    record.add_regions([*TOPOLOGY.pairs, "hq"])
    for folder in ("etcd", "kubelet", "volumes", "var-log", "something-new"):
        (tmp_path / "hosts/ashburn/disk" / folder).mkdir(parents=True)
    for owner in ("eu", "us", "edge"):
        (tmp_path / "pulumi/state" / owner).mkdir(parents=True)
    return tmp_path


def found() -> dict[tuple[str, str], Searched]:
    return {(each.at, each.jurisdiction): each for each in searched(TOPOLOGY, HOSTS)}


def places(site: str) -> tuple[PlaceSpec, ...]:
    return found()[site, JURISDICTIONS[site]].places


def named(site: str, kind: type) -> list[str]:
    return [each.name for each in places(site) if isinstance(each, kind)]


@pytest.mark.requirement("every site, headquarters, the CDN and the edge are searched")
def test_every_host_with_data_is_searched() -> None:
    everywhere = {(site, owner) for site, owner in JURISDICTIONS.items()} | {("edge", ""), ("operator", "")}  # noqa: C416
    everywhere |= {("archive-eu", "eu"), ("archive-us", "us"), ("archive-apac", "apac")}
    assert set(found()) == everywhere | {("operator", "eu"), ("operator", "us")}
    listed = [each for each in searched(TOPOLOGY, HOSTS) if each.at == "operator" and not each.jurisdiction]
    names = [place.name for each in listed for place in each.places]
    assert names == ["records of runs and the audit chain", "log of the network", "Pulumi state of edge"]


@pytest.mark.parametrize("site", JURISDICTIONS)
def test_what_is_searched_at_a_site(site: str) -> None:
    assert isinstance(places(site)[0], LinksSpec), "it has to listen while customers order"
    assert named(site, DatabaseSpec) == ([] if site == "newyork" else ["database commerce", "database ledger"])
    assert named(site, ObjectsSpec) == ["objects of the cluster"]
    assert "keys of the cluster's etcd" in named(site, EtcdSpec)


def test_every_voter_of_every_witness_is_searched_where_it_sits() -> None:
    voters = {site: [name for name in named(site, EtcdSpec) if "witness" in name] for site in JURISDICTIONS}
    assert {site: len(names) for site, names in voters.items()} == {
        "frankfurt": 2, "dublin": 0, "ashburn": 2, "chicago": 0, "singapore": 2, "sydney": 0, "newyork": 3,
    }  # fmt: skip


def test_each_folder_of_a_disk_is_a_place_also_one_that_nobody_has_thought_of(lab: Path) -> None:
    folders = {each.name: each for each in places("ashburn") if isinstance(each, FolderSpec)}
    disk = lab / "hosts/ashburn/disk"
    assert {name: each.path for name, each in folders.items()} == {
        "files of etcd": disk / "etcd",
        "files of kubelet": disk / "kubelet",
        "files of something-new": disk / "something-new",
        "files of var-log": Path("/var/log"),
        "files of volumes": Path("/srv/volumes"),
        "files beside these": disk,
        "logs of the host's programs": lab / "hosts/ashburn/log",
    }
    assert not folders["files beside these"].deep


def test_links_are_those_that_leave_the_jurisdiction() -> None:
    (links,) = [each for each in places("frankfurt") if isinstance(each, LinksSpec)]
    assert set(links.foreign) == {
        "10.99.0.21", "10.99.0.22", "10.99.0.31", "10.99.0.32", "10.99.0.40",
        "10.99.0.62", "10.99.0.63",
        "10.99.0.52", "10.99.0.53", "10.99.0.54", "10.99.0.80",
    }  # fmt: skip


def test_the_edge_is_searched_in_its_zones_its_cache_and_its_files() -> None:
    edge = found()["edge", ""]
    zones = [each for each in edge.places if isinstance(each, ZonesSpec)]
    assert [each.url for each in zones] == ["http://127.0.0.1:8091", "http://127.0.0.1:8092"]
    assert [each.host for each in edge.places if isinstance(each, CacheSpec)] == ["static.shopsphere.test"]


def test_a_request_can_be_carried_to_its_host_and_back() -> None:
    for each in searched(TOPOLOGY, HOSTS):
        request = Request(
            at=each.at,
            jurisdiction=each.jurisdiction,
            since=0,
            seconds=60,
            tokens=(Token(name="eu/name", jurisdiction="eu", value="qvzkxjwypfhmdulrostnae"),),
            places=each.places,
        )
        assert Request.model_validate_json(request.model_dump_json()) == request


def test_the_operators_own_places_are_searched_on_this_machine(lab: Path) -> None:
    state = lab / "pulumi/state/us"
    (state / "stack.json").write_text('{"note": "qvzkxjwypfhmdulrostnae"}')
    request = Request.model_validate(
        {
            "at": "operator", "jurisdiction": "us", "since": 0, "seconds": 60,
            "tokens": [{"name": "eu/name", "jurisdiction": "eu", "value": "qvzkxjwypfhmdulrostnae"}],
            "places": [{"how": "folder", "name": "Pulumi state of us", "path": str(state)}],
        }
    )  # fmt: skip
    (report,) = residency.search(request, 300)
    assert [each.token for each in report.leaks] == ["eu/name"]


def test_customers_are_planted_where_a_shop_runs() -> None:
    assert residency.running_jurisdictions(TOPOLOGY) == ["eu", "us", "apac"]
