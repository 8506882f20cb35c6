"""What Pulumi itself says of the same injections: `refresh` and `preview --refresh`, each expecting no changes.

Without the policy pack: it judges what was read anew too, and a preview that it refuses says nothing of the rest.
"""

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
from shopsphere.deploy.environment import variables
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
STOPPED = "stopped at it"
"""The run failed, and its error is about the object: mostly because somebody else owns the field now."""
_EXPECTED_NONE = "no changes were expected"
_EDGE = "pulumi-python:dynamic/edge:"
_KUBERNETES = "kubernetes:"


@dataclass(frozen=True)
class Said:
    """One run.

    Attributes:
        verdict: found (there are changes), said clean, or could not.
        named: the objects that it would change, as drift calls them; of one that failed, those that it came to.
        stopped: the objects that its errors are about.
        problem: why it could not.
        seconds: how long it took (s).
    """

    verdict: str
    named: frozenset[str] = frozenset()
    stopped: frozenset[str] = frozenset()
    problem: str = ""
    seconds: float = 0.0

    def of(self, injection: Injection) -> str:
        """Return what it said of one injection: found, where it names its object."""
        name = called(injection)
        if name in self.stopped:
            return STOPPED
        if name in self.named:
            return FOUND
        return COULD_NOT if self.verdict == COULD_NOT or (self.verdict == FOUND and not self.named) else CLEAN


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
            environment = {**variables(stack), "PULUMI_DEBUG_COMMANDS": "true"}
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
    seen = list(events)
    if _EXPECTED_NONE not in text:
        told = dict(errors(seen))
        known = {each["metadata"]["urn"]: each["metadata"] for each in map(_about, seen) if each}
        stopped = frozenset(_object(known[urn]) for urn in told if urn in known)
        problem = " ".join(told.values()) or " ".join(text.split())[-300:]
        return Said(COULD_NOT, frozenset(changed(seen)), stopped, problem[:1000], seconds)
    return Said(FOUND, frozenset(changed(seen)), seconds=seconds)


def errors(events: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield what a run says that it failed at: URN, empty for the run as a whole, and message."""
    for event in events:
        told = event.get("diagnosticEvent") or {}
        if told.get("severity") == "error":
            yield str(told.get("urn", "")), " ".join(str(told["message"]).split())


def _about(event: Mapping[str, Any]) -> Mapping[str, Any]:
    return event.get("resourcePreEvent") or event.get("resOutputsEvent") or event.get("resOpFailedEvent") or {}


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
            "DnsZoneKeys": f"keys of zone {inputs.get('zone')}",
            "DnsZone": f"zone {inputs.get('zone')}",
            "CdnDistribution": f"distribution {inputs.get('name')}",
        }
        return names.get(kind, type_)
    return f"{type_} {name_of(metadata['urn'])}"
