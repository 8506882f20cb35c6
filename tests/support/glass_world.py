"""A pair of sites, a witness and operators in memory: real agents, permits and steps; lines and answers get lost."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from manual_clock import ManualClock

from runbooks import unwitnessed
from runbooks.agent.agent import Agent
from runbooks.agent.config import AgentConfig, Margins
from runbooks.agent.databases import Role
from runbooks.agent.permits import PermitKeeper
from runbooks.agent.synchrony import Ledger
from runbooks.change import RoleChange
from runbooks.engine import Step
from runbooks.operate import BREAK_GLASS, Request, steps_of
from runbooks.pair_access import PairAccess
from runbooks.permit import ALL, OtherPermitError
from shopsphere.clients.cluster import Cluster, Document
from shopsphere.clients.cluster_errors import ClusterUnreachableError, ConflictError, NotFoundError
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import NoAnswerError, ShopSphereError
from shopsphere.names.pair_state import PairState
from shopsphere.topology import load_topology
from shopsphere.witness import PairRecord, Witness, WitnessConflictError, WitnessUnreachableError
from shopsphere.witness.belief import Belief
from shopsphere.witness.seen import Seen

TOPOLOGY = load_topology()
PAIR = TOPOLOGY.pair("rdc-a")
SITES = PAIR.sites
EPOCH = 4
WAIT = Margins().lease + 2.0
STEPS: dict[int, Step] = {
    each.number: each
    for each in steps_of(
        Request(BREAK_GLASS, "rdc-a", Environment.LAB, "move", "", "test", accept_data_loss=True)
    ).steps
}


class Quorum:
    """What the voters agree on."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock, self.revision = clock, 1
        first = PairRecord.first("rdc-a", "frankfurt", actor="test")
        self.record: PairRecord | None = first.changed(actor="test", reason="test", epoch=EPOCH)
        self.leases: dict[int, float] = {}
        self.held: tuple[str, int] = ("", 0)
        self.numbers = itertools.count(1)

    def holder(self) -> str:
        site, lease = self.held
        return site if self.leases.get(lease, 0.0) > self.clock.now else ""


class Line:
    """One party's way to the quorum, which may be cut."""

    def __init__(self, quorum: Quorum) -> None:
        self.quorum, self.cut, self.pair = quorum, False, "rdc-a"
        self.belief = Belief(self.pair, None)

    def _travel(self) -> None:
        if self.cut:
            raise WitnessUnreachableError("no quorum")

    def prefer_fastest(self) -> None:
        """There is one way."""

    def see(self) -> Seen:
        self._travel()
        return Seen(self.quorum.record, self.quorum.revision, self.quorum.holder())

    glance = see

    def change(self, seen: Seen, record: PairRecord, *, without_lease: bool = False, but_of: str = "") -> Seen:
        self._travel()
        if seen.revision != self.quorum.revision or (without_lease and self.quorum.holder() not in {"", but_of}):
            raise WitnessConflictError("changed")
        self.quorum.record, self.quorum.revision = record, self.quorum.revision + 1
        return self.see()

    def prepare_lease(self, *, seconds: int) -> int:
        self._travel()
        number = next(self.quorum.numbers)
        self.quorum.leases[number] = self.quorum.clock.now + seconds
        return number

    def take_lease(self, seen: Seen, site: str, lease: int) -> None:
        self._travel()
        if seen.revision != self.quorum.revision or self.quorum.holder() not in {"", site}:
            raise WitnessConflictError("held, or changed")
        self.quorum.held = (site, lease)

    def renew_lease(self, lease: int) -> bool:
        self._travel()
        alive = self.quorum.leases.get(lease, 0.0) > self.quorum.clock.now
        if alive:
            self.quorum.leases[lease] = self.quorum.clock.now + Margins().lease
        return alive

    def release_lease(self, lease: int) -> None:
        self._travel()
        self.quorum.leases.pop(lease, None)


