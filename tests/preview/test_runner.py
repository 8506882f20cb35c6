"""`shopsphere up`, `preview` and `destroy` with the real engine: pack, secrets, second run, locks."""

import json
import os
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from active_site import ActiveSite

from cli import main as cli
from shopsphere.deploy import events, history, opening, plans, secrets
from shopsphere.deploy.environment import variables
from shopsphere.estate import stack_files
from shopsphere.estate.pair_secrets import PAIR_SECRET_NAMES
from shopsphere.estate.paths import records_directory, state_directory
from shopsphere.estate.stack import Environment, StackId, site_stack
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.foundation.process import run
from shopsphere.topology import load_topology
from shopsphere.witness import access

TINY = Path(__file__).parent / "tiny"
TOPOLOGY = load_topology()
FRANKFURT = site_stack(TOPOLOGY, "frankfurt", Environment.LAB)
DUBLIN = site_stack(TOPOLOGY, "dublin", Environment.LAB)


def configure(**facts: str) -> None:
    """Write the committed configuration of the two stacks, with facts of the program spoiled."""
    for stack in (FRANKFURT, DUBLIN):
        values = {"tiny:rendered": str(stack.folder / "rendered"), **{f"tiny:{name}": v for name, v in facts.items()}}
        stack_files.base_file(stack).write_text(yaml.safe_dump({"config": values}))


def resources() -> list[str]:
    """Types of the resources in Frankfurt's state, straight from the backend's file."""
    file = state_directory("eu") / ".pulumi" / "stacks" / "tiny" / "lab-frankfurt.json"
    deployment = json.loads(file.read_text())["checkpoint"]["latest"] or {}
    return [resource["type"] for resource in deployment.get("resources", [])]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A pair's project folder and a lab folder; the program is a site in small that renders instead of applying."""
    folder = tmp_path_factory.mktemp("runner")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHOPSPHERE_LAB", str(folder / "lab"))
        patch.setattr(StackId, "folder", property(lambda stack: folder / stack.region))
        opening.open_engine.cache_clear()
        home = folder / "rdc-a"
        (home / "rendered").mkdir(parents=True)
        shutil.copy(TINY / "__main__.py", home)
        (home / "Pulumi.yaml").write_text((TINY / "Pulumi.yaml.template").read_text().format(virtualenv=sys.prefix))
        public = folder / "lab" / "pki" / "public"
        public.mkdir(parents=True)
        for name in ("tls.crt", "tls.key"):
            (public / name).write_text(f"{name} of the lab\n")
        archive = folder / "lab" / "pki" / "archive-eu"
        archive.mkdir()
        accounts = [
            f"{database}-{site}.secret" for database in ("commerce", "ledger") for site in ("frankfurt", "dublin")
        ]
        for name in (*accounts, "restorers.pub"):
            (archive / name).write_text(f"{name} of the lab\n")
        configure()
        yield folder
        opening.open_engine.cache_clear()


