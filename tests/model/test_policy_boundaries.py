"""Each rule's edge: two cases beside each other, the last that passes and the first that does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from policy_cases.judging import RULES, CaseOf, cases, told_to_the_engine

NEIGHBOURS = {
    "EVT-001": ("personal", "stricter than its namespace"),
    "EVT-002": ("half of the volume", "more than half"),
    "EVT-003": ("collector", "shop"),
    "EVT-004": ("the event log", "two brokers"),
    "LIM-001": ("rack 8", "rack 9"),
    "LIM-002": ("up to the last watt", "one watt too many"),
    "LIM-003": ("autoscaled up to the last watt", "autoscaled to more"),
    "LIM-004": ("up to the last watt", "one watt too many"),
    "LIM-005": ("all of the site", "one watt too many"),
    "LIM-006": ("up to the last watt", "no room for one more"),
    "LIM-007": ("just large enough", "too small"),
    "NET-001": ("closed", "one direction"),
    "NET-002": ("widest network of a payment provider", "network too wide for a payment provider"),
    "NET-003": ("load balancer to public data", "load balancer to personal data"),
    "RES-001": ("database", "empty owner"),
    "RES-003": ("pods on the site's nodes", "pods on another site's nodes"),
    "RES-004": ("labelled", "template with another site's label"),
    "RES-005": ("volume", "volume at two sites"),
    "RES-006": ("deployment", "patch"),
    "RES-007": ("privileges taken away", "privileged container"),
    "RES-008": ("name below the site's", "name that only ends alike"),
    "RES-009": ("class of its namespace", "object below its namespace"),
    "RES-010": ("host by name", "host by another site's name"),
    "RES-011": ("the whole certificate", "peer without a mode"),
    "RES-030": ("a folder below", "prefix of a longer name"),
    "RES-031": ("site", "site elsewhere"),
    "SEC-001": ("restricted", "baseline"),
    "SEC-002": ("name that ends like a site's", "site of another jurisdiction by name"),
}
"""The names of a good and a bad case of each rule; chosen by hand."""
FURTHEST = 4
"""Values in which two neighbours may differ: a site's labels are two of them, on an object and on its template."""


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Each value of a document, by its path."""
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield from leaves(below, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for at, below in enumerate(value):
            yield from leaves(below, f"{path}[{at}]")
    else:
        yield path, value


def told(declared: CaseOf) -> dict[str, Any]:
    """All that a rule may look at, by its path."""
    resources = declared if isinstance(declared, list) else [declared]
    seen = [{"token": each.token, "props": each.props, "by": each.provider, "stack": each.stack} for each in resources]
    return dict(leaves(seen))


def distance(one: CaseOf, other: CaseOf) -> int:
    """In how many values two cases differ."""
    first, second = told(one), told(other)
    return sum(first.get(path) != second.get(path) for path in {*first, *second})


@pytest.mark.requirement("every rule has boundary cases, through the engine's own proxies")
@pytest.mark.parametrize("rule_id", RULES)
def test_a_rule_has_an_edge(rule_id: str) -> None:
    assert rule_id in NEIGHBOURS, f"{rule_id} has no two cases beside each other"
    rule, (good, bad) = RULES[rule_id], NEIGHBOURS[rule_id]
    passing, failing = cases(rule).GOOD[good], cases(rule).BAD[bad][0]
    assert told_to_the_engine(rule, passing) == []
    assert told_to_the_engine(rule, failing)
    assert 1 <= distance(passing, failing) <= FURTHEST


def test_the_table_has_no_rule_that_is_gone() -> None:
    assert set(NEIGHBOURS) == set(RULES)
