"""What the engine says about resources, as changes that people read and programs compare."""

from __future__ import annotations

import json
from typing import Any

import pytest
from engine_events import SECRET, SIGNATURE, UNKNOWN, finished, metadata, planned, summed
from pulumi.automation.events import StepEventMetadata

from shopsphere.deploy.changes import change_of, mask, path_steps
from shopsphere.deploy.events import Run
from shopsphere.deploy.outcomes import EngineRun

DEPLOYMENT = "kubernetes:apps/v1:Deployment"


def run_of(*steps: StepEventMetadata, **counts: int) -> EngineRun:
    run = Run(advanced=lambda _: None, judged=lambda _: None)
    for step in steps:
        run.receive(planned(step))
        run.receive(finished(step))
    run.receive(summed(**counts))
    return run.result(1.0)


def test_each_resource_that_changes_is_named_with_its_operation() -> None:
    found = run_of(
        metadata("same", "kubernetes:core/v1:Namespace", "shop", old={}, new={}),
        metadata("create", "kubernetes:core/v1:ConfigMap", "settings", new={}),
        metadata("update", DEPLOYMENT, "shop", old={}, new={}),
        metadata("delete", "kubernetes:core/v1:Service", "old", old={}),
        metadata("refresh", DEPLOYMENT, "payments", old={}, new={}),
        same=1,
        create=1,
        update=1,
        delete=1,
    )
    assert [(each.operation, each.type, each.name) for each in found.changes] == [
        ("create", "kubernetes:core/v1:ConfigMap", "settings"),
        ("update", DEPLOYMENT, "shop"),
        ("delete", "kubernetes:core/v1:Service", "old"),
    ]
    assert (found.changed, found.total) == (3, 4)
    assert found.packs == {"shopsphere": "0.1.0"}


def test_a_provider_that_the_engine_makes_for_itself_is_no_change() -> None:
    found = run_of(
        metadata("create", "pulumi:providers:pulumi-python", "default", new={}),
        metadata("create", "pulumi:providers:kubernetes", "default_4_27_0", new={}),
        metadata("create", "pulumi:providers:kubernetes", "site", new={}),
        create=1,
    )
    assert [each.name for each in found.changes] == ["site"]


def test_a_replacement_is_one_change_and_says_what_forces_it() -> None:
    states: dict[str, Any] = {"old": {"spec": {"path": "/a"}}, "new": {"spec": {"path": "/b"}}}
    volume = "kubernetes:core/v1:PersistentVolume"
    found = run_of(
        metadata("create-replacement", volume, "v1", **states, detailed={"spec.path": "update-replace"}),
        metadata("replace", volume, "v1", **states, detailed={"spec.path": "update-replace"}),
        metadata("delete-replaced", volume, "v1", old={"spec": {"path": "/a"}}),
        replace=1,
    )
    (change,) = found.changes
    assert change.operation == "replace"
    assert change.is_destructive
    assert change.forced_by == ("spec.path",)
    assert (change.properties[0].old, change.properties[0].new) == ("/a", "/b")


def test_a_provider_that_names_keys_only_still_says_what_is_replaced_why() -> None:
    change = change_of(
        metadata("replace", "x:y:Z", "z", old={"a": 1, "b": 2}, new={"a": 9, "b": 3}, diffs=["a", "b"], keys=["b"])
    )
    assert [(each.path, each.old, each.new, each.replaces) for each in change.properties] == [
        ("a", 1, 9, False),
        ("b", 2, 3, True),
    ]


