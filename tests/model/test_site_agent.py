"""The site agent: what is open when, and that a site stops before the other one may start."""

import math
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Never, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from instance_files import instance_files
from manual_clock import ManualClock
from present import present
from pydantic import ValidationError

from runbooks.agent.agent import Agent
from runbooks.agent.config import AgentConfig, Margins
from runbooks.agent.databases import Role, SiteRole, all_lead
from runbooks.agent.lease import SiteLease
from runbooks.agent.permits import Witnessed
from runbooks.agent.rhythm import GLANCES, Rhythm
from runbooks.agent.state import REPLICA_LASTS, Knowledge, doors
from runbooks.agent.synchrony import Ledger
from runbooks.agent.watches import Watches
from runbooks.permit import Permit
from shopsphere.clients.cluster import Cluster
from shopsphere.clients.cluster_errors import NotFoundError
from shopsphere.clients.postgres import follows
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.witness import PairRecord, Phase, Witness, WitnessConflictError, WitnessUnreachableError
from shopsphere.witness.seen import Seen

SITES = ("frankfurt", "dublin")


def record(active: str = "frankfurt", phase: Phase = Phase.STEADY, epoch: int = 1) -> PairRecord:
    first = PairRecord.first("rdc-a", active, actor="test")
    return first.changed(actor="test", reason="test", phase=phase, epoch=epoch)


known = st.builds(
    Knowledge,
    record=st.none() | st.builds(record, st.sampled_from(SITES), st.sampled_from(Phase)),
    lease_until=st.floats(min_value=0, max_value=200),
    role=st.none() | st.sampled_from(Role),
    follows_until=st.floats(min_value=0, max_value=200),
)


@pytest.mark.requirement("a site that has lost the lease, or was replaced, cannot take a write")
@given(known, st.floats(min_value=0, max_value=200))
def test_writes_need_lease_and_record(knowledge: Knowledge, now: float) -> None:
    decided = doors("frankfurt", knowledge, now)
    if decided.writes:
        assert knowledge.lease_until > now
        assert present(knowledge.record).active == "frankfurt"
        assert present(knowledge.record).phase is Phase.STEADY
        assert decided.databases
    if decided.databases:
        assert decided.until < math.inf
    if decided.databases and not (knowledge.role is Role.REPLICA and knowledge.follows_until > now):
        assert knowledge.lease_until > now
        assert present(knowledge.record).phase is not Phase.FENCING


@pytest.mark.requirement("what is not known counts against opening")
def test_nothing_known_is_closed() -> None:
    decided = doors("frankfurt", Knowledge(), 0)
    assert (decided.databases, decided.writes) == (False, False)


@pytest.mark.parametrize(
    ("knowledge", "databases", "writes"),
    [
        (Knowledge(record(), 10, Role.PRIMARY), True, True),
        (Knowledge(record(), 10, None), True, False),
        (Knowledge(record(), 10, Role.PRIMARY, promoting=True), True, False),
        (Knowledge(record(), 4, Role.PRIMARY), False, False),
        (Knowledge(record("dublin"), 10, Role.PRIMARY), False, False),
        (Knowledge(record("dublin"), 0, Role.REPLICA, follows_until=10), True, False),
        (Knowledge(record("dublin"), 0, Role.REPLICA, follows_until=4), False, False),
        (Knowledge(record(), 10, Role.REPLICA, follows_until=10), True, False),
        (Knowledge(record(), 10, Role.REPLICA), True, False),
        (Knowledge(record(phase=Phase.DRAINING), 10, Role.PRIMARY), True, False),
        (Knowledge(record(phase=Phase.FENCING), 10, Role.PRIMARY), False, False),
        (Knowledge(None, 0, Role.REPLICA, follows_until=10), True, False),
        (Knowledge(None, 0, Role.REPLICA), False, False),
    ],
)
def test_each_case(knowledge: Knowledge, databases: bool, writes: bool) -> None:
    decided = doors("frankfurt", knowledge, 5)
    assert (decided.databases, decided.writes) == (databases, writes), decided.because


