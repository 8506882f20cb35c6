"""The CDN carries static assets and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.reading import text, texts
from policies.residency_map import known, topology_of
from policies.resource import Resource
from policies.rule import ResourceRule
from policies.verdict import violation
from shopsphere.foundation.finding import Finding, Severity

DYNAMIC = "pulumi-python:dynamic"
CDN_TYPE = re.compile(r"cdn|cloudfront|fastly|akamai|frontdoor", re.IGNORECASE)
PLAIN_PATH = re.compile(r"^(/[A-Za-z0-9_-]+)+/$")
"""No wildcard, no escape and no `..` that a CDN could read as something wider."""


def applies(resource: Resource) -> bool:
    """Return whether it is a CDN's: by its type, or a dynamic resource without a type of its own that has origins."""
    if CDN_TYPE.search(resource.token):
        return resource.token.startswith(DYNAMIC) or resource.provider is not None
    unnamed = resource.token == f"{DYNAMIC}:Resource"
    return unnamed and any("origins" in key.lower() or key == "paths" for key in resource.props)


def check(resource: Resource) -> Iterator[Finding]:
    """Find classes and paths that a CDN may not carry."""
    cdn = topology_of(resource).cdn
    data_class = text(resource.props, "dataClass")
    if data_class not in cdn.carries:
        yield violation(f"dataClass: {data_class or 'missing'}", known(cdn.carries))
    paths = texts(resource.props, "paths")
    if not paths:
        yield violation("no paths, so all of the origin", f"paths below {known(cdn.paths)}")
    for path in paths:
        below = any(path.startswith(prefix) for prefix in cdn.paths)
        if not (below and PLAIN_PATH.match(path)):
            yield violation(f"path {path}", f"a plain prefix below {known(cdn.paths)}")


RULE = ResourceRule(
    id="RES-030",
    name="cdn-static-only",
    reason="The CDN is a public cloud outside every jurisdiction: what passes through it has left.",
    severity=Severity.CRITICAL,
    remediation="serve only the paths of topology.yaml (cdn.paths) and label the origin with a class it may carry",
    applies=applies,
    check=check,
)
