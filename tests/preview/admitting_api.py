"""Asks a real API server that applies admission policies for its verdict on an object."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from admission_case import Document, labels
from kube_api import DEPLOYER, KubeApi
from refused_objects import REFUSED

from shopsphere.foundation.clock import wait_until

DENIED = re.compile(r"ValidatingAdmissionPolicy 'shopsphere-[a-z-]+' .*denied request: (?P<rule>[A-Z]{3}-[0-9]{3}): ")


def applied(api: KubeApi, documents: Sequence[Mapping[str, Any]]) -> None:
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": [whole(each) for each in documents]})
    api.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=listed, context=DEPLOYER)


def in_force(api: KubeApi) -> None:
    """Wait until the API server asks every policy: it reads new ones after some tenths of a second."""
    wanted = (REFUSED["namespace of any pods"], REFUSED["administrator"])
    wait_until(
        lambda: all(verdict(api, dict(each.added or {})) == each.rule for each in wanted),
        what="the policies", seconds=120, interval=0.2,
    )  # fmt: skip


def whole(value: Any) -> Any:
    """A document as the API server takes it: secrets in the clear, and whole numbers, which are floats before."""
    match value:
        case {"4dabf18193072939515e22adb298388d": _, "value": secret}:
            return whole(secret)
        case Mapping():
            return {key: whole(part) for key, part in value.items()}
        case list() | tuple():
            return [whole(part) for part in value]
        case float() if value.is_integer():
            return int(value)
        case _:
            return value


def create(
    api: KubeApi, document: Mapping[str, Any], *, namespace: str = "", user: str = "", dry_run: bool = True,
    verb: str = "create",
) -> str:  # fmt: skip
    """Create, or replace, one object and return what was said against it."""
    who = [f"--as={user}", "--as-group=system:masters", "--as-group=system:authenticated"] if user else []
    words = [*who, *([f"--namespace={namespace}"] if namespace else []), *(["--dry-run=server"] if dry_run else [])]
    done = api.kubectl(verb, *words, "-f", "-", stdin=json.dumps(whole(document)), context=DEPLOYER, check=False)
    return "" if done.code == 0 else done.stderr


def verdict(api: KubeApi, document: Mapping[str, Any], *, user: str = "", verb: str = "create") -> str:
    """Return the id of the rule that refuses an object; empty where it is let in."""
    said = create(api, document, user=user, verb=verb)
    matched = DENIED.search(said)
    assert matched or not said or "AlreadyExists" in said, said
    return matched["rule"] if matched else ""


def pod(spec: Mapping[str, Any], own: Mapping[str, str] | None = None) -> Document:
    """A pod that Pod Security lets in, in the ledger's namespace."""
    container = {
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        **spec["containers"][0],
    }
    security = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    metadata = {"name": "planted", "namespace": "data-ledger", "labels": labels("payment") if own is None else own}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"securityContext": security, **spec, "containers": [container]},
    }
