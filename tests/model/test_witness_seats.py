"""Where each pair's voters sit: as before for three regions, and an odd number whatever is added."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from lab.witness import witness_component
from runbooks.agent.config import Margins
from shopsphere.estate import stack_files
from shopsphere.estate.stack import Environment, edge_stack
from shopsphere.estate.witness_seats import change_ms, client_urls, peer_url, ports, quickest_peers, seats
from shopsphere.foundation.paths import REPOSITORY, TOPOLOGY_FILE
from shopsphere.topology import Pair, Topology, load_topology, parse_topology

TOPOLOGY = load_topology()
ADDRESSES = {
    "rdc-a": ["https://10.99.0.21:2480", "https://10.99.0.31:2480", "https://10.99.0.40:2480"],
    "rdc-b": ["https://10.99.0.11:2490", "https://10.99.0.40:2490", "https://10.99.0.31:2490"],
    "rdc-c": ["https://10.99.0.11:2500", "https://10.99.0.40:2500", "https://10.99.0.21:2500"],
}


def with_pairs(count: int) -> Topology:
    """Return the committed topology with so many pairs, in the order of the file."""
    document: dict[str, Any] = yaml.safe_load(TOPOLOGY_FILE.read_text())
    names = list(document["pairs"])
    for name in names[count:]:
        pair = document["pairs"].pop(name)
        gone = {pair["primary"], pair["recovery"]}
        document["sites"] = {site: facts for site, facts in document["sites"].items() if site not in gone}
        document["wan"]["rtt_ms"] = [
            each for each in document["wan"]["rtt_ms"] if not gone.intersection(each["between"])
        ]
        document["jurisdictions"] = {
            key: each for key, each in document["jurisdictions"].items() if not gone.intersection(each["sites"])
        }
    for number in range(len(names), count):
        primary, recovery = f"first{number}", f"second{number}"
        document["pairs"][f"rdc-{number}"] = {
            **document["pairs"]["rdc-a"],
            "primary": primary,
            "recovery": recovery,
            "storefront": {**document["pairs"]["rdc-a"]["storefront"], "order_prefix": f"{'ABCD'[number - 3]}A"},
        }
        document["jurisdictions"][f"new{number}"] = {
            "sites": [primary, recovery],
            "legal_basis": "One country, one law.",
            "client_networks": [f"10.200.{number}.0/24"],
        }
        for place, site in enumerate((primary, recovery), start=2 * number):
            document["sites"][site] = {
                **document["sites"]["frankfurt"],
                "address": f"10.99.1.{place}",
                "pod_network": f"10.2{place:02d}.0.0/17",
                "service_network": f"10.2{place:02d}.128.0/17",
            }
    return parse_topology(yaml.safe_dump(document, sort_keys=False))


@pytest.mark.requirement("the witness of a pair: headquarters and the two other regions")
def test_the_voters_of_three_regions() -> None:
    found = {name: seats(pair, TOPOLOGY) for name, pair in TOPOLOGY.pairs.items()}
    assert found == {
        "rdc-a": ("newyork", "ashburn", "singapore"),
        "rdc-b": ("newyork", "frankfurt", "singapore"),
        "rdc-c": ("newyork", "frankfurt", "ashburn"),
    }
    assert {name: ports(pair, TOPOLOGY) for name, pair in TOPOLOGY.pairs.items()} == {
        "rdc-a": (2480, 2481),
        "rdc-b": (2490, 2491),
        "rdc-c": (2500, 2501),
    }
    assert {name: list(client_urls(pair, TOPOLOGY)) for name, pair in TOPOLOGY.pairs.items()} == ADDRESSES


@pytest.mark.requirement("a new region takes no seat away from the witness of another, and moves no port")
@pytest.mark.parametrize("count", [4, 5, 6])
def test_more_regions(count: int) -> None:
    topology = with_pairs(count)
    assert len(topology.pairs) == count
    for name, addresses in ADDRESSES.items():
        assert list(client_urls(topology.pair(name), topology)) == addresses
    assert seats(topology.pair("rdc-3"), topology) == ("newyork", "frankfurt", "ashburn")
    assert ports(topology.pair("rdc-3"), topology) == (2510, 2511)


@pytest.mark.requirement("the number of voters is odd, and none sits inside the pair")
@pytest.mark.parametrize(("count", "voters"), [(1, 1), (2, 3), (3, 3), (4, 3), (6, 3)])
def test_an_odd_number_outside_the_pair(count: int, voters: int) -> None:
    topology = with_pairs(count)
    for pair in topology.pairs.values():
        found = seats(pair, topology)
        assert len(set(found)) == len(found) == voters
        assert not set(found) & set(pair.sites)


def test_two_regions_sit_at_both_sites_of_each_other() -> None:
    topology = with_pairs(2)
    assert seats(topology.pair("rdc-a"), topology) == ("newyork", "ashburn", "chicago")


@pytest.mark.requirement("runbooks and agents find the voters that the lab starts")
def test_the_lab_s_edge_is_told_the_addresses() -> None:
    told = stack_files.machine_facts(edge_stack(Environment.LAB))
    assert told["status:witness"] == ADDRESSES
    assert "status:witness" not in yaml.safe_load((REPOSITORY / "lab.base.yaml").read_text())["config"]


def test_production_has_a_place_for_every_voter() -> None:
    typed = yaml.safe_load((REPOSITORY / "Pulumi.prod.yaml").read_text())["config"]["status:witness"]
    assert {name: len(urls) for name, urls in typed.items()} == {
        name: len(seats(pair, TOPOLOGY)) for name, pair in TOPOLOGY.pairs.items()
    }


@pytest.mark.requirement("a voter lost is not felt: two elections are over before the active site shuts itself off")
@pytest.mark.parametrize("pair", TOPOLOGY.pairs.values(), ids=lambda pair: pair.name)
def test_two_elections_are_shorter_than_a_lease_is_good(pair: Pair) -> None:
    given = dict(
        word.removeprefix("--").split("=", 1)
        for word in witness_component(pair, "newyork", TOPOLOGY).command
        if word.startswith("--") and "=" in word
    )
    heartbeat, election = int(given["heartbeat-interval"]), int(given["election-timeout"])
    way = max(TOPOLOGY.rtt_ms(one, other) for one in seats(pair, TOPOLOGY) for other in seats(pair, TOPOLOGY))
    # A voter waits for one to two time-outs; the vote itself takes two round trips.
    assert 2 * (1.5 * election + 2 * way) < 1000 * Margins().fence_after
    assert election >= 5 * heartbeat
    assert election >= 6 * way, "slow answers are no loss"


def test_a_witness_of_one_voter_has_a_heartbeat() -> None:
    topology = with_pairs(1)
    command = witness_component(topology.pair("rdc-a"), "newyork", topology).command
    assert {"--heartbeat-interval=100", "--election-timeout=500"} <= set(command)


@pytest.mark.requirement("the voter leads a witness under which a change takes least, whichever region it is of")
@pytest.mark.parametrize(
    ("pair", "seat", "took"), [("rdc-a", "ashburn", 290), ("rdc-b", "frankfurt", 265), ("rdc-c", "frankfurt", 270)]
)
def test_the_quickest_lead(pair: str, seat: str, took: float) -> None:
    found = TOPOLOGY.pair(pair)
    assert quickest_peers(found, TOPOLOGY)[0] == peer_url(found, seat, TOPOLOGY)
    assert change_ms(found, seat, TOPOLOGY) == took
    others = [change_ms(found, each, TOPOLOGY) for each in seats(found, TOPOLOGY) if each != seat]
    assert min(others) > took
