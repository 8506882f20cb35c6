"""The report of a fleet check: whose findings it has, how it ends, and each of its four forms."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from fleet_by_hand import ADDRESSES, block, by_hand, opens, pair_state, program, with_planted

from policies.fleet.as_junit import as_junit
from policies.fleet.as_sarif import as_sarif
from policies.fleet.as_text import as_json, as_text
from policies.fleet.check import Judged, Report, RuleText, Scope, check
from policies.registry import discover
from policies.resource import Resource
from policies.rule import ResourceRule, StackRule
from policies.verdict import violation
from shopsphere.foundation.exit_code import ExitCode
from shopsphere.foundation.finding import Finding, Severity, Verdict
from shopsphere.topology import load_topology

PATH = "ledger-frankfurt (payment, eu) -> replication -> ledger-dublin -> egress -> newyork"
STEPS = ["ledger-frankfurt (payment, eu)", "replication", "ledger-dublin", "egress", "newyork"]
HQ = opens("dublin", "data-ledger", block("10.99.0.40/32"), name="hq")
NET = [rule for rule in discover() if rule.id == "NET-002"]
FILES = {stack: f"stacks/{stack}.yaml" for stack in by_hand()}
TEXT = """\
CRITICAL  lab-dublin: FLT-007 network-leads-nowhere-else
    subject:  NetworkPolicy 'data-ledger-hq'
              (urn:pulumi:lab-dublin::fleet::kubernetes:networking.k8s.io/v1:NetworkPolicy::data-ledger-hq)
    found:    ledger-frankfurt (payment, eu) -> replication -> ledger-dublin -> egress -> newyork
              (by spec.egress[0])
    allowed:  payment of eu at dublin, frankfurt
    do:       remove the destination, or declare what the workload reaches in
              shopsphere/estate/workloads.py

