"""Records of a machine that several operators use: what one makes, the others read and go on with."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runbooks.engine.lines import LineFile, make_directory
from shopsphere.foundation.files import write_whole
from shopsphere.foundation.group_folders import make_folder


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


@pytest.mark.requirement("whoever operates next reads what was left by another operator of the same machine")
def test_a_record_that_is_there_stays_as_it_is(of_a_group: Path) -> None:
    file = of_a_group / "audit.jsonl"
    file.touch()
    file.chmod(0o640)
    LineFile(file, create=None).close()
    assert mode(file) == "0640"
