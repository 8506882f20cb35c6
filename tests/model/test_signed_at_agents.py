"""What an agent does with a record that it does not believe: nothing; and what it keeps, and says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest
from glass_world import Fence
from present import present
from signed_pair import DUBLIN, FRANKFURT, SignedPair
from test_node_leases import NoLedger

from runbooks.agent.agent import Agent
from runbooks.agent.believing import BeliefKeeper, belief_of
from runbooks.agent.config import AgentConfig
from runbooks.agent.databases import Role
from runbooks.agent.loops import Loop
from runbooks.agent.node import NodeAgent, witness_of_agent
from runbooks.agent.permits import PermitKeeper
from runbooks.agent.synchrony import Ledger
from runbooks.readiness import p07_witness
from shopsphere.clients.cluster import Cluster
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.witness import Phase, Sync, Witness
from shopsphere.witness.belief import UnbelievedRecordError
from shopsphere.witness.identity import Identity
from shopsphere.witness.nodes import NodeWitness
from shopsphere.witness.sites import SiteWitness
from shopsphere.witness.users import OPERATOR, agent_user

FAR = 6
"""Of `moving`: an operator has signed it, and who was away cannot tell whether epochs were missed."""
LEASE = b"/shopsphere/rdc-a/lease"


class SignedSite:
    """A site's agent, with its own disk; `start` starts it anew."""

    def __init__(self, pair: SignedPair, site: str, role: Role) -> None:
        self.pair, self.site, self.role = pair, site, role
        self.fence, self.told = Fence(pair.clock), [""]
        self.disk = pair.base / site
        self.disk.mkdir()
        self.start()

    def start(self) -> None:
        config = AgentConfig(
            pair="rdc-a", site=self.site, peer="dublin" if self.site == "frankfurt" else "frankfurt",
            first_active="frankfurt", witness=("http://10.0.0.1:1",), witness_keys=self.pair.keys, witness_signed=True,
            kubeconfig=Path("/none"), context=self.site, permit=self.disk / "permit.json", listen="10.0.0.2",
        )  # fmt: skip
        identity = Identity(self.pair.keys, agent_user(self.site))
        belief = belief_of(config, identity)
        self.keeper = BeliefKeeper(config, belief)
        witness = SiteWitness(
            "rdc-a", config.witness, identity, site=self.site, belief=belief, transport=self.pair.line.transport
        )
        permits = PermitKeeper(
            config.permit, lambda: cast("Cluster", NoApi()), pair="rdc-a", site=self.site, peer=config.peer,
            session="this one",
        )  # fmt: skip
        self.agent = Agent(
            config, witness, self.fence, lambda: self.role, lambda: True, cast("Ledger", NoLedger()), permits,
            self.told.append, self.pair.clock,
        )  # fmt: skip
        self.agent.start_closed()

    def turn(self) -> None:
        """Let every loop run once, as their threads do: an error ends none."""
        agent = self.agent
        works = (
            agent.prove_fence, agent.look_at_databases, agent.renew_lease, agent.follow_record, agent.follow_promotion,
            agent.move_doors, self.keeper.keep_belief,
        )  # fmt: skip
        for work in works:
            try:
                work()
            except ShopSphereError as error:
                self.told.append(f"{work.__name__}: {error}")

    def state(self) -> dict[str, Any]:
        return self.keeper.described(self.agent.describe)()


class NoApi:
    """Of no permits."""

    def items_of_known_kind(self, _path: str, **_words: object) -> list[object]:
        return []


class TwoSites:
    """Both agents of a pair, and its witness; Frankfurt is active."""

    def __init__(self, base: Path) -> None:
        self.pair = SignedPair(base)
        self.frankfurt = SignedSite(self.pair, "frankfurt", Role.PRIMARY)
        self.dublin = SignedSite(self.pair, "dublin", Role.REPLICA)
        self.settle()

    def settle(self, turns: int = 4) -> None:
        for _ in range(turns):
            self.frankfurt.turn()
            self.dublin.turn()
            self.pair.clock.sleep(0.5)


