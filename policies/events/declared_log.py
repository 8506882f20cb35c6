"""What a stack declares of the event log, read out of the ConfigMap that its broker's keeper reads."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from policies.kinds import is_core
from policies.reading import MalformedError, Node, mapping, nodes, text
from policies.resource import Resource
from shopsphere.estate.event_log import DECLARATION, DECLARATION_FILE, EVENT_LOG

PLACE = f"data[{DECLARATION_FILE!r}]"


def is_declaration(resource: Resource) -> bool:
    """Whether it says which topics there are."""
    return is_core(resource, "ConfigMap") and resource.name == DECLARATION


def is_event_log(resource: Resource) -> bool:
    """Whether it makes pods with volumes of their own; the event log alone does."""
    return resource.group == "apps" and resource.kind == "StatefulSet"


def declared(resource: Resource) -> Node:
    """Return the document.

    Raises:
        MalformedError: there is none, or it is no JSON.
    """
    written = text(resource.props, "data", DECLARATION_FILE)
    try:
        document: Any = json.loads(written)
    except ValueError as error:
        raise MalformedError(PLACE, "a declaration of topics and rights in JSON", written) from error
    if not isinstance(document, Mapping):
        raise MalformedError(PLACE, "a mapping with topics and rights", document)
    return document


def topics(resource: Resource) -> Sequence[Node]:
    """Return the declared topics; raises as `declared`."""
    return nodes(declared(resource), "topics")


def setting(topic: Node, name: str) -> int:
    """Return a whole number of a topic's settings; 0 where it is missing, or says that there is no bound.

    Raises:
        MalformedError: it is no number.
    """
    written = text(mapping(topic, "settings"), name)
    try:
        return max(0, int(written or "0"))
    except ValueError as error:
        raise MalformedError(f"{PLACE}: settings.{name}", "a whole number", written) from error


def in_its_namespace(resource: Resource, namespace: str | None) -> bool:
    """Whether it is in the broker's namespace, by its own word or, before that exists, by the name of the resource."""
    return namespace == EVENT_LOG if namespace is not None else resource.name.startswith(f"{EVENT_LOG}-")
