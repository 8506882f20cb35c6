"""A rebuilt image keeps its tag: what runs it is rolled, and what ran it is done again as it was declared."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from lab.cluster.addons import kubectl
from lab.paths import disk_directory
from shopsphere.estate.ready_workloads import WorkloadKind
from shopsphere.foundation.files import write_whole
from shopsphere.foundation.process import CommandError
from shopsphere.foundation.progress import say

_MADE_BY_ITSELF = ("controller-uid", "job-name")
"""Ends of the labels that a job gives its own pods."""
_REFUSED = ("denied request", "is invalid")
"""What the API server says of a job that it will never take as it is noted."""


def roll_workloads(site: str, references: Collection[str]) -> None:
    """Roll the deployments, and the event log's StatefulSet, that run one of these images."""
    for kind in WorkloadKind:
        for each in _users(site, f"{kind}s", references):
            name, namespace = each["metadata"]["name"], each["metadata"]["namespace"]
            kubectl(site, "rollout", "restart", f"{kind}/{name}", "-n", namespace)


def repeat_jobs(site: str, references: Collection[str]) -> None:
    """Repeat the jobs that ran one of these images, and those that a bring-up that broke off has left.

    A job's name stays and what it runs cannot change in its place, so the old one goes first. What was declared is on
    the disk before that, and goes when the new ones are there: new pods would wait for ever for a job that is gone.
    """
    note = _to_repeat(site)
    noted: list[dict[str, Any]] = json.loads(note.read_text()) if note.exists() else []
    left = {each.get("uid") for each in noted}
    found = [_as_declared(job) for job in _users(site, "jobs", references)]
    noted += [each for each in found if each["uid"] not in left]
    if not noted:
        return
    namespaces = {each["metadata"]["name"]: each["metadata"] for each in _all(site, "namespaces")}
    for each in noted:
        each.setdefault("of", namespaces.get(each["job"]["metadata"]["namespace"], {}).get("uid"))
    write_whole(note, json.dumps(noted), mode=0o600)
    for each in noted:
        _repeat(site, each, namespaces)
    note.unlink()


def _to_repeat(site: str) -> Path:
    return disk_directory(site) / "jobs-to-repeat.json"


def _all(site: str, kind: str) -> list[dict[str, Any]]:
    where = [] if kind == "namespaces" else ["--all-namespaces"]
    found: list[dict[str, Any]] = json.loads(kubectl(site, "get", kind, *where, "--show-managed-fields", "-o", "json"))[
        "items"
    ]
    return found


def _users(site: str, kind: str, references: Collection[str]) -> list[dict[str, Any]]:
    if not references:
        return []
    return [
        each
        for each in _all(site, kind)
        if any(container["image"] in references for container in each["spec"]["template"]["spec"]["containers"])
    ]


def _as_declared(job: dict[str, Any]) -> dict[str, Any]:
    """Return a job as it was declared, who declared it, and which one it is."""
    metadata, spec = job["metadata"], job["spec"]
    author = next(each["manager"] for each in metadata["managedFields"] if each.get("subresource") != "status")
    kept = {key: metadata[key] for key in ("name", "namespace", "labels", "annotations") if key in metadata}
    pods = spec["template"]
    labels = {key: value for key, value in pods["metadata"]["labels"].items() if not key.endswith(_MADE_BY_ITSELF)}
    template = {**pods, "metadata": {"labels": labels}}
    made = {"backoffLimit": spec["backoffLimit"], "template": template}  # the rest are the API server's own values
    declared = {"apiVersion": "batch/v1", "kind": "Job", "metadata": kept, "spec": made}
    return {"author": author, "uid": metadata["uid"], "job": declared}


def _repeat(site: str, noted: dict[str, Any], namespaces: dict[str, dict[str, Any]]) -> None:
    """Make a job anew in the name of who declared it, unless somebody made another one or removed all of it since."""
    job = noted["job"]
    name, namespace = job["metadata"]["name"], job["metadata"]["namespace"]
    place = namespaces.get(namespace, {})
    if not place or "uid" not in noted or place["uid"] != noted["of"] or "deletionTimestamp" in place:
        return  # a stack was destroyed; whoever deploys it again makes its jobs
    said = kubectl(site, "get", f"job/{name}", "-n", namespace, "--ignore-not-found", "-o", "json")
    if said and json.loads(said)["metadata"]["uid"] != noted["uid"]:
        return  # a newer one, of a deployment or of an earlier try
    if said:
        words = ("--cascade=foreground", "--timeout=60s", "--ignore-not-found")
        kubectl(site, "delete", f"job/{name}", "-n", namespace, *words)
    try:
        kubectl(site, "apply", "--server-side", f"--field-manager={noted['author']}", "-f", "-", stdin=json.dumps(job))
    except CommandError as error:
        if not any(each in str(error) for each in _REFUSED):
            raise
        # Noted for ever, it would break every bring-up; a deployment that refreshes its state makes the job that is
        # allowed now.
        say(f"{site}: job {namespace}/{name} is refused as it was, so it is gone: `shopsphere up {site} --refresh`")
