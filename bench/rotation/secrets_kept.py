"""Where secrets of a kind are after a rotation: in both stacks, in both clusters, and in what pods began with."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lab.cluster.addons import kubectl
from shopsphere.deploy.secrets import read_secrets
from shopsphere.estate.pair_secrets import other_name
from shopsphere.estate.renewal import KINDS, SESSION_KEYS, SecretKind, Stage
from shopsphere.estate.stack import Environment, site_stack
from shopsphere.topology import Pair, Topology

Held = dict[str, str]
"""Secrets of a kind, by their names in a stack's configuration; with those that are believed beside them."""
PROGRAMS = ("shop", "payments")
"""Workloads of the pair's own that read secrets when they start; each is a namespace and a container, too."""
BELIEVED = "_OTHER"
"""End of the names of variables with secrets that are believed, and not used."""
COMPARING = """
import json, os, sys
given = json.loads(sys.stdin.read())
held = {name: value.strip() for name, value in os.environ.items()}
print(json.dumps([[name, variable] for name, value in given.items() for variable in held if held[variable] == value]))
"""


def held_by_stacks(topology: Topology, pair: Pair, kind: str) -> list[Held]:
    """Return what the stacks of both sites hold, the primary's first."""
    names = [name for each in KINDS[kind].names for name in (each, other_name(each))]
    found = []
    for site in pair.sites:
        secrets = read_secrets(site_stack(topology, site, Environment.LAB))
        found.append({name: secrets[name] for name in names if name in secrets})
    return found


def gone_after(kind: SecretKind, before: Held) -> Held:
    """Return what must be nowhere after a rotation: what it replaced, or with session keys what that had replaced."""
    if kind.keeps_other and Stage.ALONE not in kind.stages:
        return {other_name(name): before[other_name(name)] for name in kind.names if other_name(name) in before}
    return {name: before[name] for name in kind.names}


def wrong_stacks(kind: SecretKind, before: Held, after: list[Held]) -> list[str]:
    """Return what is wrong with both stacks' secrets; their names alone."""
    first, second = after
    found = [f"stacks differ: {name}" for name in sorted({*first, *second}) if first.get(name) != second.get(name)]
    found += [f"not renewed: {name}" for name in kind.names if first.get(name) in {None, before.get(name)}]
    kept = kind is SESSION_KEYS
    for name in kind.names:
        beside = first.get(other_name(name))
        if beside != (before[name] if kept else None):
            what = "another secret than the old one" if kept else "still a second one"
            found.append(f"beside the new {name}: {what}")
    return found


def texts(documents: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield every text that Secrets and ConfigMaps hold, with its place: data, and annotations, which keep copies."""
    for each in documents:
        at = f"{each['kind']} {each['metadata']['namespace']}/{each['metadata']['name']}"
        for key, value in (each.get("data") or {}).items():
            plain = base64.b64decode(value).decode(errors="replace") if each["kind"] == "Secret" else value
            yield f"{at} {key}", plain
        for key, value in (each["metadata"].get("annotations") or {}).items():
            yield f"{at} annotation {key}", value


def places_of(value: str, found: Iterable[tuple[str, str]]) -> list[str]:
    """Return where a secret is, alone or as a part of a text, as in a bundle of certificates."""
    return [place for place, text in found if value.strip() in text]


def wrong_cluster(site: str, gone: Held, used: Held, documents: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return which secrets a site's cluster should not have any more, and which it lacks; their names alone."""
    found = list(texts(documents))
    left = [f"old secret left: {name} in {place} of {site}" for name in gone for place in places_of(gone[name], found)]
    return left + [f"new secret missing: {name} at {site}" for name in used if not places_of(used[name], found)]


def documents_of(site: str) -> list[dict[str, Any]]:
    """Return the Secrets and ConfigMaps of a site's cluster, of every namespace."""
    return list(json.loads(kubectl(site, "get", "secrets,configmaps", "-A", "-o", "json"))["items"])


def wrong_pods(site: str, gone: Held, before: Held) -> list[str]:
    """Return which pods of the site began with an old secret.

    Args:
        site: whose.
        gone: must be in no pod.
        before: what was used before the rotation: a pod may believe it at most, and use another one.
    """
    found = []
    given = {f"used before, {name}": value for name, value in before.items()} | gone
    for program in PROGRAMS:
        for pod in running(site, program):
            words = ["exec", "-i", "-n", program, pod, "-c", program, "--", "/usr/bin/python3.11", "-c", COMPARING]
            said = kubectl(site, *words, stdin=json.dumps(given))
            held = json.loads(said.strip().splitlines()[-1])
            found += [
                f"old secret left: {name} in pod {pod} of {site}, {variable}"
                for name, variable in held
                if name in gone or not variable.endswith(BELIEVED)
            ]
    return found


def running(site: str, program: str) -> list[str]:
    """Return the names of a workload's pods that run and are not about to end."""
    listed = json.loads(kubectl(site, "get", "pods", "-n", program, "-o", "json"))["items"]
    return [
        each["metadata"]["name"]
        for each in listed
        if each["status"].get("phase") == "Running"
        and "deletionTimestamp" not in each["metadata"]
        and any(container["name"] == program for container in each["spec"]["containers"])
    ]
