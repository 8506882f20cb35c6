"""What the admission policies of each site say; what they do, a real API server shows in tests/preview."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from policies.admission.guard import FEATURE_GATE
from policies.admission.language import SYSTEM_NAMESPACES, AdmissionPolicy, literal, manifests, told
from policies.admission.printed import configuration_yaml
from policies.admission.site_policies import site_policies
from policies.registry import discover
from shopsphere.estate.stack import Environment
from shopsphere.topology import load_topology

# Written by hand, never taken from topology.yaml or from the code that is judged.
REGIONAL = ["fulfilment", "operational", "payment", "personal", "public"]
HEADQUARTERS = ["aggregate", "operational", "public"]
SITES = {
    "frankfurt": ("eu", REGIONAL, {"10.11.0.0/17", "10.11.128.0/17", "10.99.0.11/32", "10.99.0.12/32"}),
    "dublin": ("eu", REGIONAL, {"10.12.0.0/17", "10.12.128.0/17", "10.99.0.11/32", "10.99.0.12/32"}),
    "ashburn": ("us", REGIONAL, {"10.21.0.0/17", "10.21.128.0/17", "10.99.0.21/32", "10.99.0.22/32"}),
    "chicago": ("us", REGIONAL, {"10.22.0.0/17", "10.22.128.0/17", "10.99.0.21/32", "10.99.0.22/32"}),
    "singapore": ("apac", REGIONAL, {"10.31.0.0/17", "10.31.128.0/17", "10.99.0.31/32", "10.99.0.32/32"}),
    "sydney": ("apac", REGIONAL, {"10.32.0.0/17", "10.32.128.0/17", "10.99.0.31/32", "10.99.0.32/32"}),
    "newyork": ("headquarters", HEADQUARTERS, {"10.40.0.0/17", "10.40.128.0/17", "10.99.0.40/32"}),
}
"""Jurisdiction, classes that may be held, and networks that pods may exchange packets with."""
NAMES = {
    "shopsphere-labels", "shopsphere-namespaces", "shopsphere-labels-of-others", "shopsphere-workloads",
    "shopsphere-pods", "shopsphere-storage-classes", "shopsphere-volumes", "shopsphere-claims",
    "shopsphere-network-policies", "shopsphere-services", "shopsphere-endpoint-slices", "shopsphere-endpoints",
    "shopsphere-databases", "shopsphere-database-peers", "shopsphere-database-copies", "shopsphere-unlisted-kinds",
    "shopsphere-kinds-of-controllers", "shopsphere-bindings-of-controllers", "shopsphere-pods-of-controllers",
    "shopsphere-rights-over-policies", "shopsphere-administrators", "shopsphere-migrations",
    "shopsphere-database-fields", "shopsphere-in-site-promotion", "shopsphere-promotion-under-way",
    "shopsphere-roles-of-namespaces",
    "shopsphere-programs-of-watchers", "shopsphere-programs-of-drift",
}  # fmt: skip
DIGEST = f"sha256:{'a1' * 32}"
IMAGES = {
    Environment.LAB: {
        "shop": "localhost/shopsphere/shop:0.1.0",
        "gateway": "localhost/shopsphere/gateway:2.6",
        "postgresql": "localhost/shopsphere/postgresql:15.18-1",
        "archive": "localhost/shopsphere/archive:0.1.0",
    },
    Environment.PROD: {
        "shop": f"registry.example:5000/a-b/shop:1.2@{DIGEST}",
        "postgresql": f"registry.example:5000/a-b/postgresql:15@{DIGEST}",
    },
}


def policies_of(site: str, environment: Environment = Environment.LAB) -> dict[str, AdmissionPolicy]:
    images = {} if site == "newyork" else IMAGES[environment]
    found = site_policies(load_topology(environment=environment), site, environment, images, event_log=False)
    return {each.name: each for each in found}


def expressions(policy: AdmissionPolicy, rule: str) -> str:
    return "\n".join(each.expression for each in policy.validations if each.rule == rule)


def test_every_site_of_the_requirements_is_here() -> None:
    assert set(load_topology(environment="lab").sites) == set(SITES)


@pytest.mark.requirement("admission policies come from the residency map, with literals of their own site")
@pytest.mark.parametrize("site", SITES)
def test_the_literals_are_those_of_the_site(site: str) -> None:
    jurisdiction, classes, networks = SITES[site]
    policies = policies_of(site)
    placed = expressions(policies["namespaces"], "RES-003")
    assert f".orValue('') == \"{jurisdiction}\"" in placed
    assert f"in {json.dumps(classes)}" in placed
    assert f".orValue('') == \"{site}\"" in expressions(policies["namespaces"], "RES-004")
    assert f'"{site}-pinned"' in expressions(policies["claims"], "RES-005")
    blocks = expressions(policies["network-policies"], "NET-002").partition("isCIDR(x)")[2]
    inside = json.loads(f"[{blocks.partition('[')[2].partition(']')[0]}]")
    assert set(inside) == networks


@pytest.mark.parametrize("site", SITES)
def test_each_policy_is_bound_to_deny_and_fails_closed(site: str) -> None:
    documents = manifests(policies_of(site).values(), {"shopsphere.io/site": site})
    policies = [each for each in documents if each["kind"] == "ValidatingAdmissionPolicy"]
    bindings = [each for each in documents if each["kind"] == "ValidatingAdmissionPolicyBinding"]
    assert {each["metadata"]["name"] for each in policies} == NAMES
    assert {each["spec"]["policyName"] for each in bindings} == NAMES
    assert all(each["spec"]["validationActions"] == ["Deny"] for each in bindings)
    assert all("matchResources" not in each["spec"] and "paramRef" not in each["spec"] for each in bindings)
    assert all(each["spec"]["failurePolicy"] == "Fail" for each in policies)
    assert all(each["metadata"]["labels"] == {"shopsphere.io/site": site} for each in documents)


def test_the_namespaces_that_are_not_judged_are_these() -> None:
    assert set(SYSTEM_NAMESPACES) == {"kube-system", "kube-public", "kube-node-lease", "cnpg-system"}
    everywhere = {name for name, each in policies_of("frankfurt").items() if each.in_system_namespaces}
    assert everywhere == {"rights-over-policies", "administrators", "roles-of-namespaces"}
    for each in policies_of("frankfurt").values():
        selector: dict[str, Any] = each.spec()["matchConstraints"].get("namespaceSelector", {})
        assert selector == ({} if each.in_system_namespaces else {"matchExpressions": [
            {"key": "kubernetes.io/metadata.name", "operator": "NotIn",
             "values": ["kube-system", "kube-public", "kube-node-lease", "cnpg-system"]}]})  # fmt: skip


def test_each_message_names_a_rule_of_the_pack() -> None:
    rules = {each.id for each in discover()}
    named = set()
    for policy in policies_of("frankfurt").values():
        for validation in policy.spec()["validations"]:
            named.add(validation["message"].partition(": ")[0])
            assert len(validation["message"]) < 1024
    assert named - rules == {"ADR-045", "ADR-065"}, "what an object was before, the pack does not see"
    assert named & rules == {"RES-001", "RES-003", "RES-004", "RES-005", "RES-007", "RES-009", "RES-010", "RES-011",
                     "NET-001", "NET-002", "NET-003", "SEC-001", "SEC-002"}  # fmt: skip


def test_images_of_the_node_are_for_the_lab_alone() -> None:
    refusal = "i.split('/')[0].split(':')[0] != \"localhost\""
    message = "an image which is nowhere to be pulled; allowed: a registry of the site's jurisdiction, and one version"
    assert refusal not in expressions(policies_of("frankfurt")["pods"], "SEC-002")
    production = policies_of("frankfurt", Environment.PROD)["pods"]
    assert refusal in expressions(production, "SEC-002")
    (last,) = [each for each in production.validations if refusal in each.expression]
    assert last.message == message


@pytest.mark.parametrize("policy", ["pods", "workloads", "databases"])
def test_production_names_images_by_digest(policy: str) -> None:
    refusal = "variables.images.all(i, i.contains('@sha256:'))"
    assert refusal not in expressions(policies_of("frankfurt")[policy], "SEC-002")
    production = policies_of("frankfurt", Environment.PROD)[policy]
    assert [each.message for each in production.validations if each.expression == refusal] == [
        "an image by a tag that can be pushed again: without a digest; allowed: a registry of the site's jurisdiction, "
        "and one version"
    ]


def test_production_has_its_own_addresses() -> None:
    peers = expressions(policies_of("frankfurt", Environment.PROD)["database-peers"], "RES-010")
    assert '"198.51.100.11"' in peers
    assert "10.99.0.11" not in peers


def test_the_same_facts_make_the_same_policies() -> None:
    assert manifests(policies_of("sydney").values()) == manifests(policies_of("sydney").values())


def test_names_in_a_message_are_sorted_and_an_empty_list_is_said() -> None:
    assert told(["sydney", "dublin"]) == "dublin, sydney"
    assert told([]) == "none"


def test_a_literal_is_as_people_write_it() -> None:
    assert literal(["Zürich", 1, True]) == '["Zürich", 1, true]'


def test_the_api_server_is_told_where_the_guard_is() -> None:
    assert FEATURE_GATE == "ManifestBasedAdmissionControlConfig"
    assert yaml.safe_load(configuration_yaml(Path("/etc/admission"))) == {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AdmissionConfiguration",
        "plugins": [
            {
                "name": "ValidatingAdmissionPolicy",
                "configuration": {
                    "apiVersion": "apiserver.config.k8s.io/v1",
                    "kind": "ValidatingAdmissionPolicyConfiguration",
                    "staticManifestsDir": "/etc/admission",
                },
            }
        ],
    }