class Api:
    """A site's Kubernetes API, as far as permits need it. A write may be lost, its answer too, or it may come late."""

    def __init__(self, site: str) -> None:
        self.context, self.objects, self.version = site, dict[str, Document](), 0
        self.mishap, self.late = "", list[Callable[[], Document]]()

    def get(self, path: str) -> Document:
        if path == "/version":
            return {}
        if path not in self.objects:
            raise NotFoundError("404")
        return self.objects[path]

    def items_of_known_kind(self, path: str, *, labelSelector: str) -> list[Document]:  # noqa: N803 Kubernetes' word
        key, value = labelSelector.split("=")
        return [each for each in self.objects.values() if each["metadata"]["labels"].get(key) == value and path == ALL]

    def create(self, path: str, document: Document) -> Document:
        def make() -> Document:
            own = f"{path}/{document['metadata']['name']}"
            if own in self.objects:
                raise ConflictError("409")
            return self._keep(own, document)

        return self._write(make)

    def patch(self, path: str, changes: Document, *, version: str) -> Document:
        def change() -> Document:
            if self.objects[path]["metadata"]["resourceVersion"] != version:
                raise ConflictError("409")
            return self._keep(path, {**self.objects[path], **changes})

        return self._write(change)

    def _keep(self, path: str, document: Document) -> Document:
        self.version += 1
        metadata = {**document["metadata"], "resourceVersion": str(self.version)}
        self.objects[path] = {**document, "metadata": metadata}
        return self.objects[path]

    def _write(self, work: Callable[[], Document]) -> Document:
        mishap, self.mishap = self.mishap, ""
        if mishap == "late":
            self.late.append(work)
        if mishap == "answer lost":
            work()
        if mishap:
            raise ClusterUnreachableError("no answer")
        return work()

    def deliver(self) -> None:
        while self.late:
            try:
                self.late.pop(0)()
            except ConflictError:
                continue


class Fence:
    """What the kernel lets through, and until when."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock, self._until = clock, 0.0
        self.but: Collection[int] = ()

    def close(self) -> None:
        self._until = 0.0

    def open(self, seconds: float, but: Collection[int] = ()) -> None:
        self._until, self.but = self._clock.now + seconds, but

    @property
    def is_open(self) -> bool:
        return self._until > self._clock.now


class NoLedger:
    """Synchrony is not what is looked at here."""

    def let_go(self) -> None:
        """Nothing is held."""

    def look(self) -> None:
        raise ShopSphereError("not here")


class SiteHost:
    """A site: API, agent, fence. Its databases would take writes at any time: only the fence keeps them from it."""

    def __init__(self, world: World, site: str, disk: Path) -> None:
        self.site, self._world, self._file = site, world, disk / f"{site}.json"
        self.api, self.line, self.fence = Api(site), Line(world.quorum), Fence(world.clock)
        self.is_off, self._starts = False, itertools.count(1)
        self.fault: ShopSphereError | None = None  # why its fence is not proven to have effect
        self.start()

    def start(self) -> None:
        """Start the agent, anew if it was running."""
        peer, session = PAIR.other_than(self.site), f"{self.site} {next(self._starts)}"
        config = AgentConfig(
            pair="rdc-a", site=self.site, peer=peer, first_active="frankfurt", witness=("http://10.0.0.1:1",),
            witness_keys=Path("/none"),
            kubeconfig="/nowhere", context=self.site, permit="/nowhere", listen="10.0.0.2",
        )  # fmt: skip
        permits = PermitKeeper(
            self._file, lambda: cast("Cluster", self.api), pair="rdc-a", site=self.site, peer=peer, session=session
        )
        self.agent = Agent(
            config, cast("Witness", self.line), self.fence, lambda: Role.PRIMARY, lambda: True,
            cast("Ledger", NoLedger()), permits, lambda _line: None, self._world.clock,
            proof=self._prove,
        )  # fmt: skip
        self.agent.start_closed()

    def _prove(self) -> None:
        if self.fault:
            raise self.fault

    def turn(self) -> None:
        """Let every loop of the agent run once."""
        if self.is_off:
            return
        loops = (self.agent.prove_fence, self.agent.look_at_databases, self.agent.renew_lease, self.agent.follow_record)
        for loop in (*loops, self.agent.follow_promotion, self.agent.move_doors):
            try:
                loop()
            except ShopSphereError:
                continue

    def power_off(self) -> None:
        self.is_off = True
        self.fence.close()

    def state(self) -> dict[str, Any]:
        doors = self.agent.doors()
        return {"databases": doors.databases, "writes": doors.writes, "because": doors.because, **self.agent.describe()}


class Reach(PairAccess):
    """One operator's ways to the pair."""

    def __init__(self, world: World) -> None:
        self.line = Line(world.quorum)
        super().__init__(TOPOLOGY, PAIR, Environment.LAB, cast("Witness", self.line))
        self.world, self.unreached = world, set[str]()

    def _require(self, site: str) -> None:
        if site in self.unreached or self.world.hosts[site].is_off:
            raise ClusterUnreachableError("no answer")

    def cluster(self, site: str) -> Cluster:
        self._require(site)
        return cast("Cluster", self.world.hosts[site].api)

    def agent_state(self, site: str, *, until: str = "") -> dict[str, Any]:  # noqa: ARG002 answers at once
        self._require(site)
        return self.world.hosts[site].state()


