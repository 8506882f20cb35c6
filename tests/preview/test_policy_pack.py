"""The pack in the real engine: it runs, it names rule and resource, and it stops what it should."""

from __future__ import annotations

import pytest
from tiny_project import Tiny

from policies.registry import PACK_NAME, discover

RULES = {rule.id: f"{rule.id}-{rule.name}" for rule in discover()}
# Facts that are spoiled together, because each start of the CLI takes seconds; tests/model has each alone.
PLACES = {
    "eventLog": "true",
    "topicClass": "aggregate",
    "retention": "-1",
    "writer": "shop",
    "volumesOf": "public",
    "dataClass": "aggregate",
    "storageClass": "ashburn-pinned",
    "volumeSite": "ashburn",
    "patch": "true",
    "peer": "10.99.0.21",
    "cdnPath": "/checkout/",
    "rack": "r9",
    "watts": "1",
    "quota": "149041",
    "capacity": "1023Mi",
    "cdnHost": "www.shopsphere.test",
    "podSecurity": "privileged",
    "closed": "Ingress",
    "egress": "0.0.0.0/0",
    "serviceType": "ExternalName",
    "image": "docker.io/shop:1",
    "podClass": "public",
    "hostNetwork": "true",
    "sslmode": "disable",
    "server": "https://10.99.0.21:6443",
}
TOTALS = {"dataClass": "secret", "cluster": "ashburn", "cdnClass": "personal", "replicas": "10646"}
REFUSED = [
    ("places", "RES-003", "class aggregate of jurisdiction eu at site frankfurt", "Namespace 'shop'"),
    ("places", "RES-005", "spec.storage.storageClass: ashburn-pinned", "Cluster 'ledger-frankfurt'"),
    ("places", "RES-005", "spec.nodeAffinity with a term for another place", "PersistentVolume 'v1'"),
    ("places", "RES-006", "ConfigMapPatch", "ConfigMap 'hidden'"),
    ("places", "RES-007", "spec.template.spec.hostNetwork", "Deployment 'shop'"),
    ("places", "RES-008", "a server at https://10.99.0.21", "ConfigMap 'beyond'"),
    ("places", "RES-009", "spec.template.metadata.labels: public", "Deployment 'shop'"),
    ("places", "RES-011", "sslmode: disable", "Cluster 'ledger-frankfurt'"),
    ("places", "RES-031", "hostNames: www.shopsphere.test", "CdnDistribution 'static'"),
    ("places", "NET-001", "Namespace 'shop'", "the stack"),
    ("places", "NET-002", "0.0.0.0/0", "NetworkPolicy 'to-peer'"),
    ("places", "NET-003", "spec.type: ExternalName", "Service 'shop'"),
    ("places", "SEC-001", "enforce: privileged", "Namespace 'shop'"),
    ("places", "SEC-002", "docker.io/shop:1", "Deployment 'shop'"),
    ("places", "RES-010", "connectionParameters.host: 10.99.0.21", "Cluster 'ledger-frankfurt'"),
    ("places", "RES-030", "path /checkout/", "CdnDistribution 'static'"),
    ("places", "LIM-001", "rack r9", "Deployment 'shop'"),
    ("places", "LIM-002", "1 W requested per pod", "Deployment 'shop'"),
    ("places", "LIM-004", "quotas of 149141 W at frankfurt", "the stack"),
    ("places", "LIM-005", "requests.shopsphere.io/watts: 149041", "ResourceQuota 'power'"),
    ("totals", "RES-001", "shopsphere.io/data-class: secret", "Namespace 'shop'"),
    ("totals", "RES-004", "the cluster of ashburn from stack lab-frankfurt", "Deployment 'shop'"),
    ("totals", "RES-030", "dataClass: personal", "CdnDistribution 'static'"),
    ("totals", "LIM-002", "10646 pods of 14 W: 149044 W", "Deployment 'shop'"),
    ("totals", "LIM-003", "149058 W requested by all pods of frankfurt", "the stack"),
    ("totals", "LIM-006", "186326 W for 10646 + 2662 pods of shop", "the stack"),
    ("places", "EVT-001", "topic clicks, class: aggregate", "ConfigMap 'event-log-declaration'"),
    ("places", "EVT-002", "topic clicks: retention.ms without a bound", "the stack"),
    ("places", "EVT-003", "spec.ingress[0].from[0]: shop", "NetworkPolicy 'kafka-from-writer'"),
    ("places", "EVT-004", "volumes of public", "StatefulSet 'kafka'"),
    ("places", "LIM-007", "no volume of 1Gi or more for payment data that ledger-frankfurt", "the stack"),
]


