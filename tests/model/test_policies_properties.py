"""What holds for all inputs: verdicts follow the residency map, and no damage lets a resource slip through."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from policy_cases import kubernetes as k8s
from policy_cases.declared import REMOVED, UNKNOWN, Declared
from policy_cases.judging import RULES, cases, verdict

from policies.registry import discover
from shopsphere.estate.placement import SITE_LABEL
from shopsphere.topology import HEADQUARTERS, load_topology

TOPOLOGY = load_topology()
SITES = list(TOPOLOGY.sites)
PLACES = list(product(TOPOLOGY.data_classes, [*TOPOLOGY.jurisdictions, HEADQUARTERS], SITES))
JUNK: tuple[Any, ...] = (None, True, -1.0, 1.5, "", "junk", [], {}, [None], ["x"], {"x": None}, UNKNOWN)


@pytest.mark.parametrize(("data_class", "jurisdiction", "site"), PLACES)
def test_placement_verdict_is_the_residency_map_s(data_class: str, jurisdiction: str, site: str) -> None:
    allowed = site in TOPOLOGY.sites_allowed(data_class, jurisdiction)
    namespace = k8s.NAMESPACE.but("metadata", "labels", k8s.labels(data_class, site, jurisdiction))
    at_home = jurisdiction == TOPOLOGY.jurisdiction_of(site)
    assert (verdict(RULES["RES-003"], namespace) == []) == (allowed and at_home)


@pytest.mark.parametrize(("site", "peer"), list(product(SITES, SITES)))
def test_replication_verdict_for_every_two_sites(site: str, peer: str) -> None:
    pair = TOPOLOGY.pair_of(site)
    inside = peer == site or (pair is not None and peer in pair.sites)
    host = str(TOPOLOGY.site(peer).address)
    database = (
        k8s.DATABASE.but("metadata", "name", f"ledger-{site}")
        .but("metadata", "labels", SITE_LABEL, site)
        .but("spec", {"externalClusters": [k8s.external(peer, host)], "replica": {"source": f"ledger-{peer}"}})
    )
    assert (verdict(RULES["RES-010"], database) == []) == inside


@pytest.mark.parametrize(("site", "storage"), list(product(SITES, SITES)))
def test_storage_verdict_for_every_two_sites(site: str, storage: str) -> None:
    claim = k8s.CLAIM.but("metadata", "labels", SITE_LABEL, site).but("spec", "storageClassName", f"{storage}-pinned")
    volume = k8s.VOLUME.but("metadata", "labels", SITE_LABEL, site).but("spec", "storageClassName", f"{site}-pinned")
    terms = [{"matchExpressions": [k8s.at_site(storage)]}]
    volume = volume.but("spec", "nodeAffinity", "required", "nodeSelectorTerms", terms)
    assert (verdict(RULES["RES-005"], claim) == []) == (site == storage)
    assert (verdict(RULES["RES-005"], volume) == []) == (site == storage)


def paths(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in children:
        yield (*path, key)
        yield from paths(child, (*path, key))


def good_resources() -> list[tuple[str, str, Declared]]:
    found = []
    for rule in discover():
        for name, declared in cases(rule).GOOD.items():
            found += [(rule.id, name, each) for each in (declared if isinstance(declared, list) else [declared])]
    return found


@pytest.mark.parametrize("junk", JUNK, ids=repr)
def test_no_damage_makes_a_rule_fail_or_leak_an_unknown(
    junk: object,
) -> None:
    """A rule that raised would give the engine an advisory, or no verdict at all."""
    for rule_id, _, resource in good_resources():
        rule = RULES[rule_id]
        for path in paths(resource.props):
            damaged = resource.but(*path, junk)
            verdict(rule, [damaged] if rule_id in {"LIM-003", "LIM-004"} else damaged)


@pytest.mark.parametrize("resource", [k8s.NAMESPACE, k8s.DEPLOYMENT, k8s.CLAIM, k8s.VOLUME, k8s.DATABASE])
def test_removing_any_residency_label_is_refused(resource: Declared) -> None:
    for path in paths(resource.props):
        if "labels" in path and str(path[-1]).startswith("shopsphere.io/"):
            assert verdict(RULES["RES-001"], resource.but(*path, REMOVED)), path
