"""How tests are dealt out to several processes (`pytest -n 3`): rings side by side, and the lab alone, at the end.

A ring whose tests share what is costly is dealt as a whole, the others file by file; what takes longest comes first,
so that no process is alone with it at the end. What needs quiet gets it: the lab measures how long a shop is away, so
no test of another ring runs beside it.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

LAB = "lab"
WHOLE = ("edge", "graph")
"""Rings that are dealt as a whole: the servers of one machine; graphs that are built once for all files."""
FIRST = ("edge", "preview", "seeded", "graph", "app")
"""Rings in the order in which they begin: the longest units first. Files of other rings take seconds each."""


def processes() -> int:
    """Return how many processes share the rings: one more than cores, since one of them mostly waits for programs."""
    return len(os.sched_getaffinity(0)) + 1


def ring_of(nodeid: str) -> str:
    """Return the ring that a test is in: the name of its folder."""
    return _ring(nodeid.split("::", 1)[0].rpartition("/")[0])


def unit_of(nodeid: str) -> str:
    """Return what a test is dealt with: its ring's folder, or its file."""
    file = nodeid.split("::", 1)[0]
    return file.rpartition("/")[0] if ring_of(nodeid) in (*WHOLE, LAB) else file


def turn_of(nodeid: str) -> int:
    """Return a sort key: rings as listed, then the files of others, then the lab."""
    ring = ring_of(nodeid)
    if ring == LAB:
        return len(FIRST) + 1
    return FIRST.index(ring) if ring in FIRST else len(FIRST)


class RingsAtOnce(LoadScopeScheduling):  # type: ignore[misc]  # xdist leaves some of its signatures untyped
    """Deals units in the order of collection; the last process gets the lab when every other one has ended."""

    def __init__(self, config: pytest.Config, log: Any) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False  # or the unit of most tests comes first

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        if not self._leaves_the_lab(node):
            super()._assign_work_unit(node)

    def _reschedule(self, node: WorkerController) -> None:
        if not self._leaves_the_lab(node):
            super()._reschedule(node)

    def remove_node(self, node: WorkerController) -> str | None:
        """Forget a process that has ended, and let the one that is left go on."""
        crashed: str | None = super().remove_node(node)
        for other in self.nodes:
            self._reschedule(other)
        return crashed

    def _leaves_the_lab(self, node: WorkerController) -> bool:
        """Return whether only the lab is left while other processes are there; all but the last one end then."""
        others = [other for other in self.nodes if other is not node]
        if _ring(next(iter(self.workqueue), "")) != LAB or not others:
            return False
        if not all(other.shutting_down for other in others):
            node.shutdown()
        return True


def _ring(unit: str) -> str:
    return unit.rpartition("/")[2]
