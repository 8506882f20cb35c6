"""The four forms of a fleet check's report, whole: what programs read of them is written here by hand."""

from __future__ import annotations

import json

from policies.fleet.as_junit import as_junit
from policies.fleet.as_sarif import SCORES, as_sarif
from policies.fleet.as_text import as_json, as_text
from policies.fleet.check import Judged, Report, RuleText
from shopsphere.foundation.finding import Finding, Severity, Verdict

URN = "urn:pulumi:lab-dublin::rdc-a::kubernetes:core/v1:Service::crm"
RULES = (
    RuleText("NET-003", "services-stay-inside", "A name may lead abroad.", "name a pod", Severity.HIGH),
    RuleText("RES-099", "little", "It is small.", "leave it", Severity.LOW),
)
LEAVING = Judged(
    "lab-dublin",
    Finding(
        verdict=Verdict.FAILED,
        found="ledger -> egress -> newyork",
        allowed="payment of eu at dublin",
        action="close it",
    ).by("NET-003", "services-stay-inside", subject="Service 'crm'", severity=Severity.HIGH),
    ("ledger", "egress", "newyork"),
    URN,
)
UNREAD = Judged(
    "lab-dublin",
    Finding(verdict=Verdict.UNKNOWN, found="spec: bell \x07").by("NET-003", "services-stay-inside"),
)
SMALL = Judged("lab", Finding(verdict=Verdict.UNKNOWN, found="a part").by("RES-099", "little"))
REPORT = Report(
    environment="lab",
    target="rdc-a",
    stacks=("lab-dublin",),
    files={"lab-dublin": "stacks/rdc-a/lab-dublin.base.yaml", "lab": "stacks/hq/lab.yaml"},
    resources=7,
    stores=3,
    flows=5,
    rules=RULES,
    findings=(LEAVING, UNREAD, SMALL),
)
DUBLIN = {
    "artifactLocation": {"uri": "stacks/rdc-a/lab-dublin.base.yaml", "uriBaseId": "%SRCROOT%"},
    "region": {"startLine": 1},
}
SERVICE = {
    "physicalLocation": DUBLIN,
    "logicalLocations": [{"name": "Service 'crm'", "fullyQualifiedName": URN, "kind": "resource"}],
}
RUN = {
    "tool": {
        "driver": {
            "name": "shopsphere policy check",
            "rules": [
                {
                    "id": "NET-003",
                    "name": "ServicesStayInside",
                    "shortDescription": {"text": "services stay inside"},
                    "fullDescription": {"text": "A name may lead abroad."},
                    "help": {"text": "A name may lead abroad. What to do: name a pod. See docs/policies.md."},
                    "defaultConfiguration": {"level": "error"},
                    "properties": {
                        "tags": ["security", "NET"],
                        "precision": "high",
                        "problem.severity": "error",
                        "security-severity": "8.0",
                    },
                },
                {
                    "id": "RES-099",
                    "name": "Little",
                    "shortDescription": {"text": "little"},
                    "fullDescription": {"text": "It is small."},
                    "help": {"text": "It is small. What to do: leave it. See docs/policies.md."},
                    "defaultConfiguration": {"level": "error"},
                    "properties": {
                        "tags": ["security", "RES"],
                        "precision": "high",
                        "problem.severity": "error",
                        "security-severity": "3.0",
                    },
                },
            ],
        }
    },
    "automationDetails": {"id": "shopsphere-policy/lab/rdc-a"},
    "columnKind": "utf16CodeUnits",
    "results": [
        {
            "ruleId": "NET-003",
            "ruleIndex": 0,
            "level": "error",
            "message": {
                "text": "NET-003 services-stay-inside: Service 'crm'\n  found:   ledger -> egress -> newyork\n"
                "  allowed: payment of eu at dublin\n  do:      close it\n"
            },
            "locations": [SERVICE],
            "partialFingerprints": {
                "shopsphere/v1": "@0",
            },
            "codeFlows": [
                {
                    "threadFlows": [
                        {
                            "locations": [
                                {"location": {**SERVICE, "message": {"text": "ledger"}}},
                                {"location": {**SERVICE, "message": {"text": "egress"}}},
                                {"location": {**SERVICE, "message": {"text": "newyork"}}},
                            ]
                        }
                    ]
                }
            ],
        },
        {
            "ruleId": "NET-003",
            "ruleIndex": 0,
            "level": "warning",
            "message": {"text": "NET-003 services-stay-inside: unknown\n  found:   spec: bell \x07\n"},
            "locations": [
                {
                    "physicalLocation": DUBLIN,
                    "logicalLocations": [{"name": "", "fullyQualifiedName": "lab-dublin", "kind": "resource"}],
                }
            ],
            "partialFingerprints": {"shopsphere/v1": "@1"},
        },
        {
            "ruleId": "RES-099",
            "ruleIndex": 1,
            "level": "warning",
            "message": {"text": "RES-099 little: unknown\n  found:   a part\n"},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": "stacks/hq/lab.yaml", "uriBaseId": "%SRCROOT%"},
                        "region": {"startLine": 1},
                    },
                    "logicalLocations": [{"name": "", "fullyQualifiedName": "lab", "kind": "resource"}],
                }
            ],
            "partialFingerprints": {"shopsphere/v1": "@2"},
        },
    ],
}
JUNIT = """\
<?xml version='1.0' encoding='utf-8'?>
<testsuites name="shopsphere policy check" tests="4" failures="1" errors="1">
  <testsuite name="lab-dublin" tests="2" failures="1" errors="0">
    <testcase classname="lab-dublin" name="NET-003 services-stay-inside">
      <failure message="2 findings; ledger -&gt; egress -&gt; newyork" type="NET-003">\
NET-003 services-stay-inside: Service 'crm'
  found:   ledger -&gt; egress -&gt; newyork
  allowed: payment of eu at dublin
  do:      close it

NET-003 services-stay-inside: unknown
  found:   spec: bell \ufffd</failure>
    </testcase>
    <testcase classname="lab-dublin" name="RES-099 little" />
  </testsuite>
  <testsuite name="lab" tests="2" failures="0" errors="1">
    <testcase classname="lab" name="NET-003 services-stay-inside" />
    <testcase classname="lab" name="RES-099 little">
      <error message="1 findings; a part" type="RES-099">RES-099 little: unknown
  found:   a part</error>
    </testcase>
  </testsuite>
</testsuites>"""
TEXT = """\
HIGH  lab-dublin: NET-003 services-stay-inside
    subject:  Service 'crm'
    found:    ledger -> egress -> newyork
    allowed:  payment of eu at dublin
    do:       close it

lab-dublin: NET-003 services-stay-inside (unknown)
    found:    spec: bell \x07

lab: RES-099 little (unknown)
    found:    a part

judged: 1 stacks of lab (7 resources in all stacks, 3 stores, 5 flows) by 2 rules
violated: 3 findings"""

