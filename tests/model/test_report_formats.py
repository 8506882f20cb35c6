"""SARIF and JUnit as strict readers take them: no property, element or attribute that the formats do not have."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from fleet_by_hand import program
from sarif_fields import sarif_problems
from test_fleet_report import HQ, judged

from policies.fleet.as_junit import as_junit
from policies.fleet.as_sarif import as_sarif
from policies.fleet.check import Report
from policies.registry import discover

ELEMENTS = {
    "testsuites": ({"testsuite"}, {"name", "tests", "failures", "errors"}, {"name"}),
    "testsuite": ({"testcase"}, {"name", "tests", "failures", "errors"}, {"name", "tests", "failures", "errors"}),
    "testcase": ({"failure", "error", "skipped"}, {"name", "classname"}, {"name", "classname"}),
    "failure": (set(), {"message", "type"}, {"type"}),
    "error": (set(), {"message", "type"}, {"type"}),
}
"""Of each of JUnit's elements: what may be in it, its attributes, and those that the usual schema asks for."""


@pytest.fixture(scope="module")
def report() -> Report:
    """Findings of every rule's kind: of one stack, of a path through several, and of what is not known."""
    return judged(HQ, program("newyork", "crm", "public", A="postgresql://x@10.99.0.21:30032/c"), rules=discover())


@pytest.mark.requirement("SARIF 2.1.0 as the OASIS standard has it")
def test_sarif_has_only_what_the_standard_has(report: Report) -> None:
    for each in (report, judged()):
        assert list(sarif_problems(json.loads(as_sarif(each)))) == []
    assert len(report.findings) > 100


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        (("version",), "2.0.0", "$.version: 2.0.0, none of 2.1.0"),
        (("runs", 0, "tool", "driver", "severity"), "high", "severity: not a property of toolComponent"),
        (("runs", 0, "results", 0, "message"), "text", "message: str in place of a message"),
        (("runs", 0, "results", 0, "ruleIndex"), "1", "ruleIndex: str in place of int"),
        (("runs", 0, "results", 0, "level"), "critical", "level: critical, none of"),
        (("runs", 0, "results"), {}, "results: no list"),
        (("runs", 0, "tool"), {}, "tool.driver: missing"),
    ],
)
def test_what_the_standard_has_not_is_found(report: Report, path: tuple[Any, ...], value: Any, problem: str) -> None:
    document = json.loads(as_sarif(report))
    node = document
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    assert any(problem in each for each in sarif_problems(document))


@pytest.mark.requirement("JUnit as its readers take it")
def test_junit_has_only_what_its_readers_know(report: Report) -> None:
    for element in ET.fromstring(as_junit(report)).iter():
        inner, attributes, required = ELEMENTS[element.tag]
        assert {child.tag for child in element} <= inner
        assert required <= set(element.attrib) <= attributes
    assert sum(1 for _ in ET.fromstring(as_junit(report)).iter("failure")) > 5
