"""What an operator meets at a witness without a record: a new pair, replaced voters, memories that are lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from present import present
from signed_pair import DUBLIN, FRANKFURT, RECORD, SignedPair, signs

from cli.witness import _agents_of
from shopsphere.estate import stack_files
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.topology import load_topology
from shopsphere.witness import Sync
from shopsphere.witness.signing_anew import NoRecordToSignError, SigningWays
from shopsphere.witness.users import OPERATOR, WATCHER


@pytest.fixture
def pair(tmp_path: Path) -> SignedPair:
    return SignedPair(tmp_path)


@pytest.fixture
def moved(pair: SignedPair) -> SignedPair:
    pair.first()
    pair.move("dublin")
    return pair


@pytest.mark.requirement("who finds an empty witness is told what to look at, and what to type after that")
@pytest.mark.parametrize("demanded", [True, False])
def test_there_is_nothing_to_sign(pair: SignedPair, *, demanded: bool) -> None:
    ways = SigningWays(
        " --environment prod", ("`curl http://10.99.0.11:8405/state`", "`curl http://10.99.0.12:8405/state`")
    )
    with pytest.raises(NoRecordToSignError) as raised:
        signs(pair, demanded=demanded).sign(7, "dublin", "anna", ways=ways)
    said = str(raised.value)
    looks = said.index("`witness` in `curl http://10.99.0.11:8405/state` and `curl http://10.99.0.12:8405/state`")
    shown = said.index("`shopsphere witness show rdc-a --environment prod`")
    typed = said.index("`shopsphere witness sign rdc-a --environment prod --epoch 7 --active dublin --replace`")
    assert looks < shown < typed, "one looks before one types"
    assert "A new pair: start its agents" in said
    assert RECORD.encode() not in pair.etcd.entries


def test_an_agent_that_remembers_makes_signing_by_hand_needless(moved: SignedPair) -> None:
    agent = moved.witness(DUBLIN)
    known = present(agent.see().record)
    del moved.etcd.entries[RECORD.encode()]
    with pytest.raises(NoRecordToSignError):
        signs(moved, demanded=True).sign(2, "dublin", "anna")
    agent.change(agent.see(), known.changed(actor="agent of dublin", reason="lost", sync=Sync.OFF))
    assert signs(moved, demanded=True).sign(2, "dublin", "anna").epoch == 2


@pytest.mark.requirement("a pair whose voters and agents have lost everything goes on by an operator's word")
def test_where_nobody_remembers_an_operator_says_it(pair: SignedPair) -> None:
    signs(pair, demanded=True).sign(7, "dublin", "anna", replace=True)
    for user in (WATCHER, OPERATOR, FRANKFURT, DUBLIN):
        record = present(pair.witness(user, demanded=True).see().record)
        assert (record.epoch, record.active, record.sync) == (7, "dublin", Sync.OFF)
    agent = pair.witness(DUBLIN, demanded=True)
    agent.change(agent.see(), present(agent.see().record).changed(actor="agent", reason="both", sync=Sync.ON))
    assert present(pair.witness(demanded=True).see().record).sync is Sync.ON


def test_others_are_sent_to_the_agents(pair: SignedPair) -> None:
    with pytest.raises(ShopSphereError, match=r"start the agents of both sites(.|\n)*A witness without a record"):
        pair.witness().see().require_record("rdc-a")
    page = (REPOSITORY / "docs/witness.md").read_text()
    assert "**A witness without a record**" in page


def test_the_command_names_this_pairs_agents(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"dublin": {"shopsphere:siteAgent": "198.51.100.13", "shopsphere:kubeconfig": "/k"}}
    monkeypatch.setattr(stack_files, "configuration", lambda stack: files.get(stack.label, {}))
    topology = load_topology()
    frankfurt = topology.site("frankfurt").address
    expected = (f"`curl http://{frankfurt}:8405/state`", "`curl http://198.51.100.13:8405/state`")
    assert _agents_of(topology, "rdc-a", Environment.PROD) == expected
