"""Faults of sites: power, lines of a whole site, processes on its host."""

import time
from contextlib import suppress

from scene import Fault, Scene
from watcher import Watcher

from shopsphere.estate.databases import COMMERCE, LEDGER
from shopsphere.foundation.clock import WaitExpiredError, wait_until
from shopsphere.witness import WitnessUnreachableError


def power_loss(scene: Scene) -> None:
    """The active site loses power; an operator moves the pair."""
    scene.mark("fault")
    scene.under_test.power_off(scene.active)
    scene.pause(1, 4)
    scene.move("unplanned")


def power_loss_unattended(scene: Scene) -> None:
    """The active site loses power; the watcher moves the pair by itself."""
    scene.may_lose_orders = True
    with Watcher(scene.under_test.pair.name) as watcher:
        time.sleep(4)  # it has to be at work before
        scene.mark("fault")
        scene.under_test.power_off(scene.active)
        with suppress(WaitExpiredError):  # then it is said below
            wait_until(lambda: _was_moved(scene), what="the watcher to move the pair", seconds=90, interval=1)
    if watcher.code is not None:
        scene.facts["watcher"] = watcher.code
    scene.expect_active(scene.passive)


def _was_moved(scene: Scene) -> bool:
    """Whether the pair was moved, and whoever did it has put away what they needed for it."""
    with suppress(WitnessUnreachableError):
        at_work = scene.under_test.witness.locked_by() is not None or scene.under_test.has_unfinished_run()
        return scene.under_test.record().active == scene.passive and not at_work
    return False


def power_loss_without_hq(scene: Scene) -> None:
    """Headquarters is off, and one of three voters with it; then the active site."""
    scene.under_test.power_off(scene.under_test.topology.headquarters)
    scene.pause(1, 4)
    power_loss(scene)


def power_loss_without_region(scene: Scene) -> None:
    """Another region's site is off, and one voter with it; then the active site."""
    voter = next(each for each in scene.under_test.voters if each != scene.under_test.topology.headquarters)
    scene.under_test.power_off(voter)
    scene.pause(1, 4)
    power_loss(scene)


def recovery_lost(scene: Scene) -> None:
    """The recovery site loses power."""
    scene.mark("fault")
    scene.under_test.power_off(scene.passive)
    scene.wait_for_sync_off()
    scene.pause(2, 6)


def recovery_then_primary_lost(scene: Scene) -> None:
    """The recovery site goes, payments go on alone, then the active site goes: nobody may be promoted."""
    scene.may_stay_shut = True
    recovery_lost(scene)
    scene.under_test.power_off(scene.active)
    scene.pause(0, 3)
    scene.under_test.power_on(scene.passive)
    scene.refused("unplanned", scene.passive, "")
    wait_until(lambda: scene.under_test.access.cluster(scene.passive).get("/version"), what="an API", seconds=120)
    scene.refused("unplanned", scene.passive, "")


def crashed_database(scene: Scene) -> None:
    """A postmaster is killed."""
    scene.mark("fault")
    scene.facts["database"] = (database := scene.chance.choice([LEDGER, COMMERCE])).name
    scene.under_test.crash_database(scene.chance.choice([scene.active, scene.passive]), database)
    scene.pause(15, 20)


def crashed_database_then_power_loss(scene: Scene) -> None:
    """The ledger restarts while rows wait for the peer, which is cut off; then the site is lost."""
    scene.under_test.cut(scene.active, scene.passive)
    scene.pause(0.5, 3)
    scene.under_test.crash_database(scene.active, LEDGER)
    scene.pause(1, 4)
    scene.mark("fault")
    scene.under_test.power_off(scene.active)
    scene.under_test.heal_links()
    scene.pause(0, 2)
    code, said = scene.move("unplanned", check=False)
    if code:
        scene.facts["refused"] = said[-300:]
        scene.may_stay_shut = True


def full_disk(scene: Scene) -> None:
    """The disk of the active site's ledger is full: the ledger stops, and an operator moves the pair."""
    scene.under_test.volumes.limit(scene.passive, LEDGER, mebibytes=200)
    wait_until(scene.under_test.is_steady, what="a steady pair", seconds=300, interval=1)
    scene.move("planned")
    scene.pause(5, 10)
    scene.mark("fault")
    scene.under_test.volumes.fill(scene.passive, LEDGER)
    wait_until(lambda: not scene.under_test.leads(scene.passive), what="the ledger to stop", seconds=60)
    scene.pause(1, 4)
    scene.move("unplanned", scene.active)


COMPONENTS = {
    "kube-apiserver": "kube-apiserver",
    "etcd": "etcd --name",
    "kubelet": "kubelet",
    "containerd": "containerd",
    "cloudnative-pg": "cloudnative-pg|/manager controller",
}
"""What the command lines have by which the components of a site are found."""


def killed(pattern: str) -> Fault:
    """Return the fault in which a component is killed."""

    def fault(scene: Scene) -> None:
        scene.mark("fault")
        scene.under_test.signal(scene.chance.choice([scene.active, scene.passive]), pattern, "KILL")
        scene.pause(8, 15)

    fault.__doc__ = f"{pattern} is killed at one of the two sites; the supervisor starts it again."
    return fault


def dead_api_failover(scene: Scene) -> None:
    """The active site's API hangs; the site itself still works, and has to shut itself off without it."""
    scene.under_test.signal(scene.active, "kube-apiserver", "STOP")
    scene.pause(2, 5)
    scene.mark("fault")
    scene.move("unplanned")
    scene.pause(3, 6)


def frozen_agent(scene: Scene) -> None:
    """The active site's agent hangs: its kernel shuts the databases off, and the lease runs out."""
    scene.mark("fault")
    scene.under_test.signal(scene.active, "runbooks.agent /", "STOP")
    scene.pause(1, 4)
    scene.move("unplanned")
    scene.pause(3, 6)
    scene.under_test.signal(scene.active, "runbooks.agent /", "CONT")
    scene.pause(3, 6)
