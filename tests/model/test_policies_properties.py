"""What holds for all inputs: who may hold whose data, written by hand, and that no damage lets a resource through."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from policy_cases import kubernetes as k8s
from policy_cases.declared import REMOVED, UNKNOWN, Declared
from policy_cases.judging import RULES, cases, told_to_the_engine, verdict

from policies.rule import StackRule
from shopsphere.estate.placement import SITE_LABEL

# What follows is the requirements' own list, never taken from topology.yaml or from the code that is judged.
HOME = {"frankfurt": "eu", "dublin": "eu", "ashburn": "us", "chicago": "us", "singapore": "apac", "sydney": "apac",
        "newyork": "headquarters"}  # fmt: skip
ADDRESSES = {"frankfurt": "10.99.0.11", "dublin": "10.99.0.12", "ashburn": "10.99.0.21", "chicago": "10.99.0.22",
             "singapore": "10.99.0.31", "sydney": "10.99.0.32", "newyork": "10.99.0.40"}  # fmt: skip
REGIONAL = ("personal", "payment", "fulfilment")
SITES, JURISDICTIONS = tuple(HOME), tuple(dict.fromkeys(HOME.values()))
PLACEMENTS = [
    ("personal", "eu", "frankfurt", True),
    ("personal", "eu", "dublin", True),
    ("personal", "eu", "ashburn", False),
    ("personal", "us", "frankfurt", False),
    ("personal", "headquarters", "newyork", False),
    ("payment", "us", "chicago", True),
    ("payment", "us", "singapore", False),
    ("payment", "apac", "newyork", False),
    ("fulfilment", "apac", "sydney", True),
    ("fulfilment", "apac", "dublin", False),
    ("aggregate", "headquarters", "newyork", True),
    ("aggregate", "eu", "frankfurt", False),
    ("aggregate", "eu", "newyork", False),
    ("public", "us", "ashburn", True),
    ("public", "headquarters", "newyork", True),
    ("public", "us", "dublin", False),
    ("operational", "apac", "singapore", True),
    ("operational", "eu", "newyork", False),
]
"""Class, jurisdiction that its label names, site, and whether that may be."""
JUNK: tuple[Any, ...] = (None, True, -1.0, 1.5, "", "junk", [], {}, [None], ["x"], {"x": None}, UNKNOWN)
sites = st.sampled_from(SITES)
FEW = settings(max_examples=60)


@pytest.mark.requirement("personal, payment and fulfilment data stay at the two sites of their jurisdiction")
@pytest.mark.parametrize(("data_class", "jurisdiction", "site", "is_allowed"), PLACEMENTS)
def test_who_may_hold_whose_data(data_class: str, jurisdiction: str, site: str, *, is_allowed: bool) -> None:
    namespace = k8s.NAMESPACE.but("metadata", "labels", k8s.labels(data_class, site, jurisdiction))
    assert (verdict(RULES["RES-003"], namespace) == []) is is_allowed


@FEW
@given(st.sampled_from(REGIONAL), st.sampled_from(JURISDICTIONS), sites)
def test_regional_data_is_at_home_or_refused(data_class: str, jurisdiction: str, site: str) -> None:
    namespace = k8s.NAMESPACE.but("metadata", "labels", k8s.labels(data_class, site, jurisdiction))
    at_home = HOME[site] == jurisdiction != "headquarters"
    assert (verdict(RULES["RES-003"], namespace) == []) is at_home


@FEW
@given(sites, sites)
def test_a_database_replicates_at_home_or_is_refused(site: str, peer: str) -> None:
    outside = [k8s.external(peer, ADDRESSES[peer])]
    database = (
        k8s.DATABASE.but("metadata", "name", f"ledger-{site}")
        .but("metadata", "labels", SITE_LABEL, site)
        .but("spec", {"externalClusters": outside, "replica": {"source": f"ledger-{peer}"}})
    )
    assert (verdict(RULES["RES-010"], database) == []) is (HOME[site] == HOME[peer])


@FEW
@given(sites, sites)
def test_storage_binds_at_its_own_site_or_is_refused(site: str, storage: str) -> None:
    claim = k8s.CLAIM.but("metadata", "labels", SITE_LABEL, site).but("spec", "storageClassName", f"{storage}-pinned")
    volume = k8s.VOLUME.but("metadata", "labels", SITE_LABEL, site).but("spec", "storageClassName", f"{site}-pinned")
    terms = [{"matchExpressions": [k8s.at_site(storage)]}]
    volume = volume.but("spec", "nodeAffinity", "required", "nodeSelectorTerms", terms)
    assert (verdict(RULES["RES-005"], claim) == []) is (site == storage)
    assert (verdict(RULES["RES-005"], volume) == []) is (site == storage)


def paths(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a document, from the outside."""
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in children:
        yield (*path, key)
        yield from paths(child, (*path, key))


def good_resources() -> Iterator[tuple[str, Declared]]:
    """Every resource of the good cases, with the rule that they are cases of."""
    for rule in RULES.values():
        for declared in cases(rule).GOOD.values():
            yield from ((rule.id, each) for each in (declared if isinstance(declared, list) else [declared]))


@pytest.mark.parametrize("junk", JUNK, ids=repr)
def test_no_damage_makes_a_rule_fail_or_leak_an_unknown(junk: Any) -> None:
    """A rule that raised would give the engine an advisory, or no verdict at all."""
    for rule_id, resource in good_resources():
        rule = RULES[rule_id]
        for path in paths(resource.props):
            damaged = resource.but(*path, junk)
            stack = [damaged] if isinstance(rule, StackRule) else damaged
            assert told_to_the_engine(rule, stack) == verdict(rule, stack), path


@pytest.mark.parametrize(
    "resource", [k8s.NAMESPACE, k8s.DEPLOYMENT, k8s.CLAIM, k8s.VOLUME, k8s.DATABASE], ids=lambda each: each.token
)
def test_removing_any_residency_label_is_refused(resource: Declared) -> None:
    labels = [path for path in paths(resource.props) if str(path[-1]).startswith("shopsphere.io/") and "labels" in path]
    assert len(labels) >= 4
    for path in labels:
        assert verdict(RULES["RES-001"], resource.but(*path, REMOVED)), path