@dataclass
class Memory:
    """In place of a journal."""

    kept: dict[str, object] = field(default_factory=dict)

    def recall(self, key: str) -> object:
        return self.kept.get(key)

    def remember(self, key: str, value: object) -> None:
        self.kept[key] = value


class Operator:
    """Somebody who breaks the glass for a site: does the next part of the runbook at each turn, again if it failed."""

    def __init__(self, world: World, to: str) -> None:
        self.world, self.to, self.reach = world, to, Reach(world)
        self.outcome = ""
        self._parts = self._run()

    def turn(self) -> None:
        """Go on, unless this run has ended."""
        if not self.outcome:
            self.outcome = next(self._parts, "done")

    def _run(self) -> Iterator[str]:
        while True:
            try:
                direction = unwitnessed.direction_without_witness(self.reach, self.to)
                break
            except ShopSphereError:
                yield ""
        memory = Memory()

        def change() -> RoleChange:
            off = next((site for site, host in self.world.hosts.items() if host.is_off), "")
            return RoleChange(
                self.reach, direction.source, direction.target, direction.epoch, direction.variant, f"for {self.to}",
                "flood", accept_data_loss=True, site_is_off=off, journal=cast("Any", memory), clock=self.world.clock,
            )  # fmt: skip

        for number in (1, 3):
            yield from self._step(STEPS[number], change)
        began = self.world.clock.now
        while self.world.clock.now < began + WAIT:
            yield ""
        yield from self._step(STEPS[5], change)

    def _step(self, step: Step, change: Callable[[], RoleChange]) -> Iterator[str]:
        while True:
            try:
                if step.verify(change()):
                    return
                yield ""
                if step.act:
                    step.act(change())
            except OtherPermitError:
                yield "another decision"
            except (NoAnswerError, ShopSphereError):
                pass
            yield ""


class World:
    """All of it."""

    def __init__(self, disk: Path) -> None:
        self.clock = ManualClock(1000.0)
        self.quorum = Quorum(self.clock)
        self.hosts = {site: SiteHost(self, site, disk) for site in SITES}

    def settle(self, turns: int = 3) -> None:
        """Let all agents look several times, half a second apart."""
        for _ in range(turns):
            for host in self.hosts.values():
                host.turn()
            self.clock.sleep(0.5)

    def lose_witness(self) -> None:
        """Take the quorum away, and wait until nobody remembers an answer as new."""
        for host in self.hosts.values():
            host.line.cut = True
        for _ in range(30):
            self.settle(1)

    def heal_witness(self) -> None:
        """Give the quorum back: its new leader gives every lease its whole time anew, as etcd's does."""
        until = self.quorum.clock.now + Margins().lease
        self.quorum.leases = dict.fromkeys(self.quorum.leases, until)
        for host in self.hosts.values():
            host.line.cut = False

    def open_sites(self) -> list[str]:
        return [site for site, host in self.hosts.items() if host.fence.is_open]


@contextmanager
def names_of_last_epoch() -> Iterator[None]:
    """DNS shows the last epoch that the witness was in."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(unwitnessed, "_shown", lambda _access: {"ns1": PairState(EPOCH, "frankfurt")})
        yield
