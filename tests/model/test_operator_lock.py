"""The operators' lock as a fence: who may have lost it changes nothing more, however late it wakes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from manual_clock import ManualClock
from runbook_steps import acts, facts, make_context, write_runbook

from runbooks.change import PLANNED, UNPLANNED, RoleChange
from runbooks.cluster_change import MARK, mark_clusters
from runbooks.databases import begin_demotion, promote
from runbooks.engine import Journal, StepFailedError, load_runbook, run_runbook
from runbooks.operator_lock import LOCK_SECONDS, OperatorLock, operator_lock
from runbooks.pair_access import PairAccess
from runbooks.site_database import SiteDatabase
from shopsphere.clients.cluster import Cluster, Document
from shopsphere.clients.cluster_errors import ClusterUnreachableError, ConflictError
from shopsphere.estate.databases import DATABASES
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.topology import load_topology
from shopsphere.witness import LockLostError, PairRecord, Witness, WitnessUnreachableError
from shopsphere.witness.gateway import WitnessRefusedError
from shopsphere.witness.identity import WitnessKeysError
from shopsphere.witness.seen import Seen
from shopsphere.witness.store import Lock

TOPOLOGY = load_topology()
PAIR = TOPOLOGY.pair("rdc-a")
LEDGER = DATABASES[1]


class Quorum:
    """Gives the lock to one owner at a time; it ends with its time."""

    pair = "rdc-a"

    def __init__(self, clock: ManualClock) -> None:
        self.clock, self.held, self.until, self.reachable = clock, Lock(0, 0), 0.0, True
        self.changed: list[PairRecord] = []
        self.record = PairRecord.first("rdc-a", "frankfurt", actor="test")

    def lock(self, _owner: str, *, seconds: int) -> Lock:
        assert self.clock.now >= self.until, "held"
        self.held, self.until = Lock(self.held.lease + 1, self.held.revision + 10), self.clock.now + seconds
        return self.held

    def renew_lease(self, lease: int) -> bool:
        if not self.reachable:
            raise WitnessUnreachableError("no quorum")
        alive = lease == self.held.lease and self.clock.now < self.until
        if alive:
            self.until = self.clock.now + LOCK_SECONDS
        return alive

    def release_lease(self, lease: int) -> None:
        if lease == self.held.lease:
            self.until = 0.0

    def confirm(self, lock: Lock) -> None:
        if lock != self.held or self.clock.now >= self.until:
            raise LockLostError("another")

    def see(self) -> Seen:
        return Seen(self.record, 1, "frankfurt")

    def attempt(self, seen: Seen, record: PairRecord, *, without_lease: bool, lock: Lock | None) -> tuple[bool, Seen]:
        assert not without_lease
        if lock:
            self.confirm(lock)
        self.changed.append(record)
        return True, Seen(record, seen.revision + 1, "")


class Site:
    """A site's API with the cluster of each database, which has a version."""

    def __init__(self, site: str) -> None:
        self.context, self.dead = site, False
        self.documents = {SiteDatabase(model, site, cast("Cluster", self)).path: self._new(site, model.cluster)
                          for model in DATABASES}  # fmt: skip
        self.patches: list[Document] = []
        self.before_patch: Callable[[], object] = lambda: None

    @staticmethod
    def _new(site: str, name: Callable[[str], str]) -> Document:
        replica = {"self": name(site), "primary": name("frankfurt")}
        return {"metadata": {"name": name(site), "resourceVersion": "1"}, "spec": {"replica": replica}}

    def get(self, path: str) -> Document:
        if self.dead:
            raise ClusterUnreachableError("no answer")
        return self.documents[path]

    def patch(self, path: str, changes: Document, *, version: str) -> Document:
        before, self.before_patch = self.before_patch, lambda: None
        before()
        held = self.documents[path]
        if version != held["metadata"]["resourceVersion"]:
            raise ConflictError("409")
        marks = {**held["metadata"].get("annotations", {}), **changes.get("metadata", {}).get("annotations", {})}
        metadata = {**held["metadata"], "annotations": marks, "resourceVersion": str(int(version) + 1)}
        spec = {**held["spec"], **changes.get("spec", {})}
        self.documents[path] = {"metadata": metadata, "spec": spec}
        if "spec" in changes:
            self.patches.append(changes)
        return self.documents[path]