@pytest.mark.requirement("the margins are written down and tested")
@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"fence_after": 8.5}, "less than lease"),
        ({"fence_within": 3.0}, "less than lease"),
        ({"renew_every": 2.5}, "three times"),
        ({"lease": 3}, "greater than or equal to 4"),
    ],
)
def test_margins_that_would_let_two_sites_write_are_refused(values: dict[str, float], message: str) -> None:
    Margins()
    with pytest.raises(ValidationError, match=message):
        Margins(**values)


class FakeFence:
    closed: bool | None = None
    seconds: float | None = None

    def close(self) -> None:
        self.closed = True

    def open(self, seconds: float) -> None:
        assert seconds > 0
        self.closed, self.seconds = False, seconds


class FakeLedger:
    looks = 0

    def let_go(self) -> None:
        """Nothing is held."""

    def look(self) -> Never:
        FakeLedger.looks += 1
        raise ShopSphereError("the API is away")


class FakePermits:
    kept, session, refused = None, "this one", ""
    found: Permit | None = None
    witnessed: Witnessed | None = None

    def look(self) -> Permit | None:
        return self.found

    def remember(self, witnessed: Witnessed) -> None:
        self.witnessed = witnessed

    def refuse(self, _permit: Permit, why: str) -> None:
        self.found, self.refused = None, why

    def take_up_again(self) -> None:
        self.refused = ""


