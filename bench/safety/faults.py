"""The faults. Each is a function of a Scene; it makes the trouble and does what an operator would do about it.

What customers were promised, and what the sites hold in the end, is judged by the driver, the same for all.
"""

import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

from pair import PairUnderTest, shopsphere

from components.databases import COMMERCE, LEDGER
from runbooks.witness import Sync
from shopsphere.clock import wait_until

NOTICED = 8.0  # customers go on for so long after the last event


@dataclass
class Scene:
    """One run: the pair, its chance, and what is to be remembered of it.

    Attributes:
        under_test: the pair.
        chance: every random choice comes from here, so that the seed gives the same run.
        active: the site that is active when the run begins.
        may_lose_orders: something is promoted that need not have the last orders.
        may_show_errors: also to customers who wait as long as they are asked to.
        at: seconds of the machine's monotonic clock by event.
        facts: whatever else belongs into the result.
        problems: what already is a violation.
    """

    under_test: PairUnderTest
    chance: Random
    active: str
    may_lose_orders: bool = False
    may_show_errors: bool = True
    at: dict = field(default_factory=dict)
    facts: dict = field(default_factory=dict)
    problems: list = field(default_factory=list)

    @property
    def passive(self):
        return self.under_test.other(self.active)

    def mark(self, event):
        self.at[event] = time.monotonic()

    def pause(self, least, most):
        time.sleep(self.chance.uniform(least, most))

    def move(self, kind, to=None, *words, **options):
        """Let an operator move the pair; notes when the command was given and how long it took."""
        self.mark("command")
        self.may_lose_orders |= kind == "unplanned"
        code, said, seconds = self.under_test.failover(kind, to or self.passive, *words, **options)
        self.facts.setdefault("runbook_seconds", []).append(round(seconds, 2))
        return code, said

    def expect_active(self, site):
        found = self.under_test.record().active
        if found != site:
            self.problems.append(f"expected {site} to be active, found {found}")

    def refused(self, kind, to, why):
        """An operator must be refused, and be told why."""
        code, said = self.move(kind, to, check=False)
        if code == 0 or why not in said:
            self.problems.append(f"expected to be refused with {why!r}, found code {code}: {said[-300:]}")


def power_loss(scene):
    """The active site loses power; an operator moves the pair."""
    scene.mark("fault")
    scene.under_test.power_off(scene.active)
    scene.pause(1, 4)
    scene.move("unplanned")


def power_loss_unattended(scene):
    """The active site loses power; the watcher moves the pair by itself."""
    scene.may_lose_orders = True
    watcher = threading.Thread(target=_watch, args=(scene,))
    watcher.start()
    time.sleep(4)  # it has to be at work before
    scene.mark("fault")
    scene.under_test.power_off(scene.active)
    watcher.join(150)


def _watch(scene):
    try:
        shopsphere("watch", scene.under_test.pair.name, "--execute", seconds=60)
    except Exception as error:  # noqa: BLE001 it never ends by itself: its time-out is the usual end
        scene.facts["watcher"] = type(error).__name__


def power_loss_without_hq(scene):
    """Headquarters is off, and one of three voters with it; then the active site."""
    scene.under_test.power_off(scene.under_test.topology.headquarters)
    scene.pause(1, 4)
    power_loss(scene)


def power_loss_without_region(scene):
    """Another region's site is off, and one voter with it; then the active site."""
    voter = next(each for each in scene.under_test.voters if each != scene.under_test.topology.headquarters)
    scene.under_test.power_off(voter)
    scene.pause(1, 4)
    power_loss(scene)


def isolation(scene):
    """Every line of the active site is cut; it lives on alone."""
    scene.mark("fault")
    for host in scene.under_test.hosts.hosts:
        if host.name != scene.active:
            scene.under_test.cut(scene.active, host.name)
    scene.pause(1, 4)
    scene.move("unplanned")


def partition(scene):
    """The active site loses witness and peer, but customers still reach it: the classic split brain."""
    scene.mark("fault")
    for host in {*scene.under_test.voters, scene.passive, "ops"}:
        scene.under_test.cut(scene.active, host)
    scene.pause(1, 4)
    scene.move("unplanned")
    scene.pause(5, 10)  # both sites are reachable meanwhile