class Ways(PairAccess):
    def __init__(self, quorum: Quorum) -> None:
        super().__init__(TOPOLOGY, PAIR, Environment.LAB, cast("Witness", quorum))
        self.sites = {site: Site(site) for site in PAIR.sites}

    def cluster(self, site: str) -> Cluster:
        return cast("Cluster", self.sites[site])


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(100.0)


@pytest.fixture
def quorum(clock: ManualClock) -> Quorum:
    return Quorum(clock)


@pytest.fixture
def ways(quorum: Quorum) -> Ways:
    return Ways(quorum)


def take(quorum: Quorum) -> OperatorLock:
    return OperatorLock(cast("Witness", quorum), "anna", quorum.clock)


def change(ways: Ways, lock: OperatorLock | None, **values: Any) -> RoleChange:
    facts = {"source": "frankfurt", "target": "dublin", "epoch": 1, "variant": PLANNED, "actor": "anna",
             "reason": "test", **values}  # fmt: skip
    return RoleChange(access=ways, lock=lock, **facts)


@pytest.mark.requirement("a lock that may be lost is lost, whatever kept it from being renewed")
def test_a_lock_that_was_given_back(quorum: Quorum, ways: Ways) -> None:
    """An act that ran out of time goes on in its thread while the process lives, as a watcher's does."""
    lock = take(quorum)
    lock.release()
    with pytest.raises(LockLostError, match="given back"):
        lock.require()
    with pytest.raises(LockLostError):
        promote(ways.database("dublin", LEDGER), peer="frankfurt", lock=lock)
    assert ways.sites["dublin"].patches == []


@pytest.mark.requirement("a run that is over is over, also where the witness does not let go of its lock")
@pytest.mark.parametrize("error", [WitnessUnreachableError, WitnessRefusedError, WitnessKeysError])
def test_a_lock_that_cannot_be_given_back(
    quorum: Quorum, monkeypatch: pytest.MonkeyPatch, error: type[ShopSphereError]
) -> None:
    lock = take(quorum)

    def refuse(_lease: int) -> None:
        raise error("not now")

    monkeypatch.setattr(quorum, "release_lease", refuse)
    lock.release()
    with pytest.raises(LockLostError):
        lock.require()


@pytest.mark.requirement("a lock that may be lost is lost, whatever kept it from being renewed")
def test_the_time_of_a_lock(quorum: Quorum, clock: ManualClock) -> None:
    lock = take(quorum)
    clock.sleep(12.9)
    lock.require()
    assert lock.renew()
    clock.sleep(12.9)
    lock.require()
    quorum.reachable = False
    assert lock.renew(), "it is tried again while there is time"
    lock.require()
    clock.sleep(0.1)
    with pytest.raises(LockLostError, match="no quorum"):
        lock.require()


@pytest.mark.requirement("a lock that the witness has given up is lost at once")
def test_a_renewal_that_is_refused(quorum: Quorum, clock: ManualClock) -> None:
    lock = take(quorum)
    quorum.until = 0.0
    assert not lock.renew()
    with pytest.raises(LockLostError, match="it ran out"):
        lock.require()
    quorum.until = clock.now + 100
    assert lock.renew()
    with pytest.raises(LockLostError):
        lock.require()


def test_a_lock_is_renewed_by_a_thread_and_given_back(quorum: Quorum) -> None:
    with operator_lock(cast("Witness", quorum), "anna") as lock:
        lock.require()
        assert quorum.until > 0
    assert quorum.until == 0.0


@pytest.mark.requirement("a lost lock stops a runbook before its next act")
def test_no_act_without_the_lock(tmp_path: Path, quorum: Quorum, clock: ManualClock) -> None:
    lock = take(quorum)
    runbook = load_runbook(write_runbook(tmp_path))
    acted: list[int] = []

    def may_act() -> None:
        acted.append(len(acts(tmp_path)))
        if len(acts(tmp_path)) == 1:
            clock.sleep(20)  # the laptop was closed
        lock.require()

    with Journal.start(tmp_path / "runs", facts()) as journal:  # noqa: SIM117 one statement each
        with pytest.raises(StepFailedError, match=r"(?s)the right to change the pair.*operators' lock was lost"):
            run_runbook(runbook, make_context(tmp_path), journal, may_act=may_act)
    assert len(acts(tmp_path)) == 1


