"""Writing without the witness: what a permit opens and bars, over reboots and when the witness is back."""

from __future__ import annotations

import errno
import json
import math
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from glass_world import Api as WrittenApi
from hypothesis import given
from hypothesis import strategies as st
from manual_clock import ManualClock
from present import present

from cli.main import run
from runbooks import unwitnessed
from runbooks.agent import permits
from runbooks.agent.databases import Role
from runbooks.agent.permits import PermitKeeper, Witnessed
from runbooks.agent.state import Knowledge, doors
from runbooks.change import MOVE, STAY, RoleChange
from runbooks.engine import Step
from runbooks.engine.errors import BlockedError
from runbooks.operate import BREAK_GLASS, FOLDER, Request, steps_of
from runbooks.pair_access import PairAccess
from runbooks.permit import ALL, OtherPermitError, Permit, permit_path, write_permit
from shopsphere.clients.cluster import Cluster
from shopsphere.clients.cluster_errors import (
    ClusterUnreachableError,
    NoAccessError,
    RefusedError,
    UnreadableAnswerError,
)
from shopsphere.estate.access import AccessError
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.names.pair_state import PairState
from shopsphere.topology import load_topology
from shopsphere.witness import PairRecord, Witness, WitnessUnreachableError
from shopsphere.witness.belief import Belief
from shopsphere.witness.seen import Seen

PAIR = load_topology().pair("rdc-a")


def permit(active: str = "dublin", epoch: int = 5, session: str = "s1") -> Permit:
    return Permit(
        pair="rdc-a", epoch=epoch, active=active, session=session, actor="anna", reason="two voters are flooded",
        at=datetime.now(UTC),
    )  # fmt: skip


def record(epoch: int, active: str = "frankfurt") -> PairRecord:
    return PairRecord.first("rdc-a", active, actor="test").changed(actor="test", reason="test", epoch=epoch)


@pytest.mark.requirement("without the witness exactly the permitted site may write")
@given(st.sampled_from(["frankfurt", "dublin"]), st.none() | st.integers(1, 4), st.sampled_from([0.0, 50.0]))
def test_one_site_writes(active: str, epoch: int | None, lease_until: float) -> None:
    known = Knowledge(record(epoch) if epoch else None, lease_until, Role.PRIMARY, permit(active))
    for site in PAIR.sites:
        decided = doors(site, known, 10)
        assert (decided.databases, decided.writes) == (site == active,) * 2, decided.because


@pytest.mark.requirement("a permit ends when the witness is in its epoch")
@pytest.mark.parametrize("epoch", [5, 6])
def test_the_witness_rules_again(epoch: int) -> None:
    known = Knowledge(record(epoch, "frankfurt"), 50.0, Role.PRIMARY, permit("dublin"))
    assert doors("frankfurt", known, 10).writes
    assert not doors("dublin", known, 10).writes


@pytest.mark.requirement("a permit opens nothing against a witness that answers, and ends with its agent")
@pytest.mark.parametrize(
    ("active", "holder", "ago", "opens"),
    [
        ("frankfurt", "frankfurt", 8.9, False),
        ("frankfurt", "", 0.0, False),  # it has to agree first, which takes a moment
        ("dublin", "frankfurt", 0.0, False),
        ("dublin", "", 0.0, True),
        ("dublin", "dublin", 0.0, True),
        ("frankfurt", "frankfurt", 9.0, True),
        ("frankfurt", "frankfurt", math.inf, True),
    ],
)
def test_a_permit_and_what_the_quorum_said(active: str, holder: str, ago: float, opens: bool) -> None:
    known = Knowledge(record(4, active), 0.0, Role.PRIMARY, permit(), lease_holder=holder, heard_at=100.0 - ago)
    decided = doors("dublin", known, 100.0)
    assert (decided.databases, decided.writes) == (opens, opens), decided.because
    assert decided.until == (107.0 if opens else math.inf)
    barred = doors("frankfurt", known, 100.0)
    assert (barred.databases, barred.writes) == (False, False)