def partition_without_fence(scene):
    """The same without a fence: two sites take orders in one epoch, and the bench has to find that out."""
    scene.under_test.remove_fence(scene.active)
    scene.pause(9, 11)  # the lease runs out: nobody renews it
    partition(scene)


def one_way_cut(scene):
    """Nothing that the active site sends reaches witness or peer."""
    scene.mark("fault")
    for host in {*scene.under_test.voters, scene.passive}:
        scene.under_test.cut(scene.active, host, one_way=True)
    scene.pause(1, 4)
    scene.move("unplanned")
    scene.pause(3, 6)


def cut_from_witness(scene):
    """The active site loses the witness only: it shuts itself off, and is back when the witness is."""
    scene.mark("fault")
    for host in scene.under_test.voters:
        scene.under_test.cut(scene.active, host)
    scene.pause(5, 25)
    scene.under_test.heal_links()


def _wait_for_sync_off(scene):
    wait_until(lambda: scene.under_test.record().sync is Sync.OFF, what="sync off", seconds=30)
    scene.facts["sync_off_after"] = round(time.monotonic() - scene.at["fault"], 2)


def cut_from_peer(scene):
    """The two sites lose each other: payments go on without the peer once the witness knows, and failover waits."""
    scene.mark("fault")
    scene.under_test.cut(scene.active, scene.passive)
    _wait_for_sync_off(scene)
    scene.pause(1, 10)
    scene.refused("unplanned", scene.passive, "--accept-data-loss")
    scene.under_test.heal_links()


def ended_certificate(scene):
    """The recovery site's certificates have ended and its connections break: payments go on without it."""
    scene.under_test.spoil_certificates(scene.passive)
    scene.pause(3, 6)  # its pods take them over
    scene.mark("fault")
    scene.under_test.cut(scene.active, scene.passive)
    _wait_for_sync_off(scene)
    scene.under_test.heal_links()
    scene.pause(5, 10)
    scene.refused("unplanned", scene.passive, "--accept-data-loss")
    scene.under_test.restore_certificates()


def recovery_lost(scene):
    """The recovery site loses power."""
    scene.mark("fault")
    scene.under_test.power_off(scene.passive)
    _wait_for_sync_off(scene)
    scene.pause(2, 6)


def recovery_then_primary_lost(scene):
    """The recovery site goes, payments go on alone, then the active site goes: nobody may be promoted."""
    recovery_lost(scene)
    scene.under_test.power_off(scene.active)
    scene.pause(0, 3)
    scene.under_test.power_on(scene.passive)
    scene.refused("unplanned", scene.passive, "")
    wait_until(lambda: scene.under_test.change.cluster(scene.passive).get("/version"), what="an API", seconds=120)
    scene.refused("unplanned", scene.passive, "")


def lossy_line(scene):
    """Some of the packets between the two sites, up to a fifth, are lost for a while."""
    scene.mark("fault")
    scene.under_test.lose(scene.active, scene.passive, scene.chance.choice([1, 5, 20]))
    scene.pause(10, 25)
    scene.under_test.heal_links()


def slow_line(scene):
    """Every line of the active site takes up to 0.4 s longer each way for a while."""
    scene.mark("fault")
    scene.facts["ms"] = (ms := scene.chance.choice([50, 150, 400]))
    for host in {*scene.under_test.voters, scene.passive}:
        scene.under_test.slow(scene.active, host, ms)
    scene.pause(10, 25)
    scene.under_test.heal_links()


def crashed_database(scene):
    """A postmaster is killed."""
    scene.mark("fault")
    scene.facts["database"] = (database := scene.chance.choice([LEDGER, COMMERCE])).name
    scene.under_test.crash_database(scene.chance.choice([scene.active, scene.passive]), database)
    scene.pause(15, 20)


def crashed_database_then_power_loss(scene):
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


def _killed_component(pattern):
    def fault(scene):
        scene.mark("fault")
        scene.under_test.signal(scene.chance.choice([scene.active, scene.passive]), pattern, "KILL")
        scene.pause(8, 15)

    fault.__doc__ = f"{pattern} is killed at one of the two sites; the supervisor starts it again."
    return fault


def dead_api_failover(scene):
    """The active site's API hangs; the site itself still works, and has to shut itself off without it."""
    scene.under_test.signal(scene.active, "kube-apiserver", "STOP")
    scene.pause(2, 5)
    scene.mark("fault")
    scene.move("unplanned")
    scene.pause(3, 6)


