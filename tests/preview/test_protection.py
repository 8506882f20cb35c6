"""What holds data, with the real engine: protected, refused unless named, then unprotected, and protected again.

The tests are one story, in their order.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Never

import pytest
from active_site import ActiveSite
from test_runner import DUBLIN, FRANKFURT, configure, everything, project, resources  # noqa: F401 - a fixture

from cli import main as cli
from shopsphere.deploy import arming, fixed_sizes
from shopsphere.deploy.engine import Engine
from shopsphere.deploy.environment import variables
from shopsphere.deploy.protection import unprotect
from shopsphere.estate import stack_files
from shopsphere.estate.paths import state_directory
from shopsphere.foundation.process import Result, run
from shopsphere.witness import access

UP = ["up", "frankfurt", "--verify-seconds", "0"]
VOLUME = "kubernetes:core/v1:PersistentVolume"
HOLDERS = {
    *("pulumi-python:dynamic/edge:CdnDistribution", "kubernetes:core/v1:Namespace"),
    *("kubernetes:storage.k8s.io/v1:StorageClass", VOLUME, "kubernetes:postgresql.cnpg.io/v1:Cluster"),
}


WITNESS_OF = access.witness_of
"""The way to a real witness, of which there is none here."""


class NoObjects:
    """A site's API that has none of what is asked for."""

    def find(self, _path: str) -> None:
        return None