@pytest.fixture
def sites(tmp_path: Path) -> TwoSites:
    return TwoSites(tmp_path)


def moving(pair: SignedPair) -> list[str]:
    """Records that would move, shut or open a site, as root of the voters' hosts can write them."""
    decision = pair.decision(OPERATOR, epoch=7, active="dublin")
    return [
        pair.forge(epoch=2, active="dublin"),
        pair.forge(phase="fencing"),
        pair.forge(phase="draining"),
        json.dumps({**pair.words(), "signature": None, "active": "dublin", "epoch": 2}),
        pair.forge(DUBLIN, epoch=2, active="dublin"),
        pair.forge(DUBLIN, phase="fencing"),
        pair.forge(OPERATOR, epoch=7, active="dublin", decision=decision),
        "nothing",
    ]


@pytest.mark.requirement("a record that is not believed neither moves nor shuts nor opens a site")
@pytest.mark.parametrize("number", range(8))
def test_a_forged_record_moves_nothing(sites: TwoSites, number: int) -> None:
    pair, frankfurt, dublin = sites.pair, sites.frankfurt, sites.dublin
    assert frankfurt.agent.doors().writes
    assert pair.etcd.entries[LEASE][0] == b"frankfurt"
    forged = moving(pair)[number]
    pair.write(forged)
    sites.settle(60)
    assert frankfurt.agent.doors().writes, "its lease is renewed all the time"
    assert not dublin.agent.doors().writes
    assert pair.etcd.entries[LEASE][0] == b"frankfurt"
    assert pair.text() == forged, "no agent writes over it: who did it is to be seen"
    for site in (frankfurt, dublin):
        state = site.state()
        assert (state["record"]["epoch"], state["record"]["active"]) == (1, "frankfurt")
        assert state["belief"]["signed"]
        assert state["belief"]["problem"]
        assert not {"signature", "decision"} & state["record"].keys()


@pytest.mark.parametrize("number", [each for each in range(8) if each != FAR])
def test_a_site_that_starts_anew_does_not_open_by_it(sites: TwoSites, number: int) -> None:
    pair, frankfurt, dublin = sites.pair, sites.frankfurt, sites.dublin
    pair.write(moving(pair)[number])
    for site in (frankfurt, dublin):
        site.role = Role.PRIMARY
        site.start()
    sites.settle(60)
    assert not frankfurt.agent.doors().databases
    assert not dublin.agent.doors().databases
    assert LEASE not in pair.etcd.entries


@pytest.mark.requirement("a record that is put back is written anew, and changes nothing")
def test_an_older_record_is_put_back(sites: TwoSites) -> None:
    pair = sites.pair
    first = pair.text()
    operator = pair.witness(OPERATOR)
    seen = operator.see()
    operator.change(seen, present(seen.record).changed(actor="anna", reason="flood", phase=Phase.FENCING))
    fencing = pair.text()
    sites.settle()
    assert not sites.frankfurt.agent.doors().databases
    sites.frankfurt.role, sites.dublin.role = Role.REPLICA, Role.PRIMARY
    pair.move("dublin", phase=Phase.STEADY, sync=Sync.OFF)
    sites.settle()
    assert sites.dublin.agent.doors().writes
    for text in (first, fencing):
        pair.write(text)
        sites.settle(20)
        now = present(pair.witness().see().record)
        assert (now.epoch, now.active, now.phase) == (2, "dublin", Phase.STEADY)
        assert sites.dublin.agent.doors().writes
        assert not sites.frankfurt.agent.doors().writes
        assert not sites.dublin.state()["belief"]["problem"]