def test_a_replica_is_not_opened_for_writing() -> None:
    assert not doors("dublin", Knowledge(None, 0.0, Role.REPLICA, permit()), 10).writes


class Api:
    found: Permit | None = None

    def items_of_known_kind(self, path: str, **_query: str) -> list[dict[str, dict[str, str]]]:
        assert path == ALL
        return [{"data": {"permit.json": present(self.found).model_dump_json()}}]


@pytest.fixture
def api() -> Api:
    return Api()


def keeper_at(file: Path, api: Api, site: str = "frankfurt", session: str = "x") -> PermitKeeper:
    cluster = cast("Cluster", api)
    return PermitKeeper(file, lambda: cluster, pair="rdc-a", site=site, peer=PAIR.other_than(site), session=session)


@pytest.mark.requirement("a site that was barred stays so over a reboot; one that was permitted does not")
def test_over_a_restart(tmp_path: Path, api: Api) -> None:
    def start(site: str, session: str) -> PermitKeeper:
        return keeper_at(tmp_path / f"{site}.json", api, site, session)

    api.found = permit("dublin", session="s1")
    assert start("dublin", "s1").look() == api.found
    assert start("frankfurt", "x").look() == api.found
    assert start("frankfurt", "y").kept == api.found, "barred, before the API is up"
    assert start("dublin", "s2").kept is None
    assert start("dublin", "s2").look() is None


def test_an_older_permit_replaces_nothing(tmp_path: Path, api: Api) -> None:
    keeper = keeper_at(tmp_path / "permit.json", api)
    for epoch, kept in ((5, 5), (4, 5), (6, 6)):
        api.found = permit(epoch=epoch)
        assert present(keeper.look()).epoch == kept


@pytest.mark.requirement("an epoch is decided once: a permit for the other site in the same epoch is refused")
def test_the_same_epoch_for_the_other_site(tmp_path: Path, api: Api) -> None:
    keeper = keeper_at(tmp_path / "permit.json", api)
    for active, session in (("dublin", "s1"), ("frankfurt", "x"), ("dublin", "s2")):
        api.found = permit(active, session=session)
        assert present(keeper.look()).active == "dublin"
    assert present(keeper.kept).session == "s2", "the same decision for a later start of the agent"
    api.found = permit("frankfurt", session="x")
    keeper.look()
    assert "epoch 5 is dublin's" in keeper.refused
    api.found = permit("frankfurt", epoch=6, session="x")
    assert present(keeper.look()).active == "frankfurt"
    assert keeper.refused == ""


@pytest.mark.requirement("an epoch is decided once: a permit for the other site in the same epoch is refused")
@pytest.mark.parametrize(
    ("epoch", "refused"), [(5, "a permit for dublin: epoch 5 is frankfurt's, by the witness"), (4, "")]
)
def test_an_epoch_that_the_witness_had_begun(tmp_path: Path, api: Api, epoch: int, refused: str) -> None:
    keeper_at(tmp_path / "permit.json", api, "dublin", "s1").remember(Witnessed(epoch=5, active="frankfurt"))
    restarted = keeper_at(tmp_path / "permit.json", api, "dublin", "s2")
    api.found = permit("dublin", epoch, session="s2")
    assert restarted.look() is None
    assert restarted.refused == refused
    api.found = permit("dublin", 6, session="s2")
    assert restarted.look() == api.found