def everything(folder: Path) -> dict[str, bytes]:
    """Contents of all files below a folder; what links lead to is found once."""
    files = (file for file in folder.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


@pytest.fixture(scope="module")
def foreseen(project: Path) -> Path:
    """A preview of Frankfurt, saved before anything was set up; what there was on disk before and after it."""
    before = everything(project)
    plan = project.with_name(f"{project.name}-plan.json")
    assert cli.run(["preview", "frankfurt", "--save-plan", str(plan)]) == 0
    assert everything(project) == before
    return plan


@pytest.fixture(scope="module")
def deployed(project: Path, foreseen: Path) -> Path:
    """Frankfurt, deployed once."""
    assert cli.run(["up", "frankfurt", "--verify-seconds", "0"]) == 0
    assert history.read(records_directory(Environment.LAB)).records[-1].result == "succeeded"
    return project


@pytest.mark.requirement("`preview` of a stack that was never set up leaves no file behind")
def test_what_a_preview_from_nothing_showed_is_what_up_finds(foreseen: Path) -> None:
    (shown,) = plans.load(foreseen).outcome.stacks
    assert not shown.is_set_up
    assert set(PAIR_SECRET_NAMES) <= set(shown.stand_ins)
    assert shown.planned is not None
    found = {(each.operation, each.type, each.name) for each in shown.planned.changes}
    assert ("create", "kubernetes:apps/v1:Deployment", "shop") in found
    assert cli.run(["up", "frankfurt", "--verify-seconds", "0", "--plan", str(foreseen)]) == 0


def test_up_deploys_and_says_which_pack_judged_it(deployed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "kubernetes:apps/v1:Deployment" in resources()
    assert cli.run(["preview", "frankfurt"]) == 0
    assert "0 to change, judged by shopsphere" in capsys.readouterr().err


@pytest.mark.requirement("`make up` again changes nothing")
def test_a_second_up_and_a_preview_change_nothing(deployed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (state_directory("eu") / ".pulumi" / "stacks" / "tiny" / "lab-frankfurt.json").read_text()
    assert cli.run(["up", "frankfurt", "--verify-seconds", "0"]) == 0
    assert (state_directory("eu") / ".pulumi" / "stacks" / "tiny" / "lab-frankfurt.json").read_text() == before
    assert cli.run(["preview", "frankfurt", "--expect-no-changes"]) == 0


@pytest.mark.requirement("`pulumi` works by hand in every project folder")
def test_pulumi_by_hand_shows_no_change_either(deployed: Path) -> None:
    command = ["pulumi", "preview", "-s", FRANKFURT.name, "--policy-pack", str(REPOSITORY / "policies")]
    done = run([*command, "--expect-no-changes", "--non-interactive"], check=False, seconds=600, cwd=FRANKFURT.folder,
               env=variables(FRANKFURT))  # fmt: skip
    assert done.code == 0, done.stdout + done.stderr


def test_both_stacks_hold_the_same_secrets_and_no_file_shows_one(deployed: Path) -> None:
    here, there = secrets.read_secrets(FRANKFURT), secrets.read_secrets(DUBLIN)
    assert {name: here[name] for name in PAIR_SECRET_NAMES} == {name: there[name] for name in PAIR_SECRET_NAMES}
    assert here["gatewayTlsKey"] == "tls.key of the lab\n"
    for file in (deployed / "lab" / "pulumi").rglob("*"):
        text = file.read_text() if file.is_file() else ""
        assert not [name for name in PAIR_SECRET_NAMES if here[name] in text or json.dumps(here[name])[1:-1] in text]


def test_changes_where_none_were_expected_exit_with_7(deployed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure(replicas="3")
    before = everything(deployed)
    assert cli.run(["preview", "frankfurt", "--expect-no-changes", "--diff"]) == 7
    told = capsys.readouterr()
    assert "frankfurt: 1 resources" in told.err
    assert "  ~  update   shop  kubernetes:apps/v1:Deployment" in told.out
    assert "spec.replicas: 2 -> 3" in told.out
    assert everything(deployed) == before
    configure()


@pytest.mark.requirement("a class that its site may not hold fails before anything is created")
def test_up_stops_before_anything_is_changed_when_a_rule_is_broken(
    deployed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = resources()
    configure(dataClass="aggregate")
    assert cli.run(["up", "frankfurt", "--verify-seconds", "0"]) == 1
    told = capsys.readouterr().err
    assert "RES-003" in told
    assert "Namespace 'shop'" in told
    assert "do:" in told
    assert resources() == before
    configure()


def test_a_lock_of_a_dead_process_is_released_with_a_message(
    deployed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    folder = state_directory("eu") / ".pulumi" / "locks" / "organization" / "tiny" / FRANKFURT.name
    folder.mkdir(parents=True, exist_ok=True)
    content = {"pid": child, "username": "ops", "hostname": socket.gethostname(), "timestamp": "2026-01-01T00:00:00Z"}
    (folder / "stranded.json").write_text(json.dumps(content))
    assert cli.run(["preview", "frankfurt"]) == 0
    assert (folder / "stranded.json").exists()
    assert cli.run(["up", "frankfurt", "--verify-seconds", "0"]) == 0
    assert f"released the lock of process {child}" in capsys.readouterr().err
    assert not (folder / "stranded.json").exists()


def test_a_run_without_the_pack_is_not_believed() -> None:
    without = events.Run(advanced=lambda _: None, judged=lambda _: None)
    with pytest.raises(events.PolicyPackMissingError, match="did not run"):
        without.require_pack()


def test_destroy_removes_everything(
    deployed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(access, "witness_of", lambda *_: ActiveSite("dublin"))
    assert cli.run(["destroy", "frankfurt", "--yes", "--i-mean", "frankfurt"]) == 0
    assert "  -  DELETE   shop " in capsys.readouterr().out
    assert resources() == []
