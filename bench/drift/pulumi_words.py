"""What Pulumi itself says of the same injections: `refresh` and `preview --refresh`, each expecting no changes."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from injections import Injection

from shopsphere.deploy.changes import PARTS_OF_A_REPLACEMENT, PROVIDER, UNCHANGED, name_of
from shopsphere.deploy.environment import pack_variables, variables
from shopsphere.deploy.programs import ensure_kubernetes_plugin, find_program
from shopsphere.estate.stack import StackId
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.process import run

COMMANDS = {
    "refresh": ("refresh", "--preview-only", "--expect-no-changes"),
    "preview": ("preview", "--refresh", "--expect-no-changes"),
}
"""The two questions, by the name that results have for them."""
PULUMI_SECONDS = 600.0
FOUND, CLEAN, COULD_NOT, NOT_ASKED = "found", "said clean", "could not", "not asked"
_EXPECTED_NONE = "no changes were expected"
_EDGE = "pulumi-python:dynamic/edge:"
_KUBERNETES = "kubernetes:"


@dataclass(frozen=True)
class Said:
    """One run.

    Attributes:
        verdict: found (there are changes), said clean, or could not.
        named: the objects that it would change, as drift calls them.
        problem: why it could not.
        seconds: how long it took (s).
    """

    verdict: str
    named: frozenset[str] = frozenset()
    problem: str = ""
    seconds: float = 0.0

    def of(self, injection: Injection) -> str:
        """Return what it said of one injection: found, where it names its object."""
        if self.verdict == COULD_NOT or (self.verdict == FOUND and not self.named):
            return COULD_NOT
        return FOUND if called(injection) in self.named else CLEAN


def called(injection: Injection) -> str:
    """Return how a stack's resource of the same object is called here: a record is one resource for all authorities."""
    return injection.object.partition(" at ")[0]


def ask(stack: StackId, command: str) -> Said:
    """Run one of the commands in a stack's own environment, as `shopsphere env` prints it; it changes nothing."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="drift-bench-") as folder:
        log = Path(folder) / "events"
        words = (*COMMANDS[command], "--stack", stack.name, "--non-interactive", "--event-log", str(log))
        try:
            ensure_kubernetes_plugin()
            environment = {**variables(stack), **pack_variables(), "PULUMI_DEBUG_COMMANDS": "true"}
            done = run(
                [find_program("pulumi"), *words], cwd=stack.folder, env=environment, seconds=PULUMI_SECONDS, check=False
            )
        except ShopSphereError as error:
            return Said(COULD_NOT, problem=str(error)[-300:], seconds=round(time.monotonic() - began, 1))
        events = log.read_text().splitlines() if log.exists() else []
    seconds = round(time.monotonic() - began, 1)
    return said(done.code, done.stdout + done.stderr, (json.loads(each) for each in events), seconds)


def said(code: int, text: str, events: Iterable[Mapping[str, Any]], seconds: float) -> Said:
    """Return what exit code, text and events of a run mean."""
    if not code:
        return Said(CLEAN, seconds=seconds)
    if _EXPECTED_NONE not in text:
        return Said(COULD_NOT, problem=" ".join(text.split())[-300:], seconds=seconds)
    return Said(FOUND, frozenset(changed(events)), seconds=seconds)


def changed(events: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the objects that a run changes, or would change."""
    for event in events:
        told = event.get("resourcePreEvent") or event.get("resOutputsEvent")
        if not told:
            continue
        metadata = told["metadata"]
        is_default = metadata["type"].startswith(PROVIDER) and name_of(metadata["urn"]).startswith("default")
        if metadata["op"] not in UNCHANGED | PARTS_OF_A_REPLACEMENT and not is_default:
            yield _object(metadata)


def _object(metadata: Mapping[str, Any]) -> str:
    type_, state = str(metadata["type"]), metadata.get("old") or metadata.get("new") or {}
    inputs, kind = state.get("inputs") or {}, type_.rpartition(":")[2]
    if type_.startswith(_KUBERNETES):
        place = inputs.get("metadata") or {}
        named = state.get("id") or "/".join(filter(None, (place.get("namespace"), place.get("name"))))
        return f"{kind} {named}"
    if type_.startswith(_EDGE):
        names = {
            "DnsRRset": f"{inputs.get('name')} {inputs.get('type')}",
            "DnsPairState": f"{inputs.get('name')} LUA",
            "DnsZone": f"zone {inputs.get('zone')}",
            "CdnDistribution": f"distribution {inputs.get('name')}",
        }
        return names.get(kind, type_)
    return f"{type_} {name_of(metadata['urn'])}"
