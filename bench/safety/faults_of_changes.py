"""Changes of role that are made under difficulties: their own, or people's."""

import subprocess
import threading
import time
from contextlib import suppress

from command import shopsphere
from scene import Fault, Scene


def planned(scene: Scene) -> None:
    """A planned move."""
    scene.may_show_errors = False
    scene.mark("fault")
    scene.move("planned")
    scene.expect_active(scene.passive)


def planned_with_dead_authority(scene: Scene) -> None:
    """A planned move while one DNS authority hangs; when it is back, the operator finishes the change there."""
    scene.under_test.signal("edge", "pdns_server.*ns2", "STOP")
    planned(scene)
    scene.under_test.signal("edge", "pdns_server.*ns2", "CONT")
    scene.move("planned")


PLACES = [f"{number}:{point}" for number in range(1, 13) for point in ("before", "acted", "verified")]
"""Each boundary of each step of a planned move, and its middle."""


def killed_at(place: str) -> Fault:
    """Return the fault in which the operator's machine dies at a place; the same command goes on."""

    def fault(scene: Scene) -> None:
        scene.facts["killed_at"] = place
        scene.mark("fault")
        scene.move("planned", check=False, environment={"SHOPSPHERE_RUNBOOK_KILL": place})
        scene.facts["was_killed"] = scene.under_test.has_unfinished_run()
        scene.under_test.wait_for_lock()
        if scene.under_test.has_unfinished_run():
            scene.move("planned")

    return fault


def killed_runbook(scene: Scene) -> None:
    """The operator's machine dies at a step of a planned move; the same command goes on."""
    killed_at(scene.chance.choice(PLACES))(scene)


def killed_runbook_any_time(scene: Scene) -> None:
    """The same at a random moment, also in the middle of a step."""
    scene.mark("fault")
    seconds = round(scene.chance.uniform(1.5, 18.0), 2)
    scene.facts["killed_at"] = f"{seconds} s"
    with suppress(subprocess.TimeoutExpired):  # run() kills what has not ended in time
        scene.move("planned", check=False, seconds=seconds)
    scene.under_test.wait_for_lock()
    if scene.under_test.has_unfinished_run() or scene.under_test.record().active != scene.passive:
        scene.move("planned", check=False)


def wrong_password(scene: Scene) -> None:
    """The recovery site has another password for the ledger: a planned move is refused until it has the same."""
    scene.may_show_errors = False
    scene.mark("fault")
    scene.under_test.spoil_password(scene.passive)
    scene.refused("planned", scene.passive, "differs")
    scene.under_test.restore_secrets()
    planned(scene)


def two_operators(scene: Scene) -> None:
    """Two people give the same command at the same time: one moves the pair, the other is told."""
    scene.mark("fault")
    codes: list[int] = []
    people = [threading.Thread(target=lambda: codes.append(scene.move("planned", check=False)[0])) for _ in range(2)]
    for one in people:
        one.start()
        time.sleep(scene.chance.uniform(0, 1))
    for one in people:
        one.join(300)
    if sorted(codes) != [0, 1]:
        scene.problems.append(f"expected one operator to succeed and one to be refused, found {codes}")


def there_and_back(scene: Scene) -> None:
    """A second move right after the first."""
    scene.mark("fault")
    scene.move("planned")
    scene.move("planned", scene.active)


def stale_up(scene: Scene) -> None:
    """Somebody deploys while the pair moves."""
    scene.mark("fault")
    deploy = threading.Thread(target=lambda: shopsphere("up", scene.under_test.pair.name, seconds=600, check=False))
    deploy.start()
    scene.pause(2, 15)
    scene.move("unplanned" if scene.chance.random() < 0.5 else "planned", check=False)
    deploy.join(600)