@pytest.mark.requirement("a disk that is full keeps nothing that was heard from counting")
def test_what_the_witness_said_is_kept_later_where_the_disk_is_full(
    tmp_path: Path, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper, said = keeper_at(tmp_path / "permit.json", api), Witnessed(epoch=4, active="frankfurt")
    with monkeypatch.context() as full:
        full.setattr(permits, "write_whole", full_disk)
        for _ in range(2):
            with pytest.raises(OSError, match="No space"):
                keeper.remember(said)
    assert keeper.witnessed == said
    assert keeper_at(tmp_path / "permit.json", api).witnessed is None
    keeper.remember(said)
    assert keeper_at(tmp_path / "permit.json", api).witnessed == said


def full_disk(*_words: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.requirement("a permit that skips an epoch does not stick")
@pytest.mark.parametrize("epoch", [6, 2**62])
def test_an_epoch_too_far_ahead(tmp_path: Path, api: Api, epoch: int) -> None:
    file = tmp_path / "permit.json"
    keeper = keeper_at(file, api, "dublin", "s1")
    keeper.remember(Witnessed(epoch=4, active="frankfurt"))
    api.found = permit("dublin", epoch=epoch)
    assert keeper.look() is None
    assert ("after epoch 4 comes 5" if epoch == 6 else "no pair has so many epochs") in keeper.refused
    assert not file.exists()
    again = keeper_at(file, api, "dublin", "s1")
    assert again.look() is None, "what the witness said is known over a restart"
    api.found = permit("dublin")
    assert again.look() == api.found


@pytest.mark.requirement("a permit that skips an epoch does not stick")
def test_an_epoch_beyond_all_is_refused_also_where_nothing_is_known(tmp_path: Path, api: Api) -> None:
    keeper = keeper_at(tmp_path / "permit.json", api, "dublin", "s1")
    api.found = permit("dublin", epoch=2**62)
    assert keeper.look() is None
    assert "no pair has so many epochs" in keeper.refused


@pytest.mark.parametrize("values", [{"pair": "rdc-b"}, {"active": "ashburn"}])
def test_a_permit_that_is_not_for_this_pair(tmp_path: Path, api: Api, values: dict[str, str]) -> None:
    keeper = keeper_at(tmp_path / "permit.json", api)
    api.found = permit().model_copy(update=values)
    assert keeper.look() is None
    assert "not for this pair" in keeper.refused


@pytest.mark.requirement("what cannot be read is not known")
def test_a_permit_that_cannot_be_read(tmp_path: Path) -> None:
    class Broken(Api):
        def items_of_known_kind(self, path: str, **_query: str) -> list[dict[str, dict[str, str]]]:
            assert path == ALL
            return [{"data": {"permit.json": "{"}}]

    with pytest.raises(UnreadableAnswerError):
        keeper_at(tmp_path / "permit.json", Broken()).look()


@pytest.mark.requirement("a permit is created for its epoch and never replaced by another decision")
def test_a_permit_is_written_once() -> None:
    api = WrittenApi("dublin")
    cluster = cast("Cluster", api)
    write_permit(cluster, permit("dublin"))
    with pytest.raises(OtherPermitError, match="for dublin by anna"):
        write_permit(cluster, permit("frankfurt"))
    write_permit(cluster, permit("dublin", session="s2"))
    write_permit(cluster, permit("frankfurt", epoch=6))
    kept = {path: Permit.model_validate_json(each["data"]["permit.json"]) for path, each in api.objects.items()}
    assert {path: (each.active, each.session) for path, each in kept.items()} == {
        permit_path(5): ("dublin", "s2"),
        permit_path(6): ("frankfurt", "s1"),
    }


class Access(PairAccess):
    """The ways to a pair without a witness, of which one site answers."""

    def __init__(self, **values: Any) -> None:
        super().__init__(load_topology(), PAIR, Environment.LAB, cast("Witness", self))
        self.belief = Belief(PAIR.name, None)
        self.up, self.witnessed, self.in_recovery = {"dublin"}, cast("PairRecord | None", None), True
        self.states: dict[str, Any] = {
            "dublin": {"record": {"sync": "on", "epoch": 4, "active": "frankfurt"}, "session": "s1"}
        }
        self.__dict__.update(values)

    def see(self) -> Seen:
        if self.witnessed is None:
            raise WitnessUnreachableError("no quorum")
        return Seen(self.witnessed, 1, "")

    def cluster(self, site: str) -> Cluster:
        if site not in self.up:
            raise ClusterUnreachableError("no answer")
        answer = json.dumps({"in_recovery": self.in_recovery})
        document = {"metadata": {"name": "any"}}
        return cast(
            "Cluster", SimpleNamespace(context=site, get=lambda _path: document, execute=lambda *_, **__: answer)
        )

    def agent_state(self, site: str, *, until: str = "") -> dict[str, Any]:  # noqa: ARG002 answers at once
        if site not in self.states:
            raise ShopSphereError("no answer")
        return cast("dict[str, Any]", self.states[site])


class Memory:
    """In place of a journal."""

    def __init__(self, **kept: object) -> None:
        self.kept = kept

    def recall(self, key: str) -> object:
        return self.kept.get(key)

    def remember(self, key: str, value: object) -> None:
        self.kept[key] = value


def change(access: Access | None = None, **values: Any) -> RoleChange:
    """From Frankfurt to Dublin, in epoch 4."""
    facts = {
        "source": "frankfurt", "target": "dublin", "epoch": 4, "variant": MOVE, "actor": "anna", "reason": "flood",
        "journal": Memory(),
    }  # fmt: skip
    return RoleChange(access=access or Access(), **{**facts, **values})


def step(number: int) -> Step:
    request = Request(BREAK_GLASS, "rdc-a", Environment.LAB, MOVE, "", "test", accept_data_loss=False)
    return next(each for each in steps_of(request).steps if each.number == number)


@pytest.mark.requirement("break-glass refuses while there is a safe way")
def test_a_witness_that_answers() -> None:
    with pytest.raises(BlockedError, match="shopsphere failover"):
        step(1).check(change(Access(witnessed=record(4))))
    assert "no quorum" in step(1).check(change())
    assert "is back" in step(1).check(change(Access(witnessed=record(5, "dublin"))))


@pytest.mark.requirement("break-glass refuses while there is a safe way")
def test_agents_that_hear_the_witness_though_this_machine_does_not() -> None:
    heard = {"dublin": {"witness": {"answered": True, "seconds_ago": 0.4}}}
    there = change(Access(states=heard))
    assert "heard it 0.4 s ago" in step(1).check(there)
    with pytest.raises(BlockedError, match="only this machine does not reach it: the agent of dublin"):
        step(1).verify(there)
    heard["dublin"]["witness"]["answered"] = False
    assert step(1).verify(there)
    assert step(1).verify(change(Access(states={}))), "agents that are away say nothing"


@pytest.mark.requirement("nothing is permitted before the other site is seen barred, and it is looked at again")
@pytest.mark.parametrize(
    ("frankfurt", "barred"),
    [
        ({"writes": False, "permit": {"epoch": 5, "active": "dublin"}}, True),
        ({"writes": False, "permit": {"epoch": 6, "active": "frankfurt"}}, False),  # another operator, since
        ({"writes": True, "permit": None, "record": {"epoch": 5, "active": "frankfurt"}}, False),
        ({"writes": False, "permit": None, "record": {"epoch": 5, "active": "dublin"}}, True),  # the witness is back
    ],
)
def test_the_bar_is_looked_at_again(frankfurt: dict[str, Any], barred: bool) -> None:
    api = WrittenApi("dublin")
    dublin = {
        "session": "s1",
        "witness": {"epoch": 4, "active": "frankfurt"},
        "permit": {"epoch": 5, "active": "dublin"},
    }

    class Reached(Access):
        def cluster(self, _site: str) -> Cluster:
            return cast("Cluster", api)

    moved = change(Reached(states={"frankfurt": frankfurt, "dublin": dublin}), journal=Memory(barred=True))
    assert step(5).verify(moved) is barred
    if barred:
        present(step(5).act)(moved)
        assert list(api.objects) == [permit_path(5)]
        return
    with pytest.raises(BlockedError, match="frankfurt is not barred any more"):
        present(step(5).act)(moved)
    assert not api.objects


@pytest.mark.requirement("break-glass promotes nothing before possible loss is accepted")
def test_possible_loss() -> None:
    look = step(2).check
    with pytest.raises(BlockedError, match="--accept-data-loss"):
        look(change())
    assert "last read sync on in epoch 4" in look(change(accept_data_loss=True))
    assert "knows nothing" in look(change(Access(states={}), accept_data_loss=True))
    with pytest.raises(BlockedError, match="follows the other site"):
        look(change(variant=STAY))
    assert "nothing is lost" in look(change(Access(in_recovery=False), variant=STAY))


@pytest.mark.requirement("a site that cannot be barred blocks, until somebody answers for its being off")
def test_a_silent_site() -> None:
    with pytest.raises(BlockedError, match="--site-is-off frankfurt"):
        step(3).check(change())
    assert not step(3).verify(change())
    off = change(site_is_off="frankfurt")
    assert "stays off" in step(3).check(off)
    assert step(3).verify(off)
    assert step(3).verify(change(variant=STAY))
    there = change(Access(up={"frankfurt", "dublin"}), site_is_off="frankfurt")
    assert not step(3).verify(there), "it answers: it is not off"


@pytest.mark.requirement("a site that cannot be barred blocks, until somebody answers for its being off")
def test_a_site_that_refuses_us_is_not_silent() -> None:
    class Refusing(Access):
        def cluster(self, site: str) -> Cluster:
            def refuse(_path: str) -> None:
                raise RefusedError(f"{site}: 403 Forbidden")

            return cast("Cluster", SimpleNamespace(get=refuse))

    assert not step(3).verify(change(Refusing(), site_is_off="frankfurt")), "it answers: it is not off"
    assert "is told" in step(3).check(change(Refusing(), site_is_off="frankfurt"))


@pytest.mark.requirement("a site that cannot be barred blocks, until somebody answers for its being off")
def test_a_way_that_is_not_known_here_is_no_silence() -> None:
    class Lost(Access):
        def cluster(self, site: str) -> Cluster:
            raise NoAccessError(f"{site}: no usable kubeconfig")

    class Misconfigured(Access):
        def cluster(self, site: str) -> Cluster:
            raise AccessError(f"Pulumi.prod-{site}.yaml: cannot be used to reach anything")

    for access in (Lost(), Misconfigured()):
        with pytest.raises((NoAccessError, AccessError)):
            step(3).check(change(access))
        with pytest.raises((NoAccessError, AccessError)):
            step(3).verify(change(access, variant=STAY))
    assert "stays off" in step(3).check(change(Lost(), site_is_off="frankfurt"))
    with pytest.raises(AccessError):
        step(3).check(change(Misconfigured(), site_is_off="frankfurt"))


def test_why_nothing_is_heard_is_said() -> None:
    with pytest.raises(BlockedError, match=r"customers whom we do not see \(no answer\)"):
        step(3).check(change())


@pytest.mark.parametrize(
    ("state", "good"),
    [
        ({"writes": False, "permit": {"epoch": 5, "active": "dublin"}}, True),
        ({"writes": True, "permit": {"epoch": 5, "active": "dublin"}}, False),
        ({"writes": False, "permit": None}, False),
        ({"writes": False, "permit": {"epoch": 4, "active": "dublin"}}, False),
        ({"writes": False, "permit": {"epoch": 5, "active": "frankfurt"}}, False),
    ],
)
def test_a_barred_site_has_to_show_it(state: dict[str, Any], good: bool) -> None:
    access = Access(up={"frankfurt", "dublin"}, states={"frankfurt": state})
    assert step(3).verify(change(access, journal=Memory(barred=True))) is good


@pytest.mark.requirement("an old lease is waited out by lengths of time alone, and for all of it by each process")
def test_the_time_of_an_old_lease_is_waited_out(monkeypatch: pytest.MonkeyPatch) -> None:
    days, memory, clock = iter(range(0, 10**9, 86400)), Memory(), ManualClock(now=50.0)
    monkeypatch.setattr(time, "time", lambda: next(days))
    waits, waiting = step(4), change(journal=memory, clock=clock)
    assert not waits.verify(waiting)
    present(waits.act)(waiting)
    assert clock.now == 61.0, "the lease of 9 s and 2 s"
    assert waits.verify(waiting)
    resumed = step(4)
    assert not resumed.verify(waiting), "the same journal, in another process"
    present(resumed.act)(waiting)
    assert clock.now == 72.0
    assert resumed.verify(waiting)


@pytest.mark.requirement("an old lease is waited out by lengths of time alone, and for all of it by each process")
def test_a_wait_that_was_killed_is_no_wait() -> None:
    class Killed(ManualClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(min(seconds, 10.9))
            raise KeyboardInterrupt

    memory, clock = Memory(since=0.0), Killed()
    with pytest.raises(KeyboardInterrupt):
        present(step(4).act)(change(journal=memory, clock=clock))
    assert not step(4).verify(change(journal=memory, clock=clock))


def test_a_sleep_that_ends_early_does_not_shorten_the_wait() -> None:
    class Short(ManualClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(max(seconds / 2, 0.5))

    clock = Short()
    present(step(4).act)(change(clock=clock))
    assert clock.now >= 11.0


def test_the_title_fits_both_variants() -> None:
    titles = {each.number: each.title for each in (step(number) for number in range(1, 10))}
    assert titles[6] == "Lead the pair's names to the permitted site at every DNS authority"
    assert not [title for title in titles.values() if "to the other site" in title]


@pytest.mark.parametrize(
    ("shown", "to", "expected"),
    [
        ([PairState(4, "frankfurt")], "", ("frankfurt", "dublin", 4, MOVE)),
        ([PairState(4, "frankfurt"), PairState(5, "dublin")], "", ("dublin", "frankfurt", 5, MOVE)),
        ([PairState(5, "dublin")], "dublin", ("frankfurt", "dublin", 5, STAY)),
        ([], "", ("frankfurt", "dublin", 4, MOVE)),
    ],
)
def test_direction(
    monkeypatch: pytest.MonkeyPatch, shown: list[PairState], to: str, expected: tuple[str, str, int, str]
) -> None:
    monkeypatch.setattr(
        unwitnessed, "_shown", lambda _access: {f"ns{number}": each for number, each in enumerate(shown, 1)}
    )
    found = unwitnessed.direction_without_witness(Access(), to)
    assert (found.source, found.target, found.epoch, found.variant) == expected


@pytest.mark.requirement("an epoch that DNS alone shows is believed only near those that the agents know")
@pytest.mark.parametrize(("epoch", "believed"), [(5, True), (12, True), (13, False), (10**17, False)])
def test_an_epoch_of_dns_that_cannot_be(monkeypatch: pytest.MonkeyPatch, epoch: int, believed: bool) -> None:
    monkeypatch.setattr(unwitnessed, "_shown", lambda _access: {"ns1": PairState(epoch, "dublin")})
    if believed:
        assert unwitnessed.direction_without_witness(Access(), "").epoch == epoch
        return
    with pytest.raises(ShopSphereError, match="cannot be true"):
        unwitnessed.direction_without_witness(Access(), "")


@pytest.mark.requirement("where both agents know an epoch, DNS is believed one ahead of them and no further")
@pytest.mark.parametrize(("epoch", "believed"), [(5, True), (6, True), (7, False), (10**17, False)])
def test_an_epoch_of_dns_beside_two_agents(monkeypatch: pytest.MonkeyPatch, epoch: int, believed: bool) -> None:
    monkeypatch.setattr(unwitnessed, "_shown", lambda _access: {"ns1": PairState(epoch, "dublin")})
    known = {"epoch": 5, "active": "dublin"}
    both = {"frankfurt": {"record": {"epoch": 4, "active": "frankfurt"}}, "dublin": {"record": known}}
    if believed:
        assert unwitnessed.direction_without_witness(Access(states=both), "").epoch == epoch
    else:
        with pytest.raises(ShopSphereError, match="at most epoch 6"):
            unwitnessed.direction_without_witness(Access(states=both), "")
    one_started_anew = {**both, "frankfurt": {"record": None}}
    if epoch == 7:
        assert unwitnessed.direction_without_witness(Access(states=one_started_anew), "").epoch == 7


@pytest.mark.requirement("one authority with an epoch that cannot be is named, and keeps nobody from break-glass")
def test_one_authority_is_wrong(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def direction(states: dict[str, Any] | None, *epochs: int) -> int:
        shown = {f"ns{number}": PairState(epoch, "dublin") for number, epoch in enumerate(epochs, 1)}
        monkeypatch.setattr(unwitnessed, "_shown", lambda _access: shown)
        access = Access() if states is None else Access(states=states)
        return unwitnessed.direction_without_witness(access, "").epoch

    known = {"epoch": 5, "active": "dublin"}
    both = {"frankfurt": {"record": known}, "dublin": {"record": known}}
    assert direction(both, 5, 900) == 5
    assert "DNS authority ns2 shows epoch 900, which cannot be" in capsys.readouterr().err
    assert direction(None, 10**17, 5) == 5
    assert "ns1" in capsys.readouterr().err
    assert direction(both, 5, 6) == 6, "a change under way"
    for epochs in ((900,), (900, 900), (5, 900, 901)):
        with pytest.raises(ShopSphereError, match=r"cannot be true[\s\S]*ns"):
            direction(both, *epochs)
    assert direction({}, 900, 5, 5) == 5, "outvoted where no agent knows"
    assert direction({}, 900, 5) == 900, "nobody can tell"


@pytest.mark.requirement("an epoch of a permit that opened nothing is used up, and says nothing of who is active")
def test_a_bar_uses_up_its_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unwitnessed, "_shown", lambda _access: {"ns1": PairState(4, "frankfurt")})
    bar = {"site": "frankfurt", "permit": {"epoch": 5, "active": "dublin"}, "record": None}
    opened = {"site": "dublin", "permit": {"epoch": 5, "active": "dublin"}, "record": None}
    found = unwitnessed.direction_without_witness(Access(states={"frankfurt": bar}), "frankfurt")
    assert (found.source, found.target, found.epoch, found.variant) == ("dublin", "frankfurt", 5, STAY)
    found = unwitnessed.direction_without_witness(Access(states={"frankfurt": bar, "dublin": opened}), "frankfurt")
    assert (found.source, found.target, found.epoch, found.variant) == ("dublin", "frankfurt", 5, MOVE)


def test_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unwitnessed, "_shown", lambda _access: {})
    with pytest.raises(ShopSphereError, match="nobody knows"):
        unwitnessed.direction_without_witness(Access(states={}), "")


def test_a_barred_site_comes_before_a_permitted_one() -> None:
    request = Request(BREAK_GLASS, "rdc-a", Environment.LAB, MOVE, "", "test", accept_data_loss=False)
    for variant in (MOVE, STAY):
        names = [each.name.split("-", 1)[1] for each in steps_of(request).select(variant)]
        order = ["check-witness", "bar-other-site", "wait-out-lease", "permit-site", "open-writes"]
        assert [name for name in names if name in order] == order
    assert {file.stem for file in (FOLDER / BREAK_GLASS).glob("0*.py")} == {
        each.name for each in steps_of(request).steps
    }


@pytest.mark.requirement("the break-glass path needs a typed reason")
@pytest.mark.parametrize("words", [[], ["--reason", "because"], ["--reason", "x", "--site-is-off", "ashburn"]])
def test_words(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["break-glass", "rdc-a", "--execute", *words]) != 0
    assert capsys.readouterr().err
