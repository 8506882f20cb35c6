"""Writing without the witness: what a permit opens and bars, over reboots and when the witness is back."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from present import present

from cli.main import run
from runbooks import unwitnessed
from runbooks.agent.databases import Role
from runbooks.agent.permits import PermitKeeper
from runbooks.agent.state import Knowledge, doors
from runbooks.change import MOVE, STAY, RoleChange
from runbooks.engine import Step
from runbooks.engine.errors import BlockedError
from runbooks.operate import BREAK_GLASS, FOLDER, Request, steps_of
from runbooks.permit import PATH, Permit
from shopsphere.clients.cluster import Cluster
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.names.pair_state import PairState
from shopsphere.topology import load_topology
from shopsphere.witness import PairRecord, WitnessUnreachableError

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


def test_a_replica_is_not_opened_for_writing() -> None:
    assert not doors("dublin", Knowledge(None, 0.0, Role.REPLICA, permit()), 10).writes


class Api:
    found: Permit | None = None

    def get(self, path: str) -> dict[str, dict[str, str]]:
        assert path == PATH
        return {"data": {"permit.json": present(self.found).model_dump_json()}}


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.mark.requirement("a site that was barred stays so over a reboot; one that was permitted does not")
def test_over_a_restart(tmp_path: Path, api: Api) -> None:
    def start(site: str, session: str) -> PermitKeeper:
        return PermitKeeper(tmp_path / f"{site}.json", lambda: cast("Cluster", api), site=site, session=session)

    api.found = permit("dublin", session="s1")
    assert start("dublin", "s1").look() == api.found
    assert start("frankfurt", "x").look() == api.found
    assert start("frankfurt", "y").kept == api.found, "barred, before the API is up"
    assert start("dublin", "s2").kept is None
    assert start("dublin", "s2").look() is None


def test_an_older_permit_replaces_nothing(tmp_path: Path, api: Api) -> None:
    keeper = PermitKeeper(tmp_path / "permit.json", lambda: cast("Cluster", api), site="frankfurt", session="x")
    for epoch, kept in ((5, 5), (4, 5), (6, 6)):
        api.found = permit(epoch=epoch)
        assert present(keeper.look()).epoch == kept


class Change:
    """In place of a RoleChange without a witness."""

    pair, source, target, epoch, variant, actor = PAIR, "frankfurt", "dublin", 4, MOVE, "anna"
    accept_data_loss, site_is_off = False, ""

    def __init__(self, **values: Any) -> None:
        self.up, self.in_recovery = {"dublin"}, True
        self.witnessed: PairRecord | None = None
        self.remembered: dict[str, Any] = {}
        self.states: dict[str, dict[str, Any]] = {
            "dublin": {"record": {"sync": "on", "epoch": 4, "active": "frankfurt"}, "session": "s1"}
        }
        self.__dict__.update(values)

    def see(self) -> tuple[SimpleNamespace, PairRecord]:
        if self.witnessed is None:
            raise WitnessUnreachableError("no quorum")
        return SimpleNamespace(record=self.witnessed), self.witnessed

    def is_moved(self, found: PairRecord) -> bool:
        return found.epoch == self.epoch + 1

    def cluster(self, site: str) -> SimpleNamespace:
        if site not in self.up:
            raise ShopSphereError("no answer")
        return SimpleNamespace(get=lambda _path: {})

    def agent_state(self, site: str) -> dict[str, Any]:
        if site not in self.states:
            raise ShopSphereError("no answer")
        return self.states[site]

    def recall(self, key: str) -> Any:
        return self.remembered.get(key)

    def remember(self, key: str, value: float) -> None:
        self.remembered[key] = value

    def each_database(self, action: Callable[[Any], bool]) -> list[bool]:
        return [action(None)]


def step(number: int) -> Step:
    request = Request(BREAK_GLASS, "rdc-a", Environment.LAB, MOVE, "", "test", accept_data_loss=False)
    return next(each for each in steps_of(request).steps if each.number == number)


@pytest.mark.requirement("break-glass refuses while there is a safe way")
def test_a_witness_that_answers() -> None:
    with pytest.raises(BlockedError, match="shopsphere failover"):
        step(1).check(Change(witnessed=record(4)))
    assert "no quorum" in step(1).check(Change())
    assert "is back" in step(1).check(Change(witnessed=record(5, "dublin")))


@pytest.mark.requirement("break-glass promotes nothing before possible loss is accepted")
def test_possible_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    look = step(2).check
    monkeypatch.setitem(look.__globals__, "instance", lambda change, *_: {"in_recovery": change.in_recovery})
    with pytest.raises(BlockedError, match="--accept-data-loss"):
        look(Change())
    assert "last read sync on in epoch 4" in look(Change(accept_data_loss=True))
    assert "knows nothing" in look(Change(accept_data_loss=True, states={}))
    with pytest.raises(BlockedError, match="follows the other site"):
        look(Change(variant=STAY))
    assert "nothing is lost" in look(Change(variant=STAY, in_recovery=False))


@pytest.mark.requirement("a site that cannot be barred blocks, until somebody answers for its being off")
def test_a_silent_site() -> None:
    with pytest.raises(BlockedError, match="--site-is-off frankfurt"):
        step(3).check(Change())
    assert not step(3).verify(Change())
    off = Change(site_is_off="frankfurt")
    assert "stays off" in step(3).check(off)
    assert step(3).verify(off)
    assert step(3).verify(Change(variant=STAY))
    assert not step(3).verify(Change(up={"frankfurt", "dublin"}, site_is_off="frankfurt")), "it answers: it is not off"


@pytest.mark.parametrize(
    ("state", "good"),
    [
        ({"writes": False, "permit": {"epoch": 5}}, True),
        ({"writes": True, "permit": {"epoch": 5}}, False),
        ({"writes": False, "permit": None}, False),
        ({"writes": False, "permit": {"epoch": 4}}, False),
    ],
)
def test_a_barred_site_has_to_show_it(state: dict[str, Any], good: bool) -> None:
    change = Change(up={"frankfurt", "dublin"}, states={"frankfurt": state}, remembered={"barred": True})
    assert step(3).verify(change) is good


def test_the_time_of_an_old_lease_is_waited_out(monkeypatch: pytest.MonkeyPatch) -> None:
    change, waiting = Change(), step(4)
    assert not waiting.verify(change)
    for now, over in ((100.0, False), (105.0, False), (111.9, False), (112.0, True)):
        monkeypatch.setitem(waiting.act.__globals__, "time", SimpleNamespace(time=lambda now=now: now))
        waiting.act(change)
        assert waiting.verify(change) is over


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
    monkeypatch.setattr(unwitnessed, "_shown", lambda _change: shown)
    found = unwitnessed.direction_without_witness(cast("RoleChange", Change()), to)
    assert (found.source, found.target, found.epoch, found.variant) == expected


def test_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unwitnessed, "_shown", lambda _change: [])
    with pytest.raises(ShopSphereError, match="nobody knows"):
        unwitnessed.direction_without_witness(cast("RoleChange", Change(states={})), "")


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