def test_properties_are_found_by_their_paths() -> None:
    old = {"spec": {"containers": [{"image": "shop:1"}], "gone": True}, "labels": {"a.b/c": "x"}}
    new = {"spec": {"containers": [{"image": "shop:2"}], "added": [1]}, "labels": {"a.b/c": "y"}}
    kinds = {
        "spec.containers[0].image": "update",
        'labels["a.b/c"]': "update",
        "spec.gone": "delete",
        "spec.added": "add",
    }
    change = change_of(metadata("update", DEPLOYMENT, "shop", old=old, new=new, detailed=kinds))
    assert [(each.path, each.kind, each.old, each.new) for each in change.properties] == [
        ('labels["a.b/c"]', "update", "x", "y"),
        ("spec.added", "add", None, [1]),
        ("spec.containers[0].image", "update", "shop:1", "shop:2"),
        ("spec.gone", "delete", True, None),
    ]


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("spec.replicas", ["spec", "replicas"]),
        ('metadata.labels["shopsphere.io/site"]', ["metadata", "labels", "shopsphere.io/site"]),
        ("rules[2].hosts[0]", ["rules", 2, "hosts", 0]),
        ('a["say \\"x\\""]', ["a", 'say "x"']),
    ],
)
def test_a_path_is_taken_apart(path: str, steps: list[str | int]) -> None:
    assert path_steps(path) == steps


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (SECRET, "[secret]"),
        ({SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "plaintext": '"hunter2"'}, "[secret]"),
        ({SIGNATURE: "d0e6a833031e9bbcd3f4e8bde6ca49a4", "value": "hunter2", "secret": True}, "[secret]"),
        ({SIGNATURE: "d0e6a833031e9bbcd3f4e8bde6ca49a4", "value": 5}, 5),
        ({SIGNATURE: "a mark of a later version", "value": "hunter2"}, "[secret]"),
        ({SIGNATURE: "c44067f5952c0a294b673a41bacd8c17", "text": "x"}, "[asset]"),
        ({"a": [UNKNOWN, {"b": SECRET}]}, {"a": ["[known after up]", {"b": "[secret]"}]}),
        ({"__provider": "gASV…"}, {"__provider": "[code of the provider]"}),
    ],
)
def test_secrets_and_unknown_values_have_a_word_in_their_place(value: object, shown: object) -> None:
    assert mask(value) == shown


def test_nothing_of_a_kubernetes_secret_is_shown_even_if_no_one_marked_it() -> None:
    old, new = {"stringData": {"password": "hunter2"}}, {"stringData": {"password": "hunter3"}}
    detailed = {"stringData.password": "update"}
    change = change_of(metadata("update", "kubernetes:core/v1:Secret", "login", old=old, new=new, detailed=detailed))
    assert (change.properties[0].old, change.properties[0].new) == ("[secret]", "[secret]")
    assert "hunter" not in json.dumps(change.model_dump(mode="json"))


def test_what_is_below_a_secret_is_secret() -> None:
    states: dict[str, Any] = {"old": {"data": SECRET}, "new": {"data": SECRET}}
    change = change_of(metadata("update", "x:y:Z", "z", **states, detailed={"data.key": "update"}))
    assert (change.properties[0].old, change.properties[0].new) == ("[secret]", "[secret]")


def test_the_fingerprint_is_that_of_the_changes_whatever_their_order() -> None:
    first = metadata("create", DEPLOYMENT, "shop", new={"replicas": 2})
    second = metadata("delete", DEPLOYMENT, "old", old={})
    assert run_of(first, second).fingerprint == run_of(second, first).fingerprint


@pytest.mark.parametrize(
    "other",
    [
        metadata("create", DEPLOYMENT, "shop", new={"replicas": 3}),
        metadata("create", DEPLOYMENT, "shop2", new={"replicas": 2}),
        metadata("replace", DEPLOYMENT, "shop", old={}, new={"replicas": 2}),
    ],
)
def test_another_value_name_or_operation_has_another_fingerprint(other: StepEventMetadata) -> None:
    first = metadata("create", DEPLOYMENT, "shop", new={"replicas": 2})
    assert run_of(first).fingerprint != run_of(other).fingerprint


def test_the_same_update_of_something_else_meanwhile_has_another_fingerprint() -> None:
    def update(before: int) -> StepEventMetadata:
        states: dict[str, Any] = {"old": {"replicas": before}, "new": {"replicas": 3}}
        return metadata("update", DEPLOYMENT, "shop", **states, detailed={"replicas": "update"})

    assert run_of(update(1)).fingerprint != run_of(update(2)).fingerprint
