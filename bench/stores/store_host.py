"""The host of a pair's backup store in the lab: its gateway, lines, room and objects, and how each fault is undone."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from put_aside import PutAside
from slow_line import SlowLine
from small_room import SmallRoom

from lab.enter import HostOffError, run_inside
from lab.host import power, supervision
from lab.hosts import WORKSTATION, LabHosts, archive_host
from lab.network import control
from lab.paths import disk_directory, run_directory
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.errors import ShopSphereError, one_line
from shopsphere.foundation.process import CommandError
from shopsphere.topology import Pair

GATEWAY = "archive"
"""The component of the host that serves the store."""
STOPPED = frozenset({"STOPPED", "EXITED", "FATAL"})
SECONDS = 60


class StoreHost:
    """What a run does to the store of a pair's jurisdiction.

    Args:
        pair: whose.
        hosts: of the lab.
    """

    def __init__(self, pair: Pair, hosts: LabHosts) -> None:
        self.name = archive_host(pair.jurisdiction)
        self._hosts, self._sites = hosts, pair.sites
        disk = disk_directory(self.name)
        self.store = disk / "store"
        self.room = SmallRoom(self.store, disk / "bench-room.img", Path("/run/bench-room"), self, self.inside)
        self.objects = PutAside(self.store, disk / "bench-aside")
        self.line = SlowLine("eth0", self.inside)

    def require(self) -> None:
        """Refuse a lab without this host, or where it does not run.

        Raises:
            ShopSphereError: there is none, or it has no power.
        """
        self._hosts.host(self.name)
        if not power.is_on(self.name) or not self.store.is_dir():
            raise ShopSphereError.build(
                f"the store's host {self.name} does not run",
                expected=f"a lab with this pair (`make up`), its host on, and {self.store}",
                found="no power, or no such folder",
                action=f"`shopsphere lab power-on {self.name}`, or `make up REGION=...`",
            )

    def inside(self, command: Sequence[str]) -> str:
        """Run a command in the host's namespaces and return what it printed.

        Raises:
            CommandError: it failed.
            HostOffError: the host has no power.
        """
        return run_inside(self.name, list(command), seconds=120).stdout

    # --- its gateway --------------------------------------------------------------------------------------------
    def state(self) -> str:
        return supervision.states(run_directory(self.name)).get(GATEWAY, "")

    def kill(self) -> None:
        """End the gateway as a crash would, and let nobody start it."""
        supervision.control(run_directory(self.name), "signal", "KILL", GATEWAY, check=False)
        self.stop()

    def stop(self) -> None:
        supervision.control(run_directory(self.name), "stop", GATEWAY, check=False)
        wait_until(lambda: self.state() in STOPPED, what=f"the gateway of {self.name} to stop", seconds=SECONDS)

    def start(self) -> None:
        if self.state() not in {"RUNNING", "STARTING"}:
            supervision.control(run_directory(self.name), "start", GATEWAY, check=False)
        wait_until(lambda: self.state() == "RUNNING", what=f"the gateway of {self.name}", seconds=SECONDS)

    # --- its lines ----------------------------------------------------------------------------------------------
    def _ways(self) -> list[list[str]]:
        """Both directions of its lines to all nodes of both sites and to the operators."""
        ends = (*self._sites, WORKSTATION)
        return [way for end in ends for way in control.ways_between(self._hosts, self.name, end)]

    def cut(self) -> None:
        control.ask("cut", ways=self._ways())

    def slow(self, ms: float, kilobits: int) -> None:
        """Let every frame take so much longer each way, and no more than so many kilobits a second pass."""
        control.ask("slow", ways=self._ways(), ms=ms)
        self.line.slow(kilobits)

    def heal(self) -> None:
        """Undo both; it may be called twice."""
        control.ask("heal", ways=self._ways())
        self.line.lift()

    # --- undoing ------------------------------------------------------------------------------------------------
    def undo(self, say: Callable[[str], None]) -> list[str]:
        """Undo everything that a run may have left; return what could not be.

        Each is tried, whatever became of the one before.
        """
        return [problem for what, act in self._undoing() if (problem := _tried(what, act, say))]

    def _undoing(self) -> Iterator[tuple[str, Callable[[], object]]]:
        yield "the store's host has power", self._power_on
        yield "its lines", self.heal
        yield "its gateway", self.start
        if self.room.is_left:
            yield "what came into the small room is put into the store's folder", self.room.give_back
        if self.objects.left:
            yield f"{len(self.objects.left)} objects are put back", self.objects.put_back

    def _power_on(self) -> None:
        from command import shopsphere  # noqa: PLC0415 - tests of this module have no lab and no such command

        if not power.is_on(self.name):
            shopsphere("lab", "power-on", self.name)


def _tried(what: str, act: Callable[[], object], say: Callable[[str], None]) -> str:
    for attempt in (1, 2, 3):
        try:
            act()
        except (CommandError, HostOffError, ShopSphereError, OSError) as error:
            problem = f"not undone: {what}: {one_line(error) if isinstance(error, ShopSphereError) else error}"
            say(f"  {problem} (attempt {attempt} of 3)")
            time.sleep(2)
        else:
            return ""
    return problem