@pytest.fixture(scope="module", autouse=True)
def surroundings() -> Iterator[None]:
    """Dublin is active, and no volume is in use; that the pack is armed is shown by other tests, and takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arming, "require_armed_pack", lambda: 24)
        patch.setattr(access, "witness_of", lambda *_: ActiveSite("dublin"))
        patch.setattr(fixed_sizes, "cluster_of", lambda *_, **__: NoObjects())
        yield


def state() -> list[Mapping[str, Any]]:
    file = state_directory("eu") / ".pulumi" / "stacks" / "tiny" / "lab-frankfurt.json"
    found: list[Mapping[str, Any]] = json.loads(file.read_text())["checkpoint"]["latest"].get("resources", [])
    return found


def protected() -> set[str]:
    return {each["type"] for each in state() if each.get("protect")}


def kept() -> dict[str, str]:
    """Identity of each resource that is protected."""
    return {each["urn"]: each["id"] for each in state() if each.get("protect")}


def as_it_is() -> dict[str, Any]:
    """Identity and inputs of each resource, without its protection; a provider's are the stack's configuration."""
    return {
        each["urn"]: (each.get("id"), without_ciphers(each.get("inputs", {})))
        for each in state()
        if not each["type"].startswith("pulumi:providers:")
    }


def without_ciphers(value: Any) -> Any:
    """Leave out what a secret looks like in the state: it is encrypted anew by each run, with the same value."""
    if isinstance(value, dict):
        return {name: without_ciphers(each) for name, each in value.items() if name != "ciphertext"}
    return [without_ciphers(each) for each in value] if isinstance(value, list) else value


def by_hand(*words: str) -> Result:
    command = ["pulumi", *words, "-s", FRANKFURT.name, "--non-interactive"]
    return run(command, check=False, seconds=600, cwd=FRANKFURT.folder, env=variables(FRANKFURT))


def told(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join(capsys.readouterr().err.split())


@pytest.fixture(scope="module")
def deployed(project: Path, surroundings: None) -> Path:  # noqa: F811 - the fixture
    """Frankfurt, deployed by an older version that protected nothing."""
    assert cli.run(UP) == 0
    assert protected() == set()
    return project


@pytest.mark.requirement("a stack of an older version is protected by the next `up`, which shows no change")
def test_an_older_stack_is_protected_by_the_next_up(deployed: Path) -> None:
    configure(protected="true")
    assert cli.run(["preview", "frankfurt", "--expect-no-changes"]) == 0
    before = as_it_is()
    assert cli.run(UP) == 0
    assert protected() == HOLDERS
    assert as_it_is() == before
    assert by_hand("preview", "--expect-no-changes").code == 0
    written = everything(state_directory("eu"))
    assert cli.run(UP) == 0
    assert everything(state_directory("eu")) == written


@pytest.mark.requirement("an `up` that would delete or replace what holds data is refused, and nothing is changed")
@pytest.mark.parametrize(
    ("fact", "done", "verbs"),
    [
        ({"withoutV2": "true"}, "deleted", [UP, [*UP, "--yes"], ["preview", "frankfurt"]]),
        ({"v2": "v9"}, "replaced because of metadata.name", [[*UP, "--yes"]]),
    ],
)
def test_up_is_refused_with_the_words_to_type(
    fact: dict[str, str], done: str, verbs: list[list[str]], deployed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(protected="true", **fact)
    before = state()
    for verb in verbs:
        assert cli.run(verb) == 1
        shown = told(capsys)
        assert f"frankfurt/v2 ({VOLUME}) would be {done}" in shown
        assert "where on the site's nodes a database's files are" in shown
        assert "add --i-mean frankfurt/v2" in shown
        assert state() == before


@pytest.mark.requirement("`pulumi up` and `pulumi destroy` by hand are refused where they would take data away")
def test_by_hand_it_is_refused_too(deployed: Path) -> None:
    configure(protected="true", withoutV2="true")
    stack_files.write_machine_file(FRANKFURT)  # as `up` does before it begins
    before = kept()
    deployment = by_hand("up", "--yes", "--skip-preview")
    assert deployment.code != 0
    assert "protected" in deployment.stdout + deployment.stderr
    removal = by_hand("destroy", "--yes", "--skip-preview")
    assert removal.code != 0
    assert "protected" in removal.stdout + removal.stderr
    # What a deployment makes again is gone: Pulumi deletes that before it comes to what it may not delete.
    assert kept() == before
    assert protected() == HOLDERS
    configure(protected="true")
    assert cli.run(UP) == 0
    assert "kubernetes:apps/v1:Deployment" in resources()
    assert kept() == before


@pytest.mark.requirement("what was named is replaced as the preview showed it, and is protected again afterwards")
def test_a_replacement_that_was_named_is_done_as_planned(deployed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure(protected="true", v2="v9")
    plan, meant = str(deployed.with_name(f"{deployed.name}-plan.json")), ["--i-mean", "frankfurt/v2"]
    before = state()
    assert cli.run(["preview", "frankfurt", "--save-plan", plan, *meant]) == 0
    assert "+- REPLACE  v2 " in capsys.readouterr().out
    assert state() == before
    assert cli.run([*UP, "--plan", plan]) == 1
    assert state() == before
    assert cli.run([*UP, "--plan", plan, *meant]) == 0
    (volume,) = [each for each in state() if each["urn"].endswith("::v2")]
    assert volume["inputs"]["metadata"]["name"] == "v9"
    assert protected() == HOLDERS
    assert cli.run(["preview", "frankfurt", "--expect-no-changes"]) == 0


@pytest.mark.requirement("the active site loses nothing, whatever is named; nor does a site where nobody knows")
def test_at_the_active_site_a_name_is_not_enough(
    deployed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(protected="true", v2="v9", withoutLedger="true")
    before = state()
    words = [*UP, "--i-mean", "frankfurt/ledger-frankfurt", "--i-mean", "frankfurt/v2"]
    monkeypatch.setattr(access, "witness_of", lambda *_: ActiveSite("frankfurt"))
    assert cli.run(words) == 1
    assert "frankfurt is the active site of rdc-a" in told(capsys)
    assert cli.run(["destroy", "frankfurt", "--yes", "--i-mean", "frankfurt"]) == 1
    assert "frankfurt is the active site of rdc-a" in told(capsys)
    monkeypatch.setattr(access, "witness_of", WITNESS_OF)
    assert cli.run(words) == 1
    assert "is not known" in told(capsys)
    assert cli.run(["destroy", "frankfurt", "--yes", "--i-mean", "frankfurt"]) == 1
    assert "is not known" in told(capsys)
    assert state() == before


def test_a_run_that_was_killed_after_it_took_protection_away(deployed: Path) -> None:
    configure(protected="true", v2="v9")
    unprotect(FRANKFURT, [each["urn"] for each in state() if each["type"] == VOLUME])
    assert protected() == HOLDERS - {VOLUME}
    assert cli.run(UP) == 0
    assert protected() == HOLDERS
    assert DUBLIN.name != FRANKFURT.name


@pytest.mark.requirement("a destroy that was killed is repeated and ends")
def test_destroy_with_the_name_is_resumed(
    deployed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    count = len(resources())
    assert cli.run(["destroy", "frankfurt", "--yes"]) == 2
    assert "--i-mean frankfurt" in told(capsys)

    def killed(*_: object) -> Never:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Engine, "destroy", killed)
        assert cli.run(["destroy", "frankfurt", "--yes", "--i-mean", "frankfurt"]) == 130
    assert (len(resources()), protected()) == (count, set())
    assert cli.run(["destroy", "frankfurt", "--yes", "--i-mean", "frankfurt"]) == 0
    assert resources() == []
