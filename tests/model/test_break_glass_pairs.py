"""Two operators break the glass at two machines: whatever is cut, lost or late, never are both sites open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from glass_world import EPOCH, SITES, Operator, SiteHost, World, names_of_last_epoch
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_disk import memory_disk
from present import present

from runbooks.permit import Permit, permit_path, write_permit

OPPOSITE = ("dublin", "frankfurt")


@pytest.fixture(autouse=True, scope="module")
def names() -> Iterator[None]:
    with names_of_last_epoch():
        yield


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.settle()
    assert made.open_sites() == ["frankfurt"]
    return made


def without_witness(world: World, *targets: str) -> list[Operator]:
    people = [Operator(world, target) for target in targets]
    for one in people:
        one.reach.line.cut = True
    return people


def carry_on(world: World, people: list[Operator], *, seconds: int = 40) -> None:
    for _ in range(2 * seconds):
        for one in people:
            one.turn()
            world.settle(1)
            assert len(world.open_sites()) < 2
        if all(one.outcome for one in people):
            return


def permit_at(world: World, site: str, epoch: int) -> Permit:
    document = world.hosts[site].api.objects[permit_path(epoch)]
    return Permit.model_validate_json(document["data"]["permit.json"])


@pytest.mark.parametrize("target", SITES)
def test_one_operator_opens_one_site(world: World, target: str) -> None:
    world.lose_witness()
    assert world.open_sites() == []
    people = without_witness(world, target)
    carry_on(world, people)
    assert people[0].outcome == "done"
    assert world.open_sites() == [target]


@pytest.mark.requirement("an epoch never goes back, also where the witness has lost its disks")
@pytest.mark.parametrize("left", [None, EPOCH])
def test_a_witness_that_has_lost_what_it_knew(world: World, left: int | None) -> None:
    quorum = world.quorum
    before = present(quorum.record)
    moved = before.changed(actor="test", reason="failover", epoch=EPOCH + 1, active="dublin")
    quorum.record, quorum.revision = moved, quorum.revision + 1
    for _ in range(30):
        world.settle(1)
    assert world.open_sites() == ["dublin"]
    quorum.record, quorum.revision, quorum.held = before if left else None, 1, ("", 0)
    for _ in range(30):
        world.settle(1)
        assert "frankfurt" not in world.open_sites(), "it has older rows than dublin"
    assert world.open_sites() == ["dublin"]
    restored = present(quorum.record)
    assert (restored.epoch, restored.active) == (EPOCH + 1, "dublin")


@pytest.mark.requirement("two break-glass runs for opposite sites never open both")
@pytest.mark.parametrize("later", [0, 1, 2, 3, 5, 8, 13, 21])
def test_two_operators_at_once(world: World, later: int) -> None:
    world.lose_witness()
    people = without_witness(world, *OPPOSITE)
    for _ in range(later):
        people[0].turn()
        world.settle(1)
    carry_on(world, people)
    assert len(world.open_sites()) < 2
    assert {one.outcome for one in people} & {"done", "another decision"}


@pytest.mark.requirement("two break-glass runs for opposite sites never open both")
def test_what_was_decided_twice_opens_nobody_and_the_next_epoch_does(world: World) -> None:
    world.lose_witness()
    people = without_witness(world, *OPPOSITE)
    carry_on(world, people)
    assert [one.outcome for one in people] == ["another decision"] * 2
    assert world.open_sites() == []
    assert (permit_at(world, "frankfurt", 5).active, permit_at(world, "dublin", 5).active) == ("dublin", "frankfurt")
    agreed = without_witness(world, "dublin")
    carry_on(world, agreed)
    assert (agreed[0].outcome, world.open_sites()) == ("done", ["dublin"])
    assert permit_at(world, "dublin", 6).active == "dublin"


@pytest.mark.requirement("a witness that is back ends what two operators decided against each other")
def test_both_barred_and_the_witness_is_back(world: World) -> None:
    world.lose_witness()
    people = without_witness(world, *OPPOSITE)
    carry_on(world, people)
    assert world.open_sites() == []
    world.heal_witness()
    world.settle(30)
    assert world.open_sites() == ["frankfurt"], "who was active stays so"
    restored = present(world.quorum.record)
    assert (restored.epoch, restored.active) == (5, "frankfurt")


@pytest.mark.requirement("an operator whose own lines are cut opens no site against a witness that answers the agents")
@pytest.mark.parametrize("lines", ["agents hear it", "the target has just lost it"])
def test_an_operator_who_believes_the_witness_lost(world: World, lines: str) -> None:
    (operator,) = without_witness(world, "dublin")
    operator.reach.unreached.add("frankfurt")
    world.settle()
    if lines == "agents hear it":
        carry_on(world, [operator], seconds=60)
        assert operator.outcome == ""
        assert world.open_sites() == ["frankfurt"]
    word = Permit(
        pair="rdc-a", epoch=5, active="dublin", session=str(world.hosts["dublin"].state()["session"]), actor="anna",
        reason="flood", at="2026-11-27T00:00:00Z",
    )  # fmt: skip
    write_permit(operator.reach.cluster("dublin"), word)
    world.settle(1)
    world.hosts["dublin"].line.cut = lines != "agents hear it"
    for _ in range(60):
        world.settle(1)
        assert world.open_sites() == ["frankfurt"], "for good: it was given against a witness that answers"
    assert "frankfurt holds the lease" in str(world.hosts["dublin"].state()["refused"])


def test_a_site_that_missed_an_epoch_is_told_of_it(world: World) -> None:
    world.lose_witness()
    dublin = without_witness(world, "dublin")
    world.hosts["frankfurt"].power_off()
    carry_on(world, dublin)
    assert world.open_sites() == ["dublin"]
    world.hosts["frankfurt"].is_off = False
    world.hosts["frankfurt"].start()
    world.settle(3)
    assert world.open_sites() == ["dublin"]
    back = without_witness(world, "frankfurt")
    carry_on(world, back)
    assert (back[0].outcome, world.open_sites()) == ("done", ["frankfurt"])
    assert permit_at(world, "frankfurt", 5).session == ""
    assert permit_at(world, "frankfurt", 6).active == "frankfurt"


ACTIONS = st.one_of(
    st.tuples(st.just("operator"), st.sampled_from([0, 1])),
    st.tuples(st.just("operator"), st.sampled_from([0, 1])),
    st.tuples(st.just("agent"), st.sampled_from(SITES)),
    st.tuples(st.just("agent"), st.sampled_from(SITES)),
    st.tuples(st.just("time"), st.sampled_from([0.1, 1.0, 4.0, 8.0, 13.0])),
    st.tuples(st.just("line of agent"), st.sampled_from(SITES)),
    st.tuples(st.just("line of operator"), st.sampled_from([0, 1])),
    st.tuples(st.sampled_from(["way of 0", "way of 1"]), st.sampled_from(SITES)),
    st.tuples(
        st.sampled_from(["late", "lost", "answer lost", "deliver", "restart", "power off"]), st.sampled_from(SITES)
    ),
)


@pytest.mark.requirement("two break-glass runs for opposite sites never open both")
@settings(max_examples=300, deadline=None)
@given(
    targets=st.sampled_from([OPPOSITE, OPPOSITE[::-1], ("dublin", "dublin"), ("frankfurt", "frankfurt")]),
    lost=st.booleans(),
    actions=st.lists(ACTIONS, min_size=10, max_size=90),
)
def test_every_interleaving(targets: tuple[str, str], lost: bool, actions: list[tuple[str, object]]) -> None:
    with memory_disk() as disk:
        world = World(disk)
        world.settle()
        if lost:
            world.lose_witness()
        people = without_witness(world, *targets)
        for action, on in actions:
            do(world, people, action, on)
            assert len(world.open_sites()) < 2, f"after {action} {on}"


def do(world: World, people: list[Operator], action: str, on: object) -> None:
    if action == "operator":
        people[int(str(on))].turn()
    elif action == "line of operator":
        line = people[int(str(on))].reach.line
        line.cut = not line.cut
    elif action == "time":
        world.clock.sleep(float(str(on)))
    elif action.startswith("way of"):
        people[int(action[-1])].reach.unreached ^= {str(on)}
    else:
        at_host(world, world.hosts[str(on)], action)


def at_host(world: World, host: SiteHost, action: str) -> None:
    if action == "agent":
        host.turn()
    elif action == "line of agent":
        host.line.cut = not host.line.cut
    elif action == "deliver":
        host.api.deliver()
    elif action == "restart":
        host.start()
    elif action != "power off":
        host.api.mishap = action
    elif not any(each.is_off for each in world.hosts.values()):
        host.power_off()


@pytest.mark.requirement("a witness that is back takes over what an operator decided, whoever held the lease before")
@pytest.mark.parametrize("order", [SITES, tuple(reversed(SITES))])
def test_a_lease_from_before_the_loss_ends_no_permit(world: World, order: tuple[str, ...]) -> None:
    world.lose_witness()
    world.hosts["frankfurt"].line.cut = True
    people = without_witness(world, "dublin")
    carry_on(world, people)
    assert world.open_sites() == ["dublin"]
    world.heal_witness()
    world.hosts["frankfurt"].line.cut = order[0] == "dublin"  # who hears the witness first
    world.settle(2)
    world.hosts["frankfurt"].line.cut = False
    for _ in range(40):
        world.settle(1)
        assert len(world.open_sites()) < 2
    assert world.open_sites() == ["dublin"]
    restored = present(world.quorum.record)
    assert (restored.epoch, restored.active) == (5, "dublin")
    assert world.hosts["dublin"].state()["refused"] == ""