class FakeWitness:
    """One record and one lease; `way` is how long a call takes, on the agent's own clock."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock, self.way, self.reachable = clock, 0.0, True
        self.record: PairRecord | None = None
        self.holder, self.ends = "", 0.0
        self.given_back: list[int] = []
        self.granted = self.loses_answers = False
        self.behind: PairRecord | None = None  # what one voter still believes

    def prefer_fastest(self) -> None:
        """There is one voter."""

    def _travel(self) -> None:
        self.clock.now += self.way
        if not self.reachable:
            raise WitnessUnreachableError("no quorum")
        if self.clock.now >= self.ends:
            self.holder, self.granted = "", False

    def see(self) -> Seen:
        self._travel()
        return Seen(self.record, 1, self.holder)

    def glance(self) -> Seen:
        self._travel()
        return Seen(self.behind, 0, "") if self.behind else Seen(self.record, 1, self.holder)

    def change(self, _seen: Seen, record: PairRecord, **_conditions: bool) -> Seen:
        self._travel()
        self.record = record
        return self.see()

    def prepare_lease(self, *, seconds: int) -> int:
        self._travel()
        self.granted, self.ends = True, self.clock.now + seconds
        return 7

    def take_lease(self, _seen: Seen, site: str, _lease: int) -> None:
        self._travel()
        if self.holder not in ("", site):
            raise WitnessConflictError("held")
        if not self.granted:
            raise WitnessUnreachableError("requested lease not found")
        self.holder = site
        if self.loses_answers:
            raise WitnessUnreachableError("no quorum")

    def renew_lease(self, _lease: int) -> bool:
        self._travel()
        if not self.granted:
            return False
        self.ends = self.clock.now + Margins().lease
        return True

    def release_lease(self, lease: int) -> None:
        self._travel()
        self.holder, self.granted = "", False
        self.given_back.append(lease)


class Site:
    def __init__(self) -> None:
        self.clock, self.fence = ManualClock(100.0), FakeFence()
        self.witness = FakeWitness(self.clock)
        self.role: Role | None = Role.PRIMARY
        self.leading: bool | None = True
        config = AgentConfig(
            pair="rdc-a", site="frankfurt", peer="dublin", first_active="frankfurt", witness=("http://10.0.0.1:1",),
            witness_keys=Path("/none"),
            kubeconfig="/nowhere", context="frankfurt", permit="/nowhere", listen="10.0.0.2",
        )  # fmt: skip
        self.permits = FakePermits()
        self.told: list[str] = []
        self.agent = Agent(
            config,
            cast("Witness", self.witness),
            self.fence,
            self.ask,
            self.leads,
            cast("Ledger", FakeLedger()),
            self.permits,
            self.told.append,
            self.clock,
        )
        self.agent.start_closed()

    def leads(self) -> bool:
        if self.leading is None:
            raise ShopSphereError("no way into the pod")
        return self.leading

    def ask(self) -> Role:
        if self.role is None:
            raise ShopSphereError("the API is away")
        return self.role

    def turn(self, times: int = 1) -> None:
        for _ in range(times):
            self.agent.prove_fence()
            self.agent.look_at_databases()
            self.agent.renew_lease()
            self.agent.follow_record()
            self.agent.follow_promotion()
            self.agent.move_doors()


@pytest.fixture
def site() -> Site:
    return Site()


def test_a_new_pair_opens_at_its_primary(site: Site) -> None:
    assert site.fence.closed
    site.turn(2)
    assert present(site.witness.record).active == "frankfurt"
    assert site.fence.closed is False
    assert site.agent.doors().writes


@pytest.mark.requirement("a full disk at a site keeps it neither from its lease nor from giving it back")
def test_a_full_disk(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_witnessed: Witnessed) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(site.permits, "remember", full)
    site.witness.record = record(epoch=2)
    for _ in range(3):
        with suppress(OSError):  # the loop says so, and goes on
            site.turn()
        site.agent.move_doors()
    assert site.witness.holder == "frankfurt"
    assert site.fence.closed is False
    site.witness.record = record("dublin", epoch=3)
    with suppress(OSError):
        site.turn()
    assert site.fence.closed
    assert site.witness.given_back == [7]


@pytest.mark.requirement("writes are not open before there is a database that takes them")
def test_a_new_pair_lets_no_writes_through_before_it_has_databases(site: Site) -> None:
    site.role = None
    site.turn(2)
    assert site.witness.holder == "frankfurt", "the lease does not wait for them"
    assert not site.agent.doors().writes
    site.clock.sleep(60)
    site.turn()
    assert not site.agent.doors().writes, "time tells nothing about them"
    assert "nothing is known of the databases" in site.told[-1]
    site.role, site.leading = Role.PRIMARY, False
    site.turn()
    assert not site.agent.doors().writes, "they are told to lead, and do not yet"
    site.leading = True
    site.turn()
    assert site.agent.doors().writes


@pytest.mark.requirement("a site fences itself when it loses the lease, before anyone may be promoted")
@pytest.mark.parametrize("way", [0.0, 0.3, 1.4])
def test_a_site_without_witness_is_shut_off_before_its_lease_ends(site: Site, way: float) -> None:
    site.witness.way = way
    site.turn(3)
    assert site.fence.closed is False
    site.witness.reachable = False
    while site.fence.closed is False:
        site.clock.sleep(0.1)
        site.agent.move_doors()
    margins = Margins()
    assert site.clock.now + margins.fence_within < site.witness.ends
    assert "no lease" in site.told[-1]


@pytest.mark.requirement("the fence is open no longer than the lease, though nobody closes it")
def test_the_fence_is_told_when_the_lease_ends(site: Site) -> None:
    site.turn(2)
    assert 0 < present(site.fence.seconds) <= Margins().fence_after
    site.clock.sleep(2)
    site.fence.seconds = None
    site.turn()
    assert site.fence.seconds == Margins().fence_after, "a renewal opens it anew"
    site.role = Role.REPLICA
    site.turn()
    assert site.fence.seconds == REPLICA_LASTS, "a replica is read without a lease"


@pytest.mark.requirement("an opening without a lease ends by itself, too")
def test_a_replica_that_nobody_can_look_at_is_shut_off(site: Site) -> None:
    site.witness.record, site.role = record("dublin"), Role.REPLICA
    site.turn(2)
    for _ in range(20):
        site.clock.sleep(5)
        site.turn()
        assert site.fence.closed is False, "each proof counts anew"
    left = site.agent.doors().until - site.clock.now
    assert REPLICA_LASTS / 2 <= left <= REPLICA_LASTS
    site.role = None
    site.clock.sleep(left + 0.1)
    site.turn()
    assert site.fence.closed is True
    assert "nothing has shown" in site.told[-1]
    site.role = Role.REPLICA
    site.turn()
    assert site.fence.closed is False


@pytest.mark.requirement("a runbook's fencing is answered: shut off first, then the lease given back")
def test_fencing_gives_the_lease_back_after_the_fence_is_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.turn(2)
    seen_closed = []
    release = site.witness.release_lease

    def watched(lease: int) -> None:
        seen_closed.append(site.fence.closed)
        release(lease)

    monkeypatch.setattr(site.witness, "release_lease", watched)
    site.witness.record = record(phase=Phase.FENCING)
    site.turn()
    assert seen_closed == [True]
    site.turn(3)
    assert site.witness.given_back == [7]
    assert site.witness.holder == ""


@pytest.mark.requirement("a renewal that answers after the lease was given back opens nothing")
def test_a_late_renewal_opens_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.turn(2)
    site.witness.record = record(phase=Phase.FENCING)
    renew = site.witness.renew_lease

    def overtaken(lease: int) -> bool:
        alive = renew(lease)
        site.agent.follow_record()
        return alive

    monkeypatch.setattr(site.witness, "renew_lease", overtaken)
    site.agent.renew_lease()
    site.agent.move_doors()
    assert site.witness.given_back == [7]
    assert site.fence.closed


@pytest.mark.requirement("a planned change: writes refused, databases open until they follow, then the lease goes")
def test_draining(site: Site) -> None:
    site.turn(2)
    site.witness.record = record(phase=Phase.DRAINING)
    site.turn(2)
    assert (site.fence.closed, site.agent.doors().writes, site.witness.holder) == (False, False, "frankfurt")
    site.role = Role.REPLICA
    site.agent.look_at_databases()
    assert site.witness.given_back == [7], "at once: a runbook waits for it"
    site.turn(2)
    assert (site.fence.closed, site.agent.doors().writes, site.witness.holder) == (False, False, "")


@pytest.mark.requirement("a site that comes back after it was replaced stays shut off, also after a reboot")
def test_an_old_primary_that_returns(site: Site) -> None:
    site.witness.record = record("dublin", epoch=2)
    site.turn(5)
    assert site.fence.closed
    assert site.witness.holder == ""
    site.role = None
    site.turn(5)
    assert site.fence.closed


@pytest.mark.requirement("the site that is moved to is ready to take the lease when it is made the active one")
@pytest.mark.parametrize("phase", [Phase.DRAINING, Phase.FENCING])
def test_a_lease_is_prepared_while_a_change_is_announced(site: Site, phase: Phase) -> None:
    site.role, site.witness.way = Role.REPLICA, 0.3
    site.witness.record = record("dublin", phase)
    site.turn()
    assert (site.witness.granted, site.witness.holder) == (True, "")
    site.clock.sleep(8)
    site.turn()  # renews it
    renewed = site.witness.ends - Margins().lease
    site.clock.sleep(1)
    site.witness.record = record("frankfurt", epoch=2)
    site.agent.follow_record()
    assert site.witness.holder == "frankfurt"
    left = cast("float", site.agent.describe()["lease_seconds_left"])
    assert site.clock.now + left <= renewed + Margins().fence_after, "taking it prolongs nothing"
    site.role = Role.PRIMARY
    site.turn()
    assert site.agent.doors().writes


@pytest.mark.requirement("the site that is moved to is ready to take the lease when it is made the active one")
def test_a_lease_that_was_prepared_and_has_ended_is_replaced(site: Site) -> None:
    site.role = Role.REPLICA
    site.witness.record = record("dublin", Phase.DRAINING)
    site.turn()
    site.clock.sleep(60)  # the host was asleep
    site.witness.record = record("frankfurt", epoch=2)
    site.agent.follow_record()
    assert (site.witness.holder, site.agent.describe()["lease_seconds_left"]) == ("", 0.0)
    site.turn(2)
    assert site.witness.holder == "frankfurt"


class Overtaken:
    """A lock after whose first use another thread has its turn."""

    def __init__(self, other: Callable[[], None]) -> None:
        self.turns = [other]

    def __enter__(self) -> None:
        """Nobody else is there."""

    def __exit__(self, *_error: object) -> None:
        if self.turns:
            self.turns.pop()()


@pytest.mark.requirement("the right to write is never bound to no lease: it would never end")
def test_a_lease_that_is_forgotten_while_it_is_taken(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    lease = SiteLease(cast("Witness", site.witness), "frankfurt", Margins(), lambda _until: None, site.clock)
    asked, take = [], site.witness.take_lease

    def watched(seen: Seen, name: str, number: int) -> None:
        asked.append(number)
        take(seen, name, number)

    monkeypatch.setattr(site.witness, "take_lease", watched)

    def renewed_too_late() -> None:
        site.clock.sleep(60)
        lease.renew()

    monkeypatch.setattr(lease, "_changing", Overtaken(renewed_too_late))
    with pytest.raises(WitnessUnreachableError, match="lease not found"):
        lease.take(Seen(record(), 1, ""))
    assert (asked, lease.taken) == ([7], False)
    lease.prepare()
    assert lease.stop_writing() == 0, "what was only prepared is not given back"


def test_a_prepared_lease_is_not_kept_when_the_change_is_taken_back(site: Site) -> None:
    site.role = Role.REPLICA
    site.witness.record = record("dublin", Phase.DRAINING)
    site.turn()
    site.witness.record = record("dublin")
    site.turn()
    site.clock.sleep(Margins().lease)
    site.turn()
    assert not site.witness.granted


@pytest.mark.requirement("a voter that is behind neither opens a site again nor keeps it from following the others")
def test_a_voter_that_is_behind(site: Site) -> None:
    site.turn(2)
    site.witness.record, site.witness.behind = record(phase=Phase.DRAINING), record()
    for _ in range(3):
        site.turn()
        assert not site.agent.doors().writes
    site.witness.record = record(phase=Phase.FENCING)
    site.turn(GLANCES)
    assert site.witness.given_back == [7], "the quorum is asked now and then"


@pytest.mark.requirement("writes reach a site when its databases take them, not while they are being promoted")
def test_writes_wait_for_the_promotion(site: Site) -> None:
    site.role, site.leading = Role.REPLICA, False
    site.witness.record = record()
    site.turn(2)
    assert (site.fence.closed, site.agent.doors().writes) == (False, False)
    site.role = Role.PRIMARY
    site.turn()
    assert (site.fence.closed, site.agent.doors().writes) == (False, False)
    assert "being promoted" in site.told[-1]
    site.leading = True
    site.turn()
    assert site.agent.doors().writes


@pytest.mark.requirement("a dead way into the pods does not keep customers away")
@pytest.mark.parametrize("role", [Role.REPLICA, Role.PRIMARY])
def test_a_promotion_that_cannot_be_seen_is_not_waited_for_without_end(site: Site, role: Role) -> None:
    site.role, site.leading = role, None
    site.turn(2)
    site.role = Role.PRIMARY
    site.turn()
    assert not site.agent.doors().writes, "nobody has seen them lead, since this agent began"
    for _ in range(8):
        site.clock.sleep(3)
        site.turn()
    assert site.agent.doors().writes


@pytest.mark.requirement("a lease that may have been given is given back, though the answer was lost")
def test_a_lost_answer(site: Site) -> None:
    site.witness.record, site.witness.loses_answers = record(), True
    site.turn()
    assert (site.witness.holder, site.fence.closed) == ("frankfurt", True)
    site.witness.record = record(phase=Phase.FENCING)
    site.turn()
    assert site.witness.given_back == [7]


def test_a_lease_of_somebody_else_is_not_taken(site: Site) -> None:
    site.witness.record, site.witness.holder, site.witness.ends = record(), "dublin", 1e9
    site.turn(3)
    assert site.fence.closed
    assert site.witness.holder == "dublin"


def test_a_record_that_is_slow_to_read_costs_no_time_of_the_lease(site: Site) -> None:
    site.turn(2)
    site.witness.way = 3.0
    site.agent.renew_lease()
    left = site.agent.describe()["lease_seconds_left"]
    site.witness.see()
    assert left == Margins().fence_after - 3.0


@pytest.mark.requirement("only the site that takes writes decides about synchrony")
def test_synchrony_is_kept_while_writes_are_open(site: Site) -> None:
    site.agent.keep_synchrony()
    assert FakeLedger.looks == 0
    site.turn(2)
    with pytest.raises(ShopSphereError):
        site.agent.keep_synchrony()
    assert FakeLedger.looks == 1


@pytest.mark.parametrize(
    ("replica", "expected"),
    [
        ({}, False),
        ({"self": "a", "primary": "a", "source": "b"}, False),
        ({"self": "a", "primary": "b", "source": "b"}, True),
        ({"primary": "b", "source": "b"}, True),
    ],
)
def test_role_of_a_cluster(replica: dict[str, str], expected: bool) -> None:
    document = {"metadata": {"name": "a"}, "spec": {"replica": replica} if replica else {}}
    assert follows(document) is expected


class TurningSite:
    """The API of a site whose databases are turned round; both say the same of themselves."""

    def __init__(self) -> None:
        self.leads, self.marked = "frankfurt", "no"
        self.gone: set[str] = set()
        self.state: str | None = "in production"
        self.next_leader = ""
        self.context = "frankfurt"

    def get(self, path: str) -> dict[str, Any]:
        name, kind = path.rpartition("/")[2], path.rpartition("/")[2].partition("-")[0]
        if name in self.gone:
            raise NotFoundError(f"no {name}")
        spec = {"replica": {"self": name, "primary": f"{kind}-{self.leads}"}}
        metadata = {"name": name, "namespace": f"data-{kind}", "uid": name}
        status = {"currentPrimary": f"{name}-1", "targetPrimary": f"{name}-{self.next_leader or 1}"}
        return {"metadata": metadata, "spec": spec, "status": status}

    def items_of_known_kind(self, _path: str, **_query: str) -> list[dict[str, Any]]:
        """What a list by labels would show: never one that lost its labels."""
        return []

    def execute(self, *_command: str | list[str], **_bounds: Any) -> str:
        if self.state is None:
            raise ShopSphereError("no answer")
        return instance_files(self.state, marked=self.marked)


@pytest.mark.requirement("a database that is only told to follow counts as a primary: its operator may be dead")
def test_a_role_is_proven() -> None:
    role, site = SiteRole("frankfurt"), TurningSite()
    assert role.ask(cast("Cluster", site)) is Role.PRIMARY
    site.leads = "dublin"
    assert role.ask(cast("Cluster", site)) is Role.PRIMARY
    site.state = "shut down"
    assert role.ask(cast("Cluster", site)) is Role.PRIMARY, "it may start again as it was"
    site.state = None
    with pytest.raises(ShopSphereError):
        role.ask(cast("Cluster", site))
    site.state = "in archive recovery"
    assert role.ask(cast("Cluster", site)) is Role.REPLICA
    site.state = None
    assert role.ask(cast("Cluster", site)) is Role.REPLICA, "proven once, until it is told to lead"
    site.leads = "frankfurt"
    assert role.ask(cast("Cluster", site)) is Role.PRIMARY


@pytest.mark.requirement("a planned change waits for the end of the old primary, not for its start as a replica")
def test_an_end_that_leads_to_a_replica_proves_the_role() -> None:
    role, site = SiteRole("frankfurt"), TurningSite()
    site.leads, site.state = "dublin", "shut down"
    assert role.ask(cast("Cluster", site)) is Role.PRIMARY
    site.marked, site.state = "yes", "shutting down"
    assert role.ask(cast("Cluster", site)) is Role.PRIMARY
    site.state, site.next_leader = "shut down", "2"
    assert role.ask(cast("Cluster", site)) is Role.PRIMARY, "another instance is about to lead here"
    site.next_leader = ""
    assert role.ask(cast("Cluster", site)) is Role.REPLICA


@pytest.mark.requirement("what is not known of a site's databases opens nothing")
@pytest.mark.parametrize(
    "gone", [{"ledger-frankfurt"}, {"commerce-frankfurt"}, {"commerce-frankfurt", "ledger-frankfurt"}]
)
def test_fewer_than_all_databases_are_no_replicas_and_do_not_lead(gone: set[str]) -> None:
    site = TurningSite()
    site.leads, site.state, site.gone = "dublin", "in archive recovery", gone
    with pytest.raises(NotFoundError):
        SiteRole("frankfurt").ask(cast("Cluster", site))
    site.leads = "frankfurt"
    with pytest.raises(NotFoundError):
        all_lead(cast("Cluster", site), "frankfurt")


@pytest.mark.requirement("a site is barred also while it has no databases")
def test_a_permit_is_heard_of_while_nobody_knows_the_role(site: Site) -> None:
    site.turn(2)
    site.role = None
    site.permits.found = Permit(
        pair="rdc-a", epoch=5, active="dublin", session="s", actor="anna", reason="test", at=datetime.now(UTC)
    )
    site.turn()
    shown = site.agent.describe()["permit"]
    assert isinstance(shown, dict)
    assert shown["active"] == "dublin"
    assert not site.agent.doors().writes


class OpenWatches(Watches):
    """Watches that hear of everything, or of nothing."""

    hear = True

    def of_record(self) -> bool:
        return self.hear

    def of_databases(self) -> bool:
        return self.hear


@pytest.mark.requirement("a site that waits for something, or hears of nothing, looks as often as without watches")
def test_how_often_is_looked(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = OpenWatches()
    monkeypatch.setattr(site.agent, "_rhythm", Rhythm("frankfurt", watched, site.clock))
    assert (site.agent.record_pause(), site.agent.databases_pause()) == (0.7, 0.5), "nothing is known yet"
    site.turn(2)
    assert (site.agent.record_pause(), site.agent.databases_pause()) == (3.0, 5.0)
    watched.hear = False
    assert (site.agent.record_pause(), site.agent.databases_pause()) == (0.7, 0.5)
    watched.hear = True
    site.witness.record = record(phase=Phase.DRAINING)
    site.turn()
    assert (site.agent.record_pause(), site.agent.databases_pause()) == (0.05, 0.2)
    site.witness.record = record()
    site.turn(GLANCES)
    assert site.agent.record_pause() == 3.0
    site.witness.reachable = False
    site.agent.follow_record()
    site.witness.reachable = True
    site.clock.sleep(59)
    site.agent.follow_record()
    assert site.agent.record_pause() == 0.7, "watches may lie dead after the way was cut"
    site.clock.sleep(2)
    site.turn(2)
    assert site.agent.record_pause() == 3.0


@pytest.mark.requirement("a site that is made the active one looks often until it has the lease")
def test_how_often_is_looked_without_the_lease(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site.agent, "_rhythm", Rhythm("frankfurt", OpenWatches(), site.clock))
    site.witness.record, site.witness.holder, site.witness.ends = record(), "dublin", 1e9
    site.turn(2)
    assert site.agent.record_pause() == 0.7


@pytest.mark.requirement("databases are looked at often while their role is not what it should be, or nobody answers")
def test_how_often_the_databases_are_looked_at(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site.agent, "_rhythm", Rhythm("frankfurt", OpenWatches(), site.clock))
    site.turn(2)
    assert site.agent.databases_pause() == 5.0
    site.role = Role.REPLICA
    site.turn()
    assert site.agent.databases_pause() == 0.5, "the active site's databases have to lead"
    site.role = Role.PRIMARY
    site.turn()
    assert site.agent.databases_pause() == 5.0
    site.role = None
    site.turn()
    assert site.agent.databases_pause() == 0.5, "the last look had no answer"


@pytest.mark.requirement("a lease that is lost, and a permit, wake the loop that acts on them")
def test_what_wakes_the_look_at_the_record(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.turn(2)
    rung: list[str] = []
    monkeypatch.setattr(site.agent._record, "ring", lambda: rung.append("record"))  # noqa: SLF001
    site.agent.renew_lease()
    assert not rung
    site.witness.holder, site.witness.ends = "", 0.0
    site.agent.renew_lease()
    assert rung == ["record"]
    site.permits.found = Permit(
        pair="rdc-a", epoch=5, active="dublin", session="s", actor="anna", reason="test", at=datetime.now(UTC)
    )
    site.agent.look_at_databases()
    assert rung == ["record", "record"]


@pytest.mark.requirement("the doors close when the lease ends, whatever else happens")
def test_the_doors_are_looked_at_when_the_lease_ends(site: Site) -> None:
    site.turn(2)
    assert site.agent.doors_pause() == 1.0
    site.clock.sleep(Margins().fence_after - 0.25)
    assert site.agent.doors_pause() == 0.25
    site.clock.sleep(0.25)
    site.agent.move_doors()
    assert site.fence.closed
