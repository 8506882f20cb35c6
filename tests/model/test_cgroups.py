"""Processes of a host, found in control groups that come and go meanwhile."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.host import cgroups


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The groups of a host: two pods of one process each, and the host's own of two."""
    monkeypatch.setattr(cgroups, "_ROOT", tmp_path)
    (tmp_path / "cgroup.controllers").write_text("cpu memory pids\n")
    folder = tmp_path / "shopsphere" / "frankfurt"
    for name, numbers in {"system": "1\n2\n", "pods/one": "3\n", "pods/two/inner": "4\n"}.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "cgroup.procs").write_text(numbers)
    return folder


def test_all_processes_are_found(host: Path) -> None:
    assert cgroups.processes("frankfurt") == cgroups.processes() == {1, 2, 3, 4}
    assert cgroups.processes("dublin") == set()


def test_a_pod_that_ends_meanwhile_is_left_out(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    look = os.scandir

    def ending(folder: str) -> Iterator[os.DirEntry[str]]:
        if Path(folder).name == "two":
            (host / "pods/two/inner/cgroup.procs").unlink(missing_ok=True)
            (host / "pods/two/inner").rmdir()
            (host / "pods/two").rmdir()
        return look(folder)

    monkeypatch.setattr(os, "scandir", ending)
    assert cgroups.processes("frankfurt") == {1, 2, 3}


def test_groups_are_removed_from_below_and_one_with_processes_stays(host: Path) -> None:
    for name in ("system", "pods/two/inner"):
        (host / name / "cgroup.procs").unlink()  # as the kernel's files, which keep no group from being removed
    cgroups.remove("frankfurt")
    assert sorted(str(each.relative_to(host)) for each in host.rglob("*") if each.is_dir()) == ["pods", "pods/one"]
