"""What the engine says about one resource, as a change that people and programs can read; secrets are masked."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pulumi.automation.events import StepEventMetadata, StepEventStateMetadata
from pulumi.runtime.rpc import UNKNOWN as UNKNOWN_VALUE

from shopsphere.deploy.outcomes import CREATE, DELETE, PropertyChange, ResourceChange

SECRET = "[secret]"  # noqa: S105 - the mask, not a secret
PROVIDER = "pulumi:providers:"
UNKNOWN = "[known after up]"
PROVIDER_CODE = "[code of the provider]"
UNCHANGED = frozenset({"same", "read", "refresh"})
PARTS_OF_A_REPLACEMENT = frozenset(
    {"create-replacement", "delete-replaced", "discard-replaced", "read-replacement", "remove-pending-replace"}
)
"""Steps of which a replacement consists; the engine tells of the whole as `replace`."""

# How Pulumi marks special values inside plain JSON: sdk/go/common/resource/sig.
SIGNATURE = "4dabf18193072939515e22adb298388d"
SPECIAL = {
    "1b47061264138c4ac30d75fd1eb44270": SECRET,
    "c44067f5952c0a294b673a41bacd8c17": "[asset]",
    "0def7320c3a5731c473e5ecbe6d01bc7": "[archive]",
    "5cf8f73096256a8f31e491e813e4eb8e": "[resource]",
}
SECRET_DIGESTS = frozenset({"shopsphere.io/settings", "shopsphere.io/certificate"})
"""Annotations of pod templates with which pods are replaced when a secret changes."""
OUTPUT_VALUE = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
KUBERNETES_SECRET = re.compile(r"^kubernetes:core/v1:(Secret|SecretPatch)$")
PATH_PART = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.\[\]]+)')


def is_change(metadata: StepEventMetadata) -> bool:
    """Whether a step of the engine changes a resource of the program.

    Steps that are only a part of a replacement do not, nor do steps of default providers: the engine makes those for
    itself, and does not count them either.
    """
    operation = operation_of(metadata)
    if operation in UNCHANGED or operation in PARTS_OF_A_REPLACEMENT:
        return False
    return not (metadata.type.startswith(PROVIDER) and name_of(metadata.urn).startswith("default"))


def name_of(urn: str | None) -> str:
    """Return a resource's name in the program; empty without a URN."""
    return urn.rsplit("::", 1)[-1] if urn else ""


def operation_of(metadata: StepEventMetadata) -> str:
    """Return the engine's word for a step."""
    return str(getattr(metadata.op, "value", metadata.op))


def change_of(metadata: StepEventMetadata) -> ResourceChange:
    """Return a step of the engine as a change."""
    operation = operation_of(metadata)
    properties = () if operation in {CREATE, DELETE} else tuple(_properties(metadata))
    inputs = _masked(metadata.type, metadata.new.inputs if metadata.new else None)
    content = [operation, metadata.urn, without_digests(inputs), [each.model_dump(mode="json") for each in properties]]
    return ResourceChange(
        operation=operation,
        type=metadata.type,
        name=name_of(metadata.urn),
        urn=metadata.urn,
        properties=properties,
        fingerprint=fingerprint(content),
    )


def without_digests(value: Any) -> Any:
    """Return inputs without digests of secrets: like secrets, they are not compared with what was approved.

    A preview of a stack whose secrets were not made yet has other digests than the deployment that makes them.
    """
    if isinstance(value, Mapping):
        return {key: SECRET if key in SECRET_DIGESTS else without_digests(part) for key, part in value.items()}
    return [without_digests(part) for part in value] if isinstance(value, list) else value


def fingerprint(content: object) -> str:
    """Return the SHA-256 of a JSON document, independent of the order of its keys."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def mask(value: Any) -> Any:
    """Return a value without secrets, with a word in place of what has no plain form."""
    if isinstance(value, Mapping):
        signature = value.get(SIGNATURE)
        if signature == OUTPUT_VALUE:
            return SECRET if value.get("secret") else mask(value.get("value", UNKNOWN))
        if signature is not None:
            # A mark that nobody here knows may be that of a secret.
            return SPECIAL.get(str(signature), SECRET)
        return {str(key): PROVIDER_CODE if key == "__provider" else mask(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [mask(part) for part in value]
    return UNKNOWN if value == UNKNOWN_VALUE else value


def _masked(kind: str, properties: Mapping[str, Any] | None) -> Any:
    found = mask(properties or {})
    if KUBERNETES_SECRET.match(kind):
        # Secret by its kind, also where a program forgot to say so.
        for part in ("data", "stringData"):
            if isinstance(found.get(part), dict):
                found[part] = dict.fromkeys(found[part], SECRET)
    return found


def _properties(metadata: StepEventMetadata) -> Iterable[PropertyChange]:
    kind, detailed = metadata.type, metadata.detailed_diff or {}
    old_inputs, old_outputs = _state(kind, metadata.old)
    new_inputs, _ = _state(kind, metadata.new)
    forced = set(metadata.keys or ())
    for path in sorted(detailed):
        diff = detailed[path]
        word = str(getattr(diff.diff_kind, "value", diff.diff_kind))
        change = word.removesuffix("-replace")
        steps = path_steps(path)
        old = _at(old_inputs, steps) if diff.input_diff else _at(old_outputs, steps, _at(old_inputs, steps))
        yield PropertyChange(
            path=path,
            kind=change,
            replaces=word != change or path in forced,
            old=None if change == "add" else old,
            new=None if change == DELETE else _at(new_inputs, steps),
        )
    if not detailed:
        for key in sorted({*(metadata.diffs or ()), *forced}):
            yield PropertyChange(
                path=key,
                kind="update",
                replaces=key in forced,
                old=_at(old_inputs, [key], _at(old_outputs, [key])),
                new=_at(new_inputs, [key]),
            )


def _state(kind: str, state: StepEventStateMetadata | None) -> tuple[Any, Any]:
    return (_masked(kind, state.inputs), _masked(kind, state.outputs)) if state else ({}, {})


def path_steps(path: str) -> list[str | int]:
    """Return the keys and indices of a property path, as in `spec.containers[0]["a.b"]`."""
    return [
        int(index) if index else (quoted.replace('\\"', '"') if quoted else plain)
        for quoted, index, plain in PATH_PART.findall(path)
    ]


def _at(value: Any, steps: list[str | int], missing: Any = None) -> Any:
    """Return what is at a path; below a mask there is only the mask."""
    for step in steps:
        if value == SECRET:
            return SECRET
        is_key = isinstance(value, dict) and step in value
        is_index = isinstance(value, list) and isinstance(step, int) and step < len(value)
        if is_key or is_index:
            value = value[step]
        else:
            return missing
    return value