def test_an_agent_remembers_over_its_start(sites: TwoSites) -> None:
    pair, dublin = sites.pair, sites.dublin
    first = pair.text()
    sites.frankfurt.role, dublin.role = Role.REPLICA, Role.PRIMARY
    pair.etcd.entries.pop(LEASE)
    pair.move("dublin")
    sites.settle()
    kept = json.loads((dublin.disk / "permit.believed.json").read_text())
    assert kept["demands"]
    assert json.loads(kept["text"])["epoch"] == 2
    dublin.start()
    pair.write(first)
    pair.etcd.entries.pop(LEASE, None)
    dublin.turn()
    assert json.loads(pair.text())["epoch"] == 2, "written anew by an agent that has just started"


def test_what_is_kept_is_written_once(sites: TwoSites) -> None:
    file = sites.dublin.disk / "permit.believed.json"
    stamp = file.stat().st_ino
    sites.settle(10)
    assert file.stat().st_ino == stamp


def test_a_file_that_cannot_be_read_keeps_a_site_shut(sites: TwoSites) -> None:
    (sites.dublin.disk / "permit.believed.json").write_text("{")
    with pytest.raises(ShopSphereError, match="move it away only when the witness answers"):
        sites.dublin.start()


def test_it_is_said_once_in_the_log(sites: TwoSites) -> None:
    told: list[str] = []
    loop = Loop(sites.dublin.agent.follow_record, lambda: 0.0, told.append, after_an_error=0.0)
    sites.pair.write("nothing")
    looks = iter(range(5))

    def look() -> None:
        if next(looks, None) is None:
            loop.stop()
        sites.dublin.agent.follow_record()

    loop._action = look  # noqa: SLF001 so that it ends
    loop.run()
    assert len(told) == 1
    assert "cannot be read" in told[0]


def test_which_witness_an_agent_has(sites: TwoSites, tmp_path: Path) -> None:
    config = AgentConfig(
        pair="rdc-a", site="dublin", peer="frankfurt", first_active="frankfurt", witness=("https://10.0.0.1:1",),
        witness_keys=sites.pair.keys, kubeconfig=Path("/none"), context="dublin", permit=tmp_path / "permit.json",
        listen="10.0.0.2", run=tmp_path / "run",
    )  # fmt: skip
    of_site = witness_of_agent(config)
    assert isinstance(of_site, SiteWitness)
    assert not of_site.belief.demands
    of_node = witness_of_agent(config.model_copy(update={"node": "dublin-2", "witness_signed": True}))
    assert isinstance(of_node, NodeWitness)
    assert of_node.belief.demands


def test_a_further_node_takes_no_lease_by_a_forged_record(sites: TwoSites) -> None:
    pair = sites.pair
    identity, belief = Identity(pair.keys, FRANKFURT), pair.belief(FRANKFURT, demanded=True)
    witness = NodeWitness(
        "rdc-a", ("http://10.0.0.1:1",), identity, node="frankfurt-2", boot="b", belief=belief,
        transport=pair.line.transport,
    )  # fmt: skip
    witness.see()
    pair.write(pair.forge(active="dublin"))
    with pytest.raises(UnbelievedRecordError):
        witness.see()
    assert NodeAgent.keep_synchrony.__doc__


def test_ready_names_what_was_found(sites: TwoSites) -> None:
    from types import SimpleNamespace  # noqa: PLC0415 beside its one use

    from runbooks.readiness.pair_view import PairView  # noqa: PLC0415 see above

    def finding(witness: Witness) -> tuple[str, str]:
        access: Any = SimpleNamespace(pair=SimpleNamespace(name="rdc-a"), witness=witness)
        judged = p07_witness.judge_record(PairView(access, seconds=60.0), sites.pair.today())
        return judged.verdict.value, judged.found

    good = finding(sites.pair.witness())
    assert good[0] == "pass"
    assert "in 824 days" in good[1]
    sites.pair.write(sites.pair.forge(active="dublin"))
    wrong = finding(sites.pair.witness())
    assert wrong[0] == "fail"
    assert "epoch 1, active dublin" in wrong[1]
    assert "not one of these words" in wrong[1]