@pytest.fixture(scope="module")
def refused(tiny: Tiny) -> dict[str, tuple[str, dict[str, str]]]:
    """Previews of the two spoiled sites: output, and enforcement level by policy."""

    def preview(**facts: str) -> tuple[str, dict[str, str]]:
        result = tiny.operate("preview", pack=True, **facts)
        assert result.code != 0
        levels = {event["policyName"]: event["enforcementLevel"] for event in tiny.events("policyEvent")}
        return result.stdout, levels

    return {"places": preview(**PLACES), "totals": preview(**TOTALS)}


def test_good_site_passes_and_every_rule_ran(tiny: Tiny) -> None:
    result = tiny.operate("preview", eventLog="true")
    assert result.code == 0, result.stdout + result.stderr
    assert "error" not in result.stdout
    judged = [*tiny.events("policyAnalyzeSummaryEvent"), *tiny.events("policyAnalyzeStackSummaryEvent")]
    assert {event["policyPackName"] for event in judged} == {PACK_NAME}
    passed = {name for event in judged for name in event.get("passed", ())}
    assert passed == set(RULES.values())
    assert not tiny.events("policyEvent")


@pytest.mark.parametrize(("site", "rule", "found", "subject"), REFUSED)
def test_spoiled_site_is_stopped_with_rule_resource_and_advice(
    refused: dict[str, tuple[str, dict[str, str]]], site: str, rule: str, found: str, subject: str
) -> None:
    output, levels = refused[site]
    assert levels[RULES[rule]] == "mandatory"
    parts = output.split(f"{rule} ")[1:]
    message = next((part for part in parts if subject in part and found in part), None)
    assert message is not None, parts
    assert "allowed:" in message
    assert "do:" in message


def test_every_rule_of_the_pack_was_seen_to_refuse() -> None:
    assert {rule for _, rule, _, _ in REFUSED} == set(RULES)


def test_only_the_pack_stops_it(tiny: Tiny) -> None:
    assert tiny.operate("preview", pack=False, dataClass="aggregate").code == 0


def test_unknown_value_is_a_mandatory_violation_and_no_advisory(tiny: Tiny) -> None:
    result = tiny.operate("preview", unknownClass="true")
    assert result.code != 0
    assert "metadata.labels.shopsphere.io/data-class is not known before the update" in result.stdout
    assert "can't run policy" not in result.stdout
    assert {event["enforcementLevel"] for event in tiny.events("policyEvent")} == {"mandatory"}


def test_update_fails_before_anything_is_created(tiny: Tiny) -> None:
    result = tiny.operate("up", "--yes", dataClass="aggregate")
    assert result.code != 0
    assert RULES["RES-003"] in result.stdout
    assert not list(tiny.rendered.rglob("*.yaml"))
    assert not [kind for kind in tiny.state() if kind.startswith("kubernetes:")]


def test_update_without_its_preview_does_not_create_what_is_refused(tiny: Tiny) -> None:
    result = tiny.operate("up", "--yes", "--skip-preview", dataClass="aggregate")
    assert result.code != 0
    assert RULES["RES-003"] in result.stdout
    assert "kubernetes:core/v1:Namespace" not in tiny.state()
    destroyed = tiny.operate("destroy", "--yes", "--skip-preview", pack=False)
    assert destroyed.code == 0, destroyed.stdout
