"""The lab as the repository states it, one node a site: what a lab left on this machine is the lab ring's alone.

`shopsphere lab up --nodes` writes `topology.lab.yaml` beside topology.yaml. Tests that judge numbers of nodes, rules of
firewalls or pages would pass on one machine and fail on another.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rings_at_once import LAB, ring_of

from shopsphere.foundation.paths import TOPOLOGY_FILE
from shopsphere.topology.document import Document
from shopsphere.topology.overlay import read_overlay

Read = Callable[[Path, str], Document | None]


class StatedLab:
    """A plugin of pytest: while it collects and runs what is not of the lab ring, the lab has no differences.

    Args:
        read: how the differences of an environment are read; `read` of this class stands in for it.
    """

    def __init__(self, read: Read = read_overlay) -> None:
        self._read = read
        self._is_lab = False

    def read(self, path: Path, environment: str) -> Document | None:
        """Return the differences of an environment; of another topology than the repository's, all of them."""
        if path == TOPOLOGY_FILE and environment == LAB and not self._is_lab:
            return None
        return self._read(path, environment)

    def turn_to(self, nodeid: str) -> None:
        """What follows belongs to this test, or to this file of tests."""
        is_lab = ring_of(nodeid) == LAB
        if is_lab != self._is_lab and (residency := sys.modules.get("policies.residency_map")):
            residency.topology.cache_clear()
        self._is_lab = is_lab

    def pytest_collectstart(self, collector: pytest.Collector) -> None:
        """Files of tests read the topology when they are loaded, which is next."""
        self.turn_to(collector.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Before any fixture of the test, of whichever scope."""
        self.turn_to(item.nodeid)
