"""What the bench of drifts by somebody else sends can be taken back: patches, and the number of its injections."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import pytest

from shopsphere.foundation.paths import REPOSITORY

sys.path.append(str(REPOSITORY / "bench" / "drift"))
from drift_bench_world import GROUND, ClusterHands, deployment
from injected_databases import databases
from injected_edge import edge
from injected_hosts import hosts
from injected_objects import objects
from injected_workloads import workloads
from injections import patched
from patches import Edit, NoSuchPlaceError, change_of

Document = dict[str, Any]
EVERY = [*workloads(GROUND), *objects(GROUND), *databases(GROUND), *edge(GROUND), *hosts(GROUND)]


def test_there_are_enough_injections_and_each_has_a_name_of_its_own() -> None:
    without_hosts = [each for each in EVERY if each.family != "hosts"]
    assert len(without_hosts) >= 100
    assert len({each.kind for each in without_hosts}) >= 25
    keys = [each.key for each in EVERY]
    assert len(keys) == len(set(keys))
    assert {each.how for each in EVERY} == {"kubectl", "psql", "DNS API", "CDN API", "varnishadm", "nft"}


def applied(patch: Sequence[Document], document: Any) -> Any:
    """Return what an API server makes of a JSON patch (RFC 6902), for the operations that are used here."""
    now = deepcopy(document)
    for each in patch:
        *way, last = [part.replace("~1", "/").replace("~0", "~") for part in each["path"].split("/")[1:]]
        node = now
        for step in way:
            node = node[int(step)] if isinstance(node, list) else node[step]
        key: Any = int(last) if isinstance(node, list) else last
        match each["op"]:
            case "test":
                assert node[key] == each["value"], each
            case "remove":
                del node[key]
            case "replace":
                assert key in node if isinstance(node, dict) else key < len(node)
                node[key] = each["value"]
            case "add" if isinstance(node, list):
                assert key <= len(node)
                node.insert(key, each["value"])
            case "add":
                node[key] = each["value"]
    return now


SPEC = ("spec", "template", "spec")
SHOP = (*SPEC, "containers", {"name": "shop"})


@pytest.mark.parametrize(
    ("edits", "at", "value"),
    [
        ([Edit((*SPEC, "containers", "-"), {"name": "tap"})], "/spec/template/spec/containers/1", {"name": "tap"}),
        ([Edit((*SHOP, "env", {"name": "A"}, "value"), "2")], "/spec/template/spec/containers/0/env/0/value", "2"),
        ([Edit((*SPEC, "initContainers", "-"), {"name": "i"})], "/spec/template/spec/initContainers", [{"name": "i"}]),
        (
            [Edit(("metadata", "annotations", "a/b"), "x"), Edit(("metadata", "annotations", "c~d"), "y")],
            "/metadata/annotations",
            {"a/b": "x"},
        ),
        ([Edit(("spec", "replicas"), lambda count: count + 1)], "/spec/replicas", 3),
    ],
)
def test_a_change_names_its_place_and_can_be_taken_back(edits: list[Edit], at: str, value: object) -> None:
    before = deployment()
    change = change_of(edits, before)
    assert (change.there[0]["path"], change.there[0]["value"]) == (at, value)
    after = applied(change.there, before)
    assert after != before
    assert change.holds(after)
    assert not change.holds(before)
    left = applied(change.back, after)
    left["metadata"].pop("annotations", None)  # an empty mapping is none to an API server
    assert left == before


def test_what_is_taken_away_comes_back_at_its_place() -> None:
    before = deployment()
    before["spec"]["template"]["spec"]["containers"].append({"name": "second"})
    change = change_of([Edit(SHOP)], before)
    after = applied(change.there, before)
    assert [each["name"] for each in after["spec"]["template"]["spec"]["containers"]] == ["second"]
    assert applied(change.back, after) == before
    without = change_of([Edit((*SHOP, "env"))], before)
    gone = applied(without.there, before)
    assert "env" not in gone["spec"]["template"]["spec"]["containers"][0]
    assert applied(without.back, gone) == before
    assert without.holds(gone)
    assert not without.holds(before)


def test_a_patch_back_touches_nothing_when_the_change_was_never_made() -> None:
    before = deployment()
    change = change_of([Edit((*SPEC, "containers", "-"), {"name": "tap"})], before)
    with pytest.raises((AssertionError, IndexError)):
        applied(change.back, before)
    inserted = change_of([Edit(("spec", "egress", 0), {"to": []})], {"spec": {"egress": []}})
    with pytest.raises((AssertionError, KeyError)):
        applied(inserted.back, {"spec": {"egress": [{"ports": [53]}]}})


def test_a_patch_back_does_not_mind_what_a_server_fills_in() -> None:
    before = deployment()
    change = change_of([Edit((*SPEC, "containers", "-"), {"name": "tap", "env": [{"name": "A"}]})], before)
    after = applied(change.there, before)
    after["spec"]["template"]["spec"]["containers"][1]["terminationMessagePath"] = "/dev/termination-log"
    assert applied(change.back, after) == before


@pytest.mark.parametrize(
    "path", [("spec", "nothing"), (*SPEC, "containers", {"name": "none"}), ("spec", {"name": "x"})]
)
def test_a_place_that_is_not_there_is_an_error(path: tuple[Any, ...]) -> None:
    with pytest.raises(NoSuchPlaceError):
        change_of([Edit(path)], deployment())


def test_a_patched_object_is_read_first_and_gets_its_record_back() -> None:
    hands = ClusterHands()
    injection = patched(
        "replicas", "frankfurt", ("Deployment", "shop", "shop"), "spec.replicas", Edit(("spec", "replicas"), 3)
    )
    prepared = injection.prepare(hands)
    do, undo, tidy = prepared.do[0], prepared.undo[0], prepared.tidy[0]
    assert (do.user, undo.user, injection.author) == ("mallory", "", "mallory")
    assert "--field-manager=mallory" in do.words
    assert '--patch=[{"op": "replace", "path": "/spec/replicas", "value": 3}]' in do.words
    assert '--patch=[{"op": "add", "path": "/spec/replicas", "value": 2}]' in undo.words
    assert '"/metadata/managedFields"' in " ".join(tidy.words)
    assert "pulumi-kubernetes-1" in " ".join(tidy.words)
    assert prepared.is_there
    assert not prepared.is_there(hands)
    hands.do(do)
    assert prepared.is_there(hands)
    hands.do(undo)
    assert not prepared.is_there(hands)