judged: 2 stacks of lab (103 resources in all stacks, 43 stores, 94 flows) by 10 rules
violated: 1 findings"""
LEVELS = {"none", "note", "warning", "error"}
"""Of a SARIF result (section 3.27.10)."""


def scope(target: str = "all", *sites: str, stacks: Sequence[str] = tuple(FILES)) -> Scope:
    return Scope("lab", target, tuple(stacks), frozenset(sites), FILES)


def judged(*planted: Resource, rules: Sequence[Any] = (), asked: Scope | None = None) -> Report:
    return check(rules, with_planted(*planted), load_topology(), asked or scope())


def applies(resource: Resource) -> bool:
    return resource.kind == "Namespace"


def checks(report: Report) -> list[tuple[str, str]]:
    return [(each.stack, each.finding.check) for each in report.findings]


def test_nothing_found_is_clean() -> None:
    report = judged()
    assert (report.verdict, report.exit_code) == ("clean", ExitCode.GOOD)
    assert as_text(report).endswith("\nclean")


def test_a_violation_is_told_with_its_path() -> None:
    report = judged(HQ)
    assert (report.verdict, report.exit_code) == ("violated", ExitCode.VIOLATED)
    assert as_text(judged(HQ, asked=scope("rdc-a", stacks=["lab-dublin", "lab-frankfurt"])), 100) == TEXT
    assert max(map(len, as_text(report, 80).splitlines())) <= 120  # a URN is one word


def test_rules_of_one_stack_and_paths_through_all_are_in_one_report() -> None:
    report = judged(HQ, rules=NET)
    assert ("lab-dublin", "FLT-007") in checks(report)
    assert ("lab-dublin", "NET-002") in checks(report)
    assert [each.id for each in report.rules][:2] == ["NET-002", "FLT-000"]


@pytest.mark.requirement("a value that cannot be read is never clean")
def test_what_cannot_be_read_is_told() -> None:
    report = judged(opens("dublin", "shop", block("everywhere")))
    assert checks(report) == [("lab-dublin", "FLT-000")]
    (found,) = report.findings
    assert "ipBlock.cidr" in found.finding.found
    assert found.finding.title == "flows-are-known"
    assert found.finding.action == "correct the value; until then nobody can tell where it leads"
    (rule,) = [each for each in report.rules if each.id == "FLT-000"]
    assert rule == RuleText(
        "FLT-000",
        "flows-are-known",
        "What cannot be read may lead anywhere.",
        "correct the value",
        Severity.CRITICAL,
    )


def test_what_cannot_be_read_concerns_its_own_stack() -> None:
    unread = opens("dublin", "shop", block("everywhere"))
    assert checks(judged(unread, asked=scope("dublin", "dublin", stacks=["lab-dublin"])))
    assert not checks(judged(unread, asked=scope("frankfurt", "frankfurt", stacks=["lab-frankfurt"])))


def test_a_finding_about_a_sum_is_of_no_resource() -> None:
    about: dict[str, Any] = {"reason": "Why.", "severity": Severity.LOW, "remediation": "do it"}
    each = ResourceRule(
        id="ABC-001", name="each", applies=applies, check=lambda _: iter([violation("one", "none")]), **about
    )
    total = StackRule(
        id="ABC-002",
        name="sum",
        applies=applies,
        measure=lambda _: iter([1]),
        judge=lambda measured: iter([violation(str(len(measured)), "none")]),
        **about,
    )
    report = judged(rules=[each, total], asked=scope("hq", stacks=["lab-newyork"]))
    assert [(found.finding.check, found.finding.found, found.urn) for found in report.findings] == [
        ("ABC-001", "one", "urn:pulumi:lab-newyork::fleet::kubernetes:core/v1:Namespace::reporting"),
        ("ABC-002", "1", ""),
    ]


def test_what_is_only_unknown_ends_as_unknown() -> None:
    unknown = Finding(verdict=Verdict.UNKNOWN, found="kubeconfig: x").by("RES-008", "t", severity=Severity.CRITICAL)
    report = replace(judged(), findings=(Judged("lab-dublin", unknown),))
    assert (report.verdict, report.exit_code) == ("unknown", ExitCode.UNKNOWN)
    assert "RES-008 t (unknown)" in as_text(report)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (scope("frankfurt", "frankfurt", stacks=["lab-frankfurt"]), True),
        (scope("dublin", "dublin", stacks=["lab-dublin"]), True),
        (scope("newyork", "newyork", stacks=["lab-newyork"]), True),
        (scope("rdc-b", "ashburn", "chicago", stacks=["lab-chicago", "lab-ashburn"]), False),
        (scope("edge", stacks=["lab"]), False),
    ],
)
def test_a_path_concerns_every_site_that_it_touches(asked: Scope, told: bool) -> None:
    assert bool(judged(HQ, asked=asked).findings) is told


def test_a_finding_of_the_edge_concerns_the_edge() -> None:
    abroad = pair_state(frankfurt=ADDRESSES["ashburn"], dublin=ADDRESSES["dublin"])
    assert checks(judged(abroad, asked=scope("edge", stacks=["lab"]))) == [("lab", "FLT-005")]


def test_json_has_everything() -> None:
    document = json.loads(as_json(judged(HQ)))
    (finding,) = document["findings"]
    assert document["verdict"] == "violated"
    assert (document["environment"], document["target"]) == ("lab", "all")
    assert document["stacks"] == list(FILES)
    assert finding["path"] == STEPS
    assert {key: finding[key] for key in ("stack", "check", "verdict", "severity", "allowed")} == {
        "stack": "lab-dublin",
        "check": "FLT-007",
        "verdict": "fail",
        "severity": "critical",
        "allowed": "payment of eu at dublin, frankfurt",
    }
    assert finding["urn"].startswith("urn:pulumi:lab-dublin::")


@pytest.mark.requirement("SARIF 2.1.0 has what GitHub's code scanning asks for")
def test_sarif_has_what_code_scanning_asks_for() -> None:
    report = judged(HQ, program("newyork", "crm", "public", A="postgresql://x@10.99.0.21:30032/c"), rules=NET)
    document = json.loads(as_sarif(report))
    assert document["version"] == "2.1.0"
    assert document["$schema"].endswith("sarif-2.1.0.json")
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert run["tool"]["driver"]["name"] == "shopsphere policy check"
    assert [rule["id"] for rule in rules] == [each.id for each in report.rules]
    for rule in rules:
        assert rule["shortDescription"]["text"]
        assert rule["fullDescription"]["text"]
        assert rule["help"]["text"]
        assert rule["defaultConfiguration"]["level"] in LEVELS
        assert 0 < float(rule["properties"]["security-severity"]) <= 10
    assert len(run["results"]) == len(report.findings) > 2
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in LEVELS
        assert result["message"]["text"].startswith(result["ruleId"])
        assert re.fullmatch("[0-9a-f]{64}", result["partialFingerprints"]["shopsphere/v1"])
        (location,) = result["locations"]
        physical = location["physicalLocation"]
        assert re.fullmatch(r"stacks/lab-\w+\.yaml", physical["artifactLocation"]["uri"])
        assert physical["region"]["startLine"] >= 1
    assert len({result["partialFingerprints"]["shopsphere/v1"] for result in run["results"]}) == len(run["results"])


def test_sarif_has_the_path_as_a_code_flow() -> None:
    (result,) = json.loads(as_sarif(judged(HQ)))["runs"][0]["results"]
    ((thread,),) = [flow["threadFlows"] for flow in result["codeFlows"]]
    assert [step["location"]["message"]["text"] for step in thread["locations"]] == STEPS
    assert all(step["location"]["physicalLocation"] for step in thread["locations"])
    assert PATH in result["message"]["text"]
    assert result["level"] == "error"


def test_a_fingerprint_lasts_while_the_violation_does() -> None:
    def marks(report: Report) -> set[str]:
        results = json.loads(as_sarif(report))["runs"][0]["results"]
        return {result["partialFingerprints"]["shopsphere/v1"] for result in results}

    other = program("newyork", "crm", "public", A="postgresql://x@10.99.0.21:30032/c")
    assert marks(judged(HQ)) == marks(judged(HQ))
    assert marks(judged(HQ)) < marks(judged(HQ, other))


def test_sarif_of_a_clean_fleet_has_no_result() -> None:
    assert json.loads(as_sarif(judged()))["runs"][0]["results"] == []


@pytest.mark.requirement("JUnit has a suite for each stack and a case for each rule")
def test_junit_counts_what_it_has() -> None:
    root = ET.fromstring(as_junit(judged(HQ)))
    rules = 10  # nine ways, and what cannot be read
    assert root.tag == "testsuites"
    assert [suite.get("name") for suite in root] == list(FILES)
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == (str(rules * len(FILES)), "1", "0")
    (failed,) = [case for case in root.iter("testcase") if case.find("failure") is not None]
    assert (failed.get("classname"), failed.get("name")) == ("lab-dublin", "FLT-007 network-leads-nowhere-else")
    failure = failed.find("failure")
    assert failure is not None
    assert PATH in str(failure.get("message"))
    assert "do:      remove the destination" in str(failure.text)


def test_junit_says_unknown_as_an_error() -> None:
    unknown = Finding(verdict=Verdict.UNKNOWN, found="x").by("FLT-000", "t", severity=Severity.CRITICAL)
    report = replace(judged(), findings=(Judged("lab-dublin", unknown),))
    root = ET.fromstring(as_junit(report))
    assert (root.get("failures"), root.get("errors")) == ("0", "1")


def test_junit_survives_what_no_xml_may_have() -> None:
    report = judged(HQ)
    found = replace(report.findings[0].finding, found="\x00\x1b<&>\ud800")
    root = ET.fromstring(as_junit(replace(report, findings=(replace(report.findings[0], finding=found),))))
    (failure,) = root.iter("failure")
    assert failure.get("message") == "1 findings; \ufffd\ufffd<&>\ufffd"
    assert "  found:   \ufffd\ufffd<&>\ufffd\n" in str(failure.text)