def frozen_agent(scene):
    """The active site's agent hangs: its kernel shuts the databases off, and the lease runs out."""
    scene.mark("fault")
    scene.under_test.signal(scene.active, "runbooks.agent", "STOP")
    scene.pause(1, 4)
    scene.move("unplanned")
    scene.pause(3, 6)
    scene.under_test.signal(scene.active, "runbooks.agent", "CONT")
    scene.pause(3, 6)


def planned(scene):
    """A planned move."""
    scene.may_show_errors = False
    scene.mark("fault")
    scene.move("planned")
    scene.expect_active(scene.passive)


def planned_with_dead_authority(scene):
    """A planned move while one DNS authority is not there."""
    scene.under_test.signal("edge", "pdns_server.*ns2", "STOP")
    planned(scene)
    scene.under_test.signal("edge", "pdns_server.*ns2", "CONT")
    scene.move("planned", check=False)


PLACES = [f"{number}:{point}" for number in range(1, 13) for point in ("before", "acted", "verified")]
"""Each boundary of each step of a planned move, and its middle."""


def killed_at(place):
    """Return the fault in which the operator's machine dies at a place; the same command goes on."""

    def fault(scene):
        scene.facts["killed_at"] = place
        scene.mark("fault")
        scene.move("planned", check=False, environment={"SHOPSPHERE_RUNBOOK_KILL": place})
        scene.facts["was_killed"] = scene.under_test.has_unfinished_run()
        scene.under_test.wait_for_lock()
        if scene.under_test.has_unfinished_run():
            scene.move("planned")

    return fault


def killed_runbook(scene):
    """The operator's machine dies at a step of a planned move; the same command goes on."""
    killed_at(scene.chance.choice(PLACES))(scene)


def two_operators(scene):
    """Two people give the same command at the same time: one moves the pair, the other is told."""
    scene.mark("fault")
    codes = []
    people = [threading.Thread(target=lambda: codes.append(scene.move("planned", check=False)[0])) for _ in range(2)]
    for one in people:
        one.start()
        time.sleep(scene.chance.uniform(0, 1))
    for one in people:
        one.join(300)
    if sorted(codes) != [0, 1]:
        scene.problems.append(f"expected one operator to succeed and one to be refused, found {codes}")


def there_and_back(scene):
    """A second move right after the first."""
    scene.mark("fault")
    scene.move("planned")
    scene.move("planned", scene.active)


def stale_up(scene):
    """Somebody deploys while the pair moves."""
    scene.mark("fault")
    deploy = threading.Thread(target=lambda: shopsphere("up", scene.under_test.pair.name, seconds=600, check=False))
    deploy.start()
    scene.pause(2, 15)
    scene.move("unplanned" if scene.chance.random() < 0.5 else "planned", check=False)
    deploy.join(600)


def killed_runbook_any_time(scene):
    """The same at a random moment, also in the middle of a step."""
    scene.mark("fault")
    seconds = round(scene.chance.uniform(1.5, 18.0), 2)
    scene.facts["killed_at"] = f"{seconds} s"
    with suppress(subprocess.TimeoutExpired):  # run() kills what has not ended in time
        scene.move("planned", check=False, seconds=seconds)
    scene.under_test.wait_for_lock()
    if scene.under_test.has_unfinished_run() or scene.under_test.record().active != scene.passive:
        scene.move("planned", check=False)


CATALOGUE = {
    each.__name__.replace("_", "-"): each
    for each in (
        power_loss, power_loss_unattended, power_loss_without_hq, power_loss_without_region, isolation, partition,
        one_way_cut, cut_from_witness, cut_from_peer, recovery_lost, recovery_then_primary_lost, lossy_line,
        slow_line, ended_certificate,
        crashed_database, crashed_database_then_power_loss, dead_api_failover, frozen_agent, planned,
        planned_with_dead_authority, killed_runbook, killed_runbook_any_time, two_operators, there_and_back, stale_up,
    )
}  # fmt: skip
PROOFS = {"partition-without-fence": partition_without_fence}
"""Never drawn by chance: each has to be found out by a checker."""

for component in ("kube-apiserver", "etcd --name", "kubelet", "containerd", "cloudnative-pg|/manager controller"):
    CATALOGUE[f"killed-{component.split(' ')[0].split('|')[0]}"] = _killed_component(component)
