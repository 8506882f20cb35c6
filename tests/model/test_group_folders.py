"""Records of a machine that several operators use: what one makes, the others read and go on with."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runbooks.engine.lines import LineFile, WriteFailedError, make_directory
from shopsphere.deploy import history
from shopsphere.deploy.outcomes import Verb
from shopsphere.estate.stack import Environment
from shopsphere.foundation.files import write_whole
from shopsphere.foundation.group_folders import make_folder, share


def mode(path: Path) -> str:
    return f"{path.stat().st_mode & 0o7777:04o}"


@pytest.fixture
def of_a_group(tmp_path: Path) -> Path:
    folder = tmp_path / "records"
    folder.mkdir()
    folder.chmod(0o2770)
    return folder


@pytest.fixture(params=[0o022, 0o077], autouse=True)
def usual_umask(request: pytest.FixtureRequest) -> object:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.requirement("whoever operates next reads what was left by another operator of the same machine")
def test_what_is_made_in_a_folder_of_a_group_is_the_groups(of_a_group: Path) -> None:
    make_folder(of_a_group / "prod" / "runbooks")
    make_directory(of_a_group / "prod" / "runbooks" / "reports" / "1")
    write_whole(of_a_group / "prod" / "runbooks" / "drills" / "1.json", "{}")
    LineFile(of_a_group / "prod" / "runbooks" / "audit.jsonl", create=None).close()
    folders = [each for each in of_a_group.rglob("*") if each.is_dir()]
    assert len(folders) == 5
    for each in folders:
        assert mode(each).startswith("277"), each
    assert mode(of_a_group / "prod" / "runbooks" / "audit.jsonl") == "0660"


def test_elsewhere_a_record_is_its_owners_alone(tmp_path: Path) -> None:
    make_directory(tmp_path / "runbooks")
    LineFile(tmp_path / "runbooks" / "audit.jsonl", create=None).close()
    assert mode(tmp_path / "runbooks" / "audit.jsonl") == "0600"
    assert not int(mode(tmp_path / "runbooks"), 8) & 0o2020


def write_line(file: Path) -> None:
    LineFile(file, create=None).close()


def write_deployment(file: Path) -> None:
    history.append(file.parent, deployment())


def deployment() -> history.DeploymentRecord:
    began = datetime(2026, 11, 26, 22, 0, tzinfo=UTC)
    return history.record_of(
        None, verb=Verb.UP, target="rdc-a", environment=Environment.PROD, who="anna", began=began, seconds=1.0
    )


WRITERS = pytest.mark.parametrize("write", [write_line, write_deployment])


@WRITERS
@pytest.mark.requirement("whoever operates next reads what was left by another operator of the same machine")
def test_a_record_whose_maker_was_killed_before_it_was_shared(
    of_a_group: Path, write: Callable[[Path], object]
) -> None:
    file = of_a_group / history.FILE
    file.touch()
    file.chmod(0o600)
    write(file)
    assert mode(file) == "0660"


@WRITERS
@pytest.mark.requirement("in a folder that several write to nobody shares a file of another one by a link")
def test_a_link_is_not_followed(of_a_group: Path, tmp_path: Path, write: Callable[[Path], object]) -> None:
    own = tmp_path / "own"
    own.write_text("mine\n")
    own.chmod(0o600)
    link = of_a_group / history.FILE
    link.symlink_to(own)
    share(link)
    with pytest.raises((OSError, WriteFailedError)):
        write(link)
    assert (mode(own), own.read_text()) == ("0600", "mine\n")
    link.unlink()
    link.hardlink_to(own)
    write(link)
    assert mode(own) == "0600", "it has a name elsewhere"


@WRITERS
def test_a_link_to_nothing_makes_nothing(of_a_group: Path, tmp_path: Path, write: Callable[[Path], object]) -> None:
    link = of_a_group / history.FILE
    link.symlink_to(tmp_path / "new")
    with pytest.raises((OSError, WriteFailedError)):
        write(link)
    assert not (tmp_path / "new").exists()
