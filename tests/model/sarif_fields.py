"""What SARIF 2.1.0 says of the objects that our report has, written by hand from the OASIS standard's section 3.

Each object is closed in the standard too: a property that it does not name is an error for a strict reader.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

FIELDS: Mapping[str, Mapping[str, Any]] = {
    "sarifLog": {"$schema": str, "version*": ("2.1.0",), "runs*": ["run"]},
    "run": {
        "tool*": "tool",
        "results": ["result"],
        "automationDetails": "runAutomationDetails",
        "columnKind": ("utf16CodeUnits", "unicodeCodePoints"),
    },
    "tool": {"driver*": "toolComponent"},
    "toolComponent": {"name*": str, "version": str, "informationUri": str, "rules": ["reportingDescriptor"]},
    "runAutomationDetails": {"id": str},
    "reportingDescriptor": {
        "id*": str,
        "name": str,
        "shortDescription": "multiformatMessageString",
        "fullDescription": "multiformatMessageString",
        "help": "multiformatMessageString",
        "helpUri": str,
        "defaultConfiguration": "reportingConfiguration",
        "properties": dict,
    },
    "multiformatMessageString": {"text*": str, "markdown": str},
    "reportingConfiguration": {"level": ("none", "note", "warning", "error"), "enabled": bool},
    "result": {
        "ruleId": str,
        "ruleIndex": int,
        "level": ("none", "note", "warning", "error"),
        "message*": "message",
        "locations": ["location"],
        "partialFingerprints": dict,
        "codeFlows": ["codeFlow"],
    },
    "message": {"text": str, "markdown": str},
    "location": {
        "physicalLocation": "physicalLocation",
        "logicalLocations": ["logicalLocation"],
        "message": "message",
    },
    "physicalLocation": {"artifactLocation": "artifactLocation", "region": "region"},
    "artifactLocation": {"uri": str, "uriBaseId": str},
    "region": {"startLine": int},
    "logicalLocation": {"name": str, "fullyQualifiedName": str, "kind": str},
    "codeFlow": {"threadFlows*": ["threadFlow"]},
    "threadFlow": {"locations*": ["threadFlowLocation"]},
    "threadFlowLocation": {"location": "location"},
}
"""Properties by object: a type, an object's name, a list of such objects, or the values of an enumeration; `*` is
required."""


def sarif_problems(node: Any, kind: str = "sarifLog", path: str = "$") -> Iterator[str]:
    """Yield what a strict reader would have against a document."""
    if not isinstance(node, dict):
        yield f"{path}: {type(node).__name__} in place of a {kind}"
        return
    fields = {name.rstrip("*"): shape for name, shape in FIELDS[kind].items()}
    yield from (f"{path}.{name}: missing" for name in _required(kind) - set(node))
    for name, value in node.items():
        if name not in fields:
            yield f"{path}.{name}: not a property of {kind}"
        else:
            yield from _value(value, fields[name], f"{path}.{name}")


def _required(kind: str) -> set[str]:
    return {name[:-1] for name in FIELDS[kind] if name.endswith("*")}


def _value(value: Any, shape: Any, path: str) -> Iterator[str]:
    match shape:
        case str():
            yield from sarif_problems(value, shape, path)
        case tuple():
            if value not in shape:
                yield f"{path}: {value}, none of {', '.join(shape)}"
        case [kind]:
            if not isinstance(value, list):
                yield f"{path}: no list"
                return
            for at, each in enumerate(value):
                yield from sarif_problems(each, kind, f"{path}[{at}]")
        case _:
            if type(value) is not shape:
                yield f"{path}: {type(value).__name__} in place of {shape.__name__}"
