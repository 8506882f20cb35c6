"""What all rings have in common: the order in which they run, and how several processes share them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from crash_notes import plugin_of
from rings_at_once import LAB, RingsAtOnce, processes, ring_of, turn_of
from stated_lab import StatedLab

from shopsphere.foundation.paths import LAB_VARIABLE
from shopsphere.foundation.typed_commands import one_call
from shopsphere.topology import loader


def pytest_configure(config: pytest.Config) -> None:
    stated, patch = StatedLab(), pytest.MonkeyPatch()
    patch.setattr(loader, "read_overlay", stated.read)
    config.add_cleanup(patch.undo)
    config.pluginmanager.register(stated)
    config.pluginmanager.register(plugin_of(config))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: turn_of(item.nodeid))


def pytest_xdist_auto_num_workers() -> int:
    return processes()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> RingsAtOnce:
    return RingsAtOnce(config, log)


@pytest.fixture(scope="session")
def folder_of_no_lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("folder-of-no-lab")


@pytest.fixture(autouse=True)
def printed_commands_are_of_this_test() -> Iterator[None]:
    """They name the environment of the last command that was called, which is of another test else."""
    with one_call():
        yield


@pytest.fixture(autouse=True)
def lab_is_left_alone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, folder_of_no_lab: Path) -> None:
    """Records, keys and state of a test are not this machine's lab's, whether one runs or will be started later.

    A file of tests that has a folder of its own for all of them keeps it.
    """
    if ring_of(request.node.nodeid) != LAB and LAB_VARIABLE not in os.environ:
        monkeypatch.setenv("SHOPSPHERE_LAB", str(folder_of_no_lab))
