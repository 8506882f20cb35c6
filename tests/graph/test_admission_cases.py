"""The pack's verdicts on the cases that a real API server judges too (tests/preview/test_admission.py)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from admission_case import Case, Document, declared_of
from admitted_objects import ADMITTED
from refused_objects import REFUSED
from site_graph import GraphOf
from test_policies_on_graphs import RULES, resources_of, told

from policies.judging import judge
from policies.resource import Resource
from shopsphere.foundation.finding import Finding

STACK = "lab-frankfurt"


def findings(graph_of: GraphOf, case: Case) -> list[Finding]:
    """All that the pack has against Frankfurt's stack with the case in it."""
    resources = resources_of(graph_of("rdc-a", STACK), STACK)
    return judge(RULES, with_case(resources, case, case.document(declared_of(resources))))


def with_case(resources: Sequence[Resource], case: Case, document: Document) -> list[Resource]:
    """The stack's resources with one changed, or one more."""
    if case.added is None:
        found = [replace(each, props=document) if (each.kind, each.name) == (case.kind, case.name) else each
                 for each in resources]  # fmt: skip
        assert found != resources, "the case changes nothing"
        return found
    version = document["apiVersion"] if "/" in document["apiVersion"] else f"core/{document['apiVersion']}"
    token = f"kubernetes:{version}:{document['kind']}"
    model = next(each for each in resources if each.kind == "Namespace")
    urn = f"urn:pulumi:{STACK}::shopsphere::{token}::planted"
    return [*resources, replace(model, token=token, name="planted", urn=urn, props=document)]


@pytest.mark.parametrize("name", REFUSED)
def test_the_pack_refuses_by_the_rule_that_was_named(graph_of: GraphOf, name: str) -> None:
    found = findings(graph_of, REFUSED[name])
    assert REFUSED[name].rule in {each.check for each in found}, told(found)


@pytest.mark.parametrize("name", ADMITTED)
def test_the_pack_lets_in_what_nothing_is_against(graph_of: GraphOf, name: str) -> None:
    found = findings(graph_of, ADMITTED[name])
    assert found == [], told(found)
