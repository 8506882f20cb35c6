"""What a property of the wrong shape is told as: where it is, what was expected and what is there."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from policies import reading
from policies.reading import MalformedError

Read = Callable[[reading.Node], object]

DOCUMENT: dict[str, Any] = {
    "spec": {
        "name": "shop",
        "replicas": 2.0,
        "ports": [{"port": 80.0}, {"port": 443.0}],
        "zones": ["a", "b"],
        "mixed": ["a", 1],
        "half": 1.5,
        "less": -1,
        "ready": True,
        "nothing": None,
    }
}

WRONG: dict[str, tuple[Read, str]] = {
    "text for a mapping": (
        lambda node: reading.mapping(node, "spec", "name"),
        "spec.name: expected a mapping, found a str",
    ),
    "text for a mapping on the way": (
        lambda node: reading.mapping(node, "spec", "name", "first", "letter"),
        "spec.name: expected a mapping, found a str",
    ),
    "text for a list": (lambda node: reading.items(node, "spec", "name"), "spec.name: expected a list, found a str"),
    "mapping for a list": (lambda node: reading.items(node, "spec"), "spec: expected a list, found a mapping"),
    "text in a list of mappings": (
        lambda node: reading.nodes(node, "spec", "zones"),
        "spec.zones[0]: expected a mapping, found a str",
    ),
    "number in a list of texts": (
        lambda node: reading.texts(node, "spec", "mixed"),
        "spec.mixed[1]: expected text, found a int",
    ),
    "list for a text": (lambda node: reading.text(node, "spec", "zones"), "spec.zones: expected text, found a list"),
    "part of a number": (
        lambda node: reading.whole_number(node, "spec", "half", default=0),
        "spec.half: expected a whole number of at least 0, found a float",
    ),
    "number below 0": (
        lambda node: reading.whole_number(node, "spec", "less", default=0),
        "spec.less: expected a whole number of at least 0, found a int",
    ),
    "truth for a number": (
        lambda node: reading.whole_number(node, "spec", "ready", default=0),
        "spec.ready: expected a whole number of at least 0, found a bool",
    ),
    "truth for a quantity": (
        lambda node: reading.quantity(node["spec"]["ready"], "spec.ready"),
        "spec.ready: expected a Kubernetes quantity, as in 250m or 512Mi, found a bool",
    ),
    "text for a quantity": (
        lambda _: reading.quantity("all", "spec.hard"),
        "spec.hard: expected a Kubernetes quantity, as in 250m or 512Mi, found 'all'",
    ),
    "no quantity": (
        lambda node: reading.quantity(node["spec"]["nothing"], "spec.nothing"),
        "spec.nothing: expected a Kubernetes quantity, as in 250m or 512Mi, found missing",
    ),
}


@pytest.mark.parametrize(("read", "told"), WRONG.values(), ids=WRONG)
def test_the_wrong_shape_is_an_error_that_says_where_and_what(read: Read, told: str) -> None:
    with pytest.raises(MalformedError) as caught:
        read(DOCUMENT)
    assert str(caught.value) == told


RIGHT: dict[str, tuple[Read, object]] = {
    "mapping": (lambda node: reading.mapping(node, "spec"), DOCUMENT["spec"]),
    "list": (lambda node: reading.items(node, "spec", "mixed"), ["a", 1]),
    "mappings": (lambda node: reading.nodes(node, "spec", "ports"), [{"port": 80.0}, {"port": 443.0}]),
    "texts": (lambda node: reading.texts(node, "spec", "zones"), ["a", "b"]),
    "text": (lambda node: reading.text(node, "spec", "name"), "shop"),
    "number": (lambda node: reading.whole_number(node, "spec", "replicas", default=1), 2),
    "quantity": (lambda _: reading.quantity("250m", "cpu"), Decimal("0.25")),
    "no mapping": (lambda node: reading.mapping(node, "spec", "nothing", "x"), {}),
    "no list": (lambda node: reading.items(node, "none", "x"), ()),
    "no text": (lambda node: reading.text(node, "spec", "nothing"), ""),
    "no number": (lambda node: reading.whole_number(node, "spec", "nothing", default=3), 3),
}


@pytest.mark.parametrize(("read", "value"), RIGHT.values(), ids=RIGHT)
def test_what_is_there_is_read_and_what_is_missing_is_empty(read: Read, value: object) -> None:
    assert read(DOCUMENT) == value