FINGERPRINTS = ["abf0974e8b374b14", "6416c2ba9c5ae166", "612cff7f162dcdf7"]
"""SHA-256 of rule, stack, URN and what was found, with a NUL between them; its first 16 digits."""


def test_each_severity_is_one_of_code_scannings() -> None:
    assert SCORES == {Severity.LOW: "3.0", Severity.MEDIUM: "5.5", Severity.HIGH: "8.0", Severity.CRITICAL: "9.5"}


def test_sarif() -> None:
    text = as_sarif(REPORT)
    assert text.startswith('{\n  "$schema": ')
    document = json.loads(text)
    for at, result in enumerate(document["runs"][0]["results"]):
        assert len(result["partialFingerprints"]["shopsphere/v1"]) == 64
        result["partialFingerprints"]["shopsphere/v1"] = f"@{at}"
    assert document == {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [RUN],
    }


def test_a_fingerprint_is_that_of_earlier_releases() -> None:
    """Code scanning would close every alert and open it again, if it changed."""
    results = json.loads(as_sarif(REPORT))["runs"][0]["results"]
    assert [each["partialFingerprints"]["shopsphere/v1"][:16] for each in results] == FINGERPRINTS


def test_junit() -> None:
    assert as_junit(REPORT) == JUNIT


def test_text() -> None:
    assert as_text(REPORT) == TEXT


def test_json() -> None:
    text = as_json(REPORT)
    assert text.startswith('{\n  "environment": "lab"')
    document = json.loads(text)
    leaving, unread, small = document.pop("findings")
    assert document == {
        "environment": "lab",
        "target": "rdc-a",
        "verdict": "violated",
        "stacks": ["lab-dublin"],
        "resources": 7,
        "stores": 3,
        "flows": 5,
        "rules": ["NET-003", "RES-099"],
    }
    assert leaving == {
        "stack": "lab-dublin",
        "check": "NET-003",
        "title": "services-stay-inside",
        "subject": "Service 'crm'",
        "verdict": "fail",
        "severity": "high",
        "found": "ledger -> egress -> newyork",
        "allowed": "payment of eu at dublin",
        "action": "close it",
        "urn": URN,
        "path": ["ledger", "egress", "newyork"],
    }
    assert (unread["urn"], unread["path"], unread["severity"]) == ("", [], None)
    assert small["stack"] == "lab"