@pytest.mark.requirement("a machine that slept in the middle of a step does not change a database when it wakes")
@pytest.mark.parametrize("others", [False, True])
def test_a_laptop_that_sleeps_in_a_demotion(quorum: Quorum, ways: Ways, clock: ManualClock, others: bool) -> None:
    asleep = change(ways, take(quorum))
    mark_clusters(asleep)
    database = ways.database("frankfurt", LEDGER)
    seen = database.document()
    clock.sleep(20)
    if others:
        mark_clusters(change(ways, take(quorum)))
    with pytest.raises(LockLostError):
        begin_demotion(database, seen, peer="dublin", lock=asleep.lock)
    with pytest.raises(LockLostError):
        promote(ways.database("dublin", LEDGER), peer="frankfurt", lock=asleep.lock)
    assert not ways.sites["frankfurt"].patches
    assert not ways.sites["dublin"].patches


@pytest.mark.requirement("a request that was on its way while its sender slept changes nothing after others have begun")
def test_a_request_that_arrives_late(quorum: Quorum, ways: Ways, clock: ManualClock) -> None:
    late = change(ways, take(quorum))
    mark_clusters(late)
    database, frankfurt = ways.database("frankfurt", LEDGER), ways.sites["frankfurt"]

    def others() -> None:
        clock.sleep(20)
        mark_clusters(change(ways, take(quorum)))

    frankfurt.before_patch = others
    with pytest.raises(LockLostError):
        begin_demotion(database, database.document(), peer="dublin", lock=late.lock)
    assert not frankfurt.patches


@pytest.mark.requirement("a machine whose clock stood still finds out at the witness")
def test_a_virtual_machine_that_was_paused(quorum: Quorum, ways: Ways, clock: ManualClock) -> None:
    paused = ManualClock(100.0)  # of its own, which does not go on
    lock = OperatorLock(cast("Witness", quorum), "anna", paused)
    clock.sleep(20)
    mark_clusters(change(ways, take(quorum)))
    lock.require()
    with pytest.raises(LockLostError):
        promote(ways.database("dublin", LEDGER), peer="frankfurt", lock=lock)
    assert not ways.sites["dublin"].patches


def test_one_who_has_the_lock_changes_what_others_changed_meanwhile(quorum: Quorum, ways: Ways) -> None:
    own = change(ways, take(quorum))
    database, dublin = ways.database("dublin", LEDGER), ways.sites["dublin"]

    def operator_notes_something() -> None:
        dublin.documents[database.path]["metadata"]["resourceVersion"] = "7"

    dublin.before_patch = operator_notes_something
    promote(database, peer="frankfurt", lock=own.lock)
    assert len(dublin.patches) == 1
    promote(database, peer="frankfurt", lock=own.lock)
    assert len(dublin.patches) == 1, "it is told to lead"


def test_a_lost_site_is_not_waited_for(quorum: Quorum, ways: Ways) -> None:
    ways.sites["frankfurt"].dead = True
    own = change(ways, take(quorum), variant=UNPLANNED)
    mark_clusters(own)
    marks = [each["metadata"]["annotations"][MARK] for each in ways.sites["dublin"].documents.values()]
    assert len(marks) == len(DATABASES)
    assert len(set(marks)) == 1


@pytest.mark.requirement("the witness takes a change from nobody but the owner of the lock")
def test_the_record_is_changed_under_the_lock_only(quorum: Quorum, ways: Ways, clock: ManualClock) -> None:
    own = change(ways, take(quorum))
    own.change_record("test", phase="draining")
    assert len(quorum.changed) == 1
    clock.sleep(20)
    take(quorum)
    late = change(ways, own.lock)
    with pytest.raises(LockLostError):
        late.change_record("test", phase="draining")
    assert len(quorum.changed) == 1
