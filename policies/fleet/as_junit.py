"""The report of a fleet check as JUnit's XML: a suite for each stack, a case for each rule."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from policies.fleet.check import Judged, Report, RuleText
from shopsphere.foundation.finding import Verdict

NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document may have, not even escaped."""


def as_junit(report: Report) -> str:
    """Return the report; what is violated is a failure, what cannot be known an error."""
    root = ET.Element("testsuites", name="shopsphere policy check")
    stacks = dict.fromkeys([*report.stacks, *(each.stack for each in report.findings)])
    for stack in stacks:
        of_stack = [each for each in report.findings if each.stack == stack]
        suite = ET.SubElement(root, "testsuite", name=stack)
        for rule in report.rules:
            _case(suite, stack, rule, [each for each in of_stack if each.finding.check == rule.id])
        _count(suite)
    _count(root)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True)


def _case(suite: ET.Element, stack: str, rule: RuleText, found: Sequence[Judged]) -> None:
    case = ET.SubElement(suite, "testcase", classname=stack, name=f"{rule.id} {rule.name}")
    if not found:
        return
    is_violated = any(each.finding.verdict is Verdict.FAILED for each in found)
    first = NO_XML.sub("\ufffd", f"{len(found)} findings; {found[0].finding.found}")
    told = ET.SubElement(case, "failure" if is_violated else "error", message=first, type=rule.id)
    told.text = NO_XML.sub("\ufffd", "\n\n".join(each.finding.message for each in found))


def _count(element: ET.Element) -> None:
    for name, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
        element.set(name, str(len(list(element.iter(tag)))))
