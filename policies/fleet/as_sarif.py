"""The report of a fleet check as SARIF 2.1.0, with what GitHub's code scanning asks for."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from policies.fleet.check import Judged, Report, RuleText
from shopsphere.foundation.finding import Severity, Verdict

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
VERSION = "2.1.0"
LEVELS = {Verdict.FAILED: "error", Verdict.UNKNOWN: "warning"}
SCORES = {Severity.LOW: "3.0", Severity.MEDIUM: "5.5", Severity.HIGH: "8.0", Severity.CRITICAL: "9.5"}
"""`security-severity`, from which GitHub makes low, medium (from 4.0), high (from 7.0) and critical (from 9.0)."""
PAGE = "docs/policies.md"
ROOT = "%SRCROOT%"

Part = dict[str, Any]


def as_sarif(report: Report) -> str:
    """Return the report; each finding is at the file of its stack's configuration, with its path as a code flow."""
    places = {rule.id: at for at, rule in enumerate(report.rules)}
    run = {
        "tool": {
            "driver": {
                "name": "shopsphere policy check",
                "rules": [_rule(each) for each in report.rules],
            }
        },
        "automationDetails": {"id": f"shopsphere-policy/{report.environment}/{report.target}"},
        "columnKind": "utf16CodeUnits",
        "results": [_result(each, places, report) for each in report.findings],
    }
    return json.dumps({"$schema": SCHEMA, "version": VERSION, "runs": [run]}, indent=2)


def _rule(rule: RuleText) -> Part:
    return {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": rule.name.replace("-", " ")},
        "fullDescription": {"text": rule.reason},
        "help": {"text": f"{rule.reason} What to do: {rule.remediation}. See {PAGE}."},
        "defaultConfiguration": {"level": "error"},
        "properties": {
            "tags": ["security", rule.id.partition("-")[0]],
            "precision": "high",
            "problem.severity": "error",
            "security-severity": SCORES[rule.severity],
        },
    }


def _result(judged: Judged, places: dict[str, int], report: Report) -> Part:
    finding = judged.finding
    location = _location(report, judged.stack, finding.subject, judged.urn)
    result: Part = {
        "ruleId": finding.check,
        "ruleIndex": places[finding.check],
        "level": LEVELS[finding.verdict],
        "message": {"text": f"{finding.message}\n"},
        "locations": [location],
        "partialFingerprints": {"shopsphere/v1": _fingerprint(judged)},
    }
    if judged.steps:
        steps = [{"location": {**location, "message": {"text": step}}} for step in judged.steps]
        result["codeFlows"] = [{"threadFlows": [{"locations": steps}]}]
    return result


def _location(report: Report, stack: str, name: str, urn: str) -> Part:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": report.files[stack], "uriBaseId": ROOT},
            "region": {"startLine": 1},
        },
        "logicalLocations": [{"name": name, "fullyQualifiedName": urn or stack, "kind": "resource"}],
    }


def _fingerprint(judged: Judged) -> str:
    """Return what stays the same while a violation stays: rule, stack, resource and what was found."""
    parts = (judged.finding.check, judged.stack, judged.urn, judged.finding.found)
    return sha256("\0".join(parts).encode()).hexdigest()
