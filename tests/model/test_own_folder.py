"""`lab down` removes what a lab has made, from a folder that is a lab's, and nothing else of a machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import cli.main as cli
from lab import control_group, own_folder
from lab.own_folder import MADE, MARK, NotOurFolderError, claim_folder, empty_folder, require_own_folder
from shopsphere.estate.paths import records_directory, residency_directory
from shopsphere.estate.stack import Environment
from shopsphere.foundation.paths import REPOSITORY


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path / "lab"))
    return tmp_path / "lab"


def filled(folder: Path) -> Path:
    (folder / "hosts" / "dublin").mkdir(parents=True)
    (folder / "regions.json").write_text("[]")
    return folder


def test_what_a_lab_has_made_is_removed_and_nothing_beside_it(folder: Path) -> None:
    claim_folder()
    filled(folder)
    (folder / "notes.txt").write_text("mine")
    (folder / "pki").symlink_to(folder / "notes.txt")
    empty_folder()
    assert {entry.name for entry in folder.iterdir()} == {"notes.txt", MARK}
    assert (folder / "notes.txt").read_text() == "mine"


def test_the_next_lab_is_made_beside_what_has_stayed(folder: Path) -> None:
    for _ in range(2):
        claim_folder()
        (filled(folder) / "notes.txt").write_text("mine")
        empty_folder()
    (folder / "notes.txt").unlink()
    empty_folder()
    assert not any(folder.iterdir())


@pytest.mark.requirement("a run that was killed at any point can be resumed or cleaned")
@pytest.mark.parametrize("kept", MADE)
def test_a_removal_that_was_killed_is_ended_before_the_next_lab_begins(
    folder: Path, monkeypatch: pytest.MonkeyPatch, kept: str
) -> None:
    claim_folder()
    for name in MADE:
        (folder / name).mkdir()
        (folder / name / "of the old one").touch()
    real = shutil.rmtree

    def killed(path: Path) -> None:
        if path.name == kept:
            raise KeyboardInterrupt
        real(path)

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            empty_folder()
    assert (folder / kept / "of the old one").exists()
    claim_folder()
    assert [entry.name for entry in folder.iterdir()] == [MARK]


def test_all_that_is_kept_in_a_labs_folder_is_known_to_be_of_the_lab(folder: Path) -> None:
    sources = [
        path for top in ("app", "cli", "lab", "runbooks", "shopsphere") for path in (REPOSITORY / top).rglob("*.py")
    ]
    named = {name for path in sources for name in re.findall(r'lab_directory\(\) / "([^"]+)"', path.read_text())}
    assert {"hosts", "pki", "pulumi"} < named
    assert named <= set(MADE)
    kept = [residency_directory(Environment.LAB), records_directory(Environment.LAB)]
    assert {path.relative_to(folder).parts[0] for path in kept} <= set(MADE)


def test_a_folder_without_the_mark_is_left_alone(folder: Path) -> None:
    filled(folder)
    with pytest.raises(NotOurFolderError, match="no such file"):
        empty_folder()
    with pytest.raises(NotOurFolderError, match="hosts and no"):
        claim_folder()
    assert (folder / "hosts" / "dublin").is_dir()


@pytest.mark.requirement("a lab can be started, and taken down, where only records were kept")
@pytest.mark.parametrize("name", MADE)
def test_records_that_were_kept_before_a_lab_do_not_keep_it_from_its_usual_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(own_folder, "DEFAULT_LAB", folder)
    (folder / name).mkdir(parents=True)
    empty_folder()
    assert not any(folder.iterdir())
    (folder / name).mkdir()
    claim_folder()
    assert require_own_folder() == folder


def test_somebodys_things_keep_a_lab_from_its_usual_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_folder, "DEFAULT_LAB", folder)
    (folder / "runbooks").mkdir(parents=True)
    (folder / "plans").mkdir()
    for ask in (claim_folder, require_own_folder, empty_folder):
        with pytest.raises(NotOurFolderError):
            ask()
    assert (folder / "runbooks").is_dir()


def test_a_folder_can_be_claimed_twice(folder: Path) -> None:
    claim_folder()
    filled(folder)
    claim_folder()
    assert require_own_folder() == folder


@pytest.mark.parametrize("named", ["/", "/etc", "/srv", "/home", "~", "/var/lib", "here", "/etc/../usr"])
def test_no_folder_of_the_machine_is_ever_the_labs(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place = {"~": str(Path.home()), "here": str(REPOSITORY)}.get(named, named)
    monkeypatch.setenv("SHOPSPHERE_LAB", place)
    monkeypatch.setattr(own_folder, "MADE", ())  # this test may fail without harm
    for ask in (claim_folder, require_own_folder, empty_folder):
        with pytest.raises(NotOurFolderError, match="which others use"):
            ask()


@pytest.mark.requirement("`lab down` asks whose folder it is before it ends or removes anything")
def test_down_refuses_before_it_does_anything(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(folder)
    done: list[str] = []
    monkeypatch.setattr("lab.bring_up.power.power_off", done.append)
    monkeypatch.setattr("lab.bring_up.control_group.stop", lambda: done.append("stop"))
    monkeypatch.setattr("lab.bring_up.cgroups.processes", list)
    monkeypatch.setattr("lab.bring_up.cgroups.remove", lambda: done.append("remove"))
    assert cli.run(["lab", "down"]) == 1
    assert cli.run(["lab", "up"]) == 1
    assert "is not the lab's own folder" in capsys.readouterr().err
    assert done == []
    assert (folder / "regions.json").exists()


@pytest.mark.parametrize(("lab", "ours"), [("here", True), ("elsewhere", False)])
def test_only_programs_of_this_lab_are_its_orphans(
    lab: str, ours: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path / "here"))
    wait = "import sys; sys.stdin.read()"
    (tmp_path / "lab" / "network").mkdir(parents=True)
    (tmp_path / "lab" / "network" / "daemon.py").write_text(wait)
    environment = {**os.environ, "SHOPSPHERE_LAB": str(tmp_path / lab), "PYTHONPATH": str(tmp_path)}
    daemon = [sys.executable, "-m", "lab.network.daemon"]
    mention = [sys.executable, "-c", wait, "python -m lab.network.daemon"]
    started = [
        subprocess.Popen(words, stdin=subprocess.PIPE, env=environment, cwd=tmp_path) for words in (daemon, mention)
    ]
    try:
        found = set(control_group.orphans()) & {each.pid for each in started}
        assert found == ({started[0].pid} if ours else set())
    finally:
        for each in started:
            each.communicate()
