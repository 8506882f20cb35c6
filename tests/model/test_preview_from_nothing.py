"""A preview of what was never set up: its stand-ins are taken by a preview only, and do not change what is approved."""

from __future__ import annotations

from pathlib import Path

import pytest

from components import stack_config
from shopsphere.deploy import locks
from shopsphere.deploy.changes import SECRET, fingerprint, without_digests
from shopsphere.deploy.locks import StackLockedError
from shopsphere.deploy.plans import inputs_of
from shopsphere.estate.stack import Environment, StackId
from shopsphere.estate.stack_files import STAND_IN, StackFileError, read
from shopsphere.foundation.paths import REPOSITORY


@pytest.mark.parametrize(
    ("previewed", "value", "taken"), [(True, STAND_IN, True), (False, STAND_IN, False), (True, "x", False)]
)
def test_a_stand_in_is_for_previews(monkeypatch: pytest.MonkeyPatch, previewed: bool, value: str, taken: bool) -> None:
    monkeypatch.setattr(stack_config, "is_dry_run", lambda: previewed)
    monkeypatch.setattr(stack_config, "is_config_secret", lambda _key: False)
    problem = stack_config._secret_problem("sessionSecret", {"sessionSecret": value})  # noqa: SLF001 - the rule itself
    assert (problem == "") is taken


def test_digests_of_secrets_are_not_compared() -> None:
    def pod(settings: str, image: str) -> dict[str, object]:
        annotations = {"shopsphere.io/settings": settings, "shopsphere.io/certificate": settings}
        return {"spec": {"template": {"metadata": {"annotations": annotations}, "containers": [{"image": image}]}}}

    approved = fingerprint(without_digests(pod("1f", "shop:1")))
    assert fingerprint(without_digests(pod("2e", "shop:1"))) == approved
    assert fingerprint(without_digests(pod("1f", "shop:2"))) != approved
    assert SECRET in str(without_digests(pod("1f", "shop:1")))


def test_a_plan_covers_the_topology_of_its_environment() -> None:
    stack = StackId("rdc-a", "frankfurt", "eu", Environment.PROD)
    assert (REPOSITORY / "topology.prod.yaml").exists()
    assert {"topology.yaml", "topology.prod.yaml"} <= inputs_of([stack]).keys()
    assert "topology.prod.yaml" not in inputs_of([StackId("rdc-a", "frankfurt", "eu", Environment.LAB)])


@pytest.mark.parametrize("content", ["config: [", "config: none", "- a", "plain"])
def test_a_stack_file_that_is_none_is_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "Pulumi.prod-x.yaml"
    file.write_text(content)
    with pytest.raises(StackFileError, match=r"Pulumi\.prod-x\.yaml"):
        read(file)


def test_a_part_under_which_nothing_stands_is_empty(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.prod-x.yaml"
    file.write_text("config:\n")
    assert read(file) == {}


@pytest.mark.parametrize("content", ["", "{}", '{"pid": 1'])
def test_a_torn_lock_says_what_to_do(tmp_path: Path, content: str) -> None:
    stack = StackId("rdc-a", "frankfurt", "eu", Environment.LAB)
    folder = tmp_path / ".pulumi" / "locks" / "organization" / "rdc-a" / stack.name
    folder.mkdir(parents=True)
    (folder / "1.json").write_text(content)
    with pytest.raises(StackLockedError, match="remove that file"):
        locks.find_locks(stack, "rdc-a", tmp_path)
