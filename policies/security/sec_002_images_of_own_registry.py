"""Programs come from a registry that the owner named, and from none that anybody may push to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from policies.kinds import is_database, is_workload, pod_spec
from policies.network.destinations import Destinations
from policies.reading import nodes, text
from policies.residency_map import topology_of
from policies.resource import Resource
from policies.rule import ResourceRule
from policies.unknown import known
from policies.verdict import violation
from shopsphere.estate.stack import Environment
from shopsphere.foundation.finding import Finding, Severity

IMAGE = re.compile(r"^(?P<registry>[^/]+)/(?P<path>[^:@]+)(?::(?P<tag>[\w.-]+))?(?:@(?P<digest>sha256:[0-9a-f]+))?$")
ON_THE_NODE = "localhost"
"""Registry of images that are loaded into the lab's nodes and pulled from nowhere."""
PUBLIC = re.compile(
    r"(^|\.)(docker\.io|docker\.com|ghcr\.io|quay\.io|gcr\.io|k8s\.io|mcr\.microsoft\.com|public\.ecr\.aws|gitlab\.com|"
    r"pkg\.dev)$"
)
BUILT = "docker:index/image:Image"
CONTAINERS = ("containers", "initContainers", "ephemeralContainers")


def applies(resource: Resource) -> bool:
    """Return whether it runs or makes an image."""
    return is_workload(resource) or is_database(resource) or resource.token == BUILT


def check(resource: Resource) -> Iterator[Finding]:
    """Find images without a registry, from one of the public, or whose content is whatever was pushed last."""
    for place, image in _images(resource):
        matched = IMAGE.match(image)
        registry = matched["registry"] if matched else ""
        host = registry.partition(":")[0]
        if matched is None or not ("." in host or ":" in registry or host == ON_THE_NODE):
            yield violation(
                f"{place}: {image or 'missing'}, without a registry", "registry/repository with tag or digest"
            )
        elif PUBLIC.search(host):
            yield violation(f"{place}: {image} of a public registry", "a registry of the site's jurisdiction")
        elif _is_elsewhere(resource, host):
            yield violation(f"{place}: {image} of another jurisdiction", "a registry of the site's jurisdiction")
        elif host == ON_THE_NODE and resource.environment == Environment.PROD:
            yield violation(f"{place}: {image}, which is nowhere to be pulled", "a registry of the site's jurisdiction")
        elif not matched["digest"] and matched["tag"] in {None, "latest"}:
            yield violation(f"{place}: {image}, whatever was pushed last", "a tag of one version, or a digest")
        elif not matched["digest"] and resource.environment == Environment.PROD and resource.token != BUILT:
            yield violation(f"{place}: {image}, by a tag that can be pushed again", "name:version@sha256:…")


def _is_elsewhere(resource: Resource, host: str) -> bool:
    """Whether a host is another jurisdiction's site; an image that is built has no label, and its stack's name one."""
    model, site = topology_of(resource), resource.site or resource.stack.partition("-")[2]
    return site in model.sites and bool(re.match(Destinations.of(model, site).hosts_elsewhere, host))


def _images(resource: Resource) -> Iterator[tuple[str, str]]:
    if is_database(resource):
        yield "spec.imageName", text(resource.props, "spec", "imageName")
    elif resource.token == BUILT:
        yield "imageName", text(resource.props, "imageName")
    else:
        for key in CONTAINERS:
            for at, container in enumerate(nodes(pod_spec(resource), key)):
                # The digest of an image that the stack builds exists after the build, and is judged then.
                image = known(partial(text, container, "image"))
                if image is not None:
                    yield f"{key}[{at}].image", image


RULE = ResourceRule(
    id="SEC-002",
    name="images-of-own-registry",
    reason="A registry that anybody may push to decides what runs beside the data; one abroad sees who runs it.",
    severity=Severity.HIGH,
    remediation="name the image in shopsphere:images with the registry of the site's jurisdiction and one version; "
    "in production its digest too",
    applies=applies,
    check=check,
)
