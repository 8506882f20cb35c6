"""Each way by which a class would leave its jurisdiction is found, with its path; a fleet where none leaves has none.

The paths are written by hand: where the data begins, by what it goes, and where it must not come.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from fleet_by_hand import (
    block,
    by_hand,
    distribution,
    found_in,
    member,
    opens,
    program,
    rrset,
    with_planted,
)
from fleet_planted import (
    COMMERCE_EU,
    DUBLIN_STORE,
    KUBECONFIG,
    archive,
    node_port,
    settings,
    volume,
)
from fleet_seeded_databases import DATABASES
from fleet_seeded_programs import PROGRAMS

from policies.fleet.flow import Fleet, Flow, Kind, Store
from policies.fleet.paths import leaks
from policies.fleet.rules import BY_KIND, FLEET_RULES
from shopsphere.topology import load_topology

SEEDED = {**DATABASES, **PROGRAMS}


@pytest.mark.requirement("the fleet check tells the path by which a class of data would leave its jurisdiction")
@pytest.mark.parametrize("name", SEEDED)
def test_what_leaves_is_found_with_its_path(name: str) -> None:
    planted, rule, path = SEEDED[name]
    found = {(BY_KIND[leak.last.kind].id, leak.path) for leak in found_in(with_planted(*planted))}
    assert (rule, path) in found, found


def test_every_rule_finds_something() -> None:
    assert len(SEEDED) >= 15
    assert {rule for _, rule, _ in SEEDED.values()} == {rule.id for rule in FLEET_RULES}


@pytest.mark.requirement("a fleet from which nothing leaves gives no finding")
def test_nothing_leaves_a_clean_fleet() -> None:
    assert found_in(by_hand()) == []


LAWFUL = {
    "a backup at the recovery site": [
        member("commerce", "frankfurt", "dublin", backup={"barmanObjectStore": archive("s3://b", DUBLIN_STORE)}),
    ],
    "a restore at the recovery site": [
        member("commerce", "frankfurt", "dublin", backup={"barmanObjectStore": archive("s3://b", DUBLIN_STORE)}),
        member(
            "commerce",
            "dublin",
            "frankfurt",
            externalClusters=[{"name": "old", "barmanObjectStore": archive("s3://b", DUBLIN_STORE)}],
        ),
    ],
    "logs to the other site of the pair": [
        program("frankfurt", "shop", "personal", LOG_TARGET="tcp://dublin.shopsphere.test:30514"),
        node_port("dublin", "forwarder", 30514),
        program("dublin", "forwarder", "operational"),
    ],
    "health of a site to headquarters, of what reads nothing": [
        program("dublin", "monitor", "operational", TARGET="https://health.newyork.shopsphere.test"),
        opens("dublin", "monitor", block("10.99.0.40/32")),
    ],
    "aggregates at headquarters": [program("newyork", "report", "aggregate", SELF="https://10.99.0.40/")],
    "aggregates from a site to headquarters": [
        program("dublin", "sums", "aggregate", TARGET="https://10.99.0.40/"),
        opens("dublin", "sums", block("10.99.0.40/32")),
    ],
    "public data by the CDN": [distribution("/static/pictures/", origin="sydney")],
    "a share at the site": [volume("dublin", nfs={"server": "10.99.0.12", "path": "/v9"})],
    "the kubeconfig of one's own site": [settings("dublin", "shop", config=KUBECONFIG)],
    "a text record": [rrset("_acme.shopsphere.test.", "TXT", "token")],
}


@pytest.mark.parametrize("name", LAWFUL)
def test_what_stays_is_no_finding(name: str) -> None:
    assert [leak.path for leak in found_in(with_planted(*LAWFUL[name]))] == []


@pytest.mark.requirement("a label that names another class hides nothing: the class follows from what is read")
def test_a_lowered_label_hides_nothing() -> None:
    lowered = program(
        "frankfurt", "crm", "public", DSN="postgresql://c@c.data-commerce.svc/c", TO="https://10.99.0.40/"
    )
    assert [leak.path for leak in found_in(with_planted(lowered))] == [
        f"{COMMERCE_EU} -> read -> crm at frankfurt -> export -> newyork"
    ]


def test_one_way_out_is_told_once_for_each_class() -> None:
    """The shop holds its customers' data and what payments answer."""
    planted = opens("frankfurt", "shop", block("10.99.0.40/32"), name="hq")
    assert sorted((leak.data_class, leak.jurisdiction) for leak in found_in(with_planted(planted))) == [
        ("payment", "eu"),
        ("personal", "eu"),
    ]


def test_a_copy_without_an_original_is_where_a_path_begins() -> None:
    there = {"site": "dublin", "classes": frozenset({"payment"}), "jurisdiction": "eu"}
    copy, away = Store("copy", is_copy=True, **there), Store("away")  # type: ignore[arg-type]
    original = Store("original", **there)  # type: ignore[arg-type]
    out = Flow(copy, away, Kind.EXPORT, by_hand()["lab"][0], "spec")
    copied = replace(out, source=original, target=copy, kind=Kind.REPLICATION)
    model = load_topology()
    assert [leak.path for leak in leaks(Fleet([copy, away], [out]), model)] == ["copy (payment, eu) -> export -> away"]
    assert [leak.path for leak in leaks(Fleet([copy, original, away], [out, copied]), model)] == [
        "original (payment, eu) -> replication -> copy -> export -> away"
    ]


def test_of_two_ways_of_one_length_that_from_the_database_is_told() -> None:
    """One declaration lets two stores out to the same place: a message names where most of the data is."""
    there = {"site": "dublin", "classes": frozenset({"payment"}), "jurisdiction": "eu"}
    program_, database = Store("program", **there), Store("database", is_database=True, **there)  # type: ignore[arg-type]
    away = Store("away")
    out = Flow(program_, away, Kind.EXPORT, by_hand()["lab"][0], "spec")
    for order in ([program_, database, away], [database, program_, away]):
        (leak,) = leaks(Fleet(order, [out, replace(out, source=database)]), load_topology())
        assert leak.path == "database (payment, eu) -> export -> away"
        assert leak.sites == {"dublin"}, "away is at no site"


def test_a_member_that_no_stack_declares_is_a_database_all_the_same() -> None:
    stacks = by_hand()
    del stacks["lab-frankfurt"]
    stacks["lab-newyork"].append(member("ledger", "newyork", "frankfurt"))
    undeclared = "ledger-frankfurt at frankfurt, which no stack declares"
    assert {leak.path for leak in found_in(stacks)} == {
        f"{undeclared} (payment, eu) -> replication -> ledger-newyork",
        f"ledger-newyork (payment, headquarters) -> replication -> {undeclared}",
    }
