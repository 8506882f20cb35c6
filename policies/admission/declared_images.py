"""Images that a site's stack declares: whoever may make a pod's template may not choose another program.

A registry that no list names as public, or as another jurisdiction's, is anybody's. So what a pod with a database's
secret runs is of the repositories that the stack's configuration names.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from policies.admission.language import Validation, literal, told
from policies.security.sec_002_images_of_own_registry import IMAGE
from shopsphere.estate import stack_files
from shopsphere.estate.stack import Environment, site_stack
from shopsphere.topology import Topology

IMAGES_KEY = f"{stack_files.NAMESPACE}:images"
NOTHING = "^[^\\s\\S]"
"""Matches no text: a site without declared images runs none."""


def committed_configuration(model: Topology, site: str, environment: Environment) -> Mapping[str, Any]:
    """Return the committed configuration of a site's stack; empty where it has none.

    Raises:
        StackFileError: the stack's file cannot be read.
    """
    stack = site_stack(model, site, environment)
    file = stack_files.base_file(stack) if environment is Environment.LAB else stack_files.project_file(stack)
    config: dict[str, Any] = stack_files.read(file).get("config", {})
    return config


def declared_images(config: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the references that a stack's configuration names; none where it names none."""
    return {name: str(reference) for name, reference in config.get(IMAGES_KEY, {}).items()}


def has_event_log(config: Mapping[str, Any]) -> bool:
    """Return whether a stack's configuration gives its site an event log."""
    return config.get(stack_files.KAFKA_KEY) is not None


def repository_of(reference: str) -> str:
    """Return registry and path of a reference; empty where it has none."""
    matched = IMAGE.match(reference)
    return f"{matched['registry']}/{matched['path']}" if matched else ""


def pattern_of(references: Collection[str], *, digest: bool = False) -> str:
    """Return a regular expression (RE2) of the references with the repository of one of these, and any version.

    Args:
        references: as a stack declares them.
        digest: whether a digest that one of them has is wanted, too.
    """
    found = sorted({_one(each, digest=digest) for each in references if IMAGE.match(each)})
    return f"^({'|'.join(found)})$" if found else NOTHING


def is_declared(images: str, references: Collection[str], *, digest: bool = False) -> Validation:
    """Return what has to be true of images, beside what is true of those of any pod.

    Args:
        images: CEL of a list of references.
        references: that the site's stack declares for them.
        digest: as of `pattern_of`.
    """
    return Validation(
        "SEC-002",
        f"{images}.all(i, i.matches({literal(pattern_of(references, digest=digest))}))",
        "an image that the site's stack does not declare here: another program would have the secrets; allowed: "
        f"{told(frozenset(map(repository_of, references)) - {''})}{', by its digest' if digest else ''}",
    )


def _one(reference: str, *, digest: bool) -> str:
    matched = IMAGE.match(reference)
    if matched is None:
        return ""
    wanted = f"@{matched['digest']}" if digest and matched["digest"] else "(@sha256:[0-9a-f]{64})?"
    return f"{re.escape(repository_of(reference))}(:[A-Za-z0-9_.-]+)?{wanted}"
