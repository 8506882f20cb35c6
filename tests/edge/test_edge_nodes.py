"""Leases of nodes against three real voters: what etcd compares of ranges of keys, and which rights agents need."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from present import present
from witness_voters import SECONDS, Voters, started_voters

from shopsphere.foundation.clock import wait_until
from shopsphere.witness import PairRecord, Phase, WitnessConflictError
from shopsphere.witness.gateway import WitnessRefusedError
from shopsphere.witness.nodes import NodeWitness
from shopsphere.witness.users import OPERATOR, agent_user

PAIR = "rdc-a"


@pytest.fixture(scope="module")
def voters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Voters]:
    with started_voters(tmp_path_factory.mktemp("witness")) as started:
        yield started


def node_of(voters: Voters, site: str, node: str, boot: str = "first") -> NodeWitness:
    return NodeWitness(PAIR, voters.urls, voters.identity(agent_user(site)), node=node, boot=boot, seconds=SECONDS)


@pytest.mark.requirement("the quorum itself begins no epoch while a node of a site has a lease")
def test_the_quorum_waits_for_each_node(voters: Voters) -> None:
    operator = voters.witness(OPERATOR, PAIR)
    site, node = (
        voters.witness(agent_user("frankfurt"), PAIR),
        node_of(voters, "frankfurt", "n2"),
    )
    seen = operator.change(operator.see(), PairRecord.first(PAIR, "frankfurt", actor="test"))
    held = site.prepare_lease(seconds=60)
    site.take_lease(seen, "frankfurt", held)
    of_node = node.prepare_lease(seconds=60)
    node.take_lease(operator.see(), "frankfurt", of_node)
    both = ("frankfurt", "frankfurt/n2")
    assert operator.see().holders == both
    wait_until(lambda: operator.glance().holders == both, what="one voter to know it", seconds=60, interval=0.05)

    fencing = present(seen.record).changed(actor="test", reason="test", phase=Phase.FENCING)
    seen = operator.change(operator.see(), fencing)
    begun = fencing.changed(actor="test", reason="test", phase=Phase.STEADY, epoch=2, active="dublin")
    site.release_lease(held)
    done, now = operator.attempt(seen, begun, without_lease=True)
    assert not done
    assert now.holders == ("frankfurt/n2",)

    seen = operator.change(seen, begun)  # as whoever does not wait
    dublin, other = voters.witness(agent_user("dublin"), PAIR), node_of(voters, "dublin", "n9")
    for witness in (dublin, other):
        with pytest.raises(WitnessConflictError):
            witness.take_lease(seen, "dublin", witness.prepare_lease(seconds=60))
    node.release_lease(of_node)
    for witness in (other, dublin):
        witness.take_lease(seen, "dublin", witness.prepare_lease(seconds=60))
    assert operator.see().holders == ("dublin", "dublin/n9")


@pytest.mark.requirement("an agent gives no lease to nodes of another site")
def test_rights(voters: Voters) -> None:
    operator = voters.witness(OPERATOR, PAIR)
    operator.change(operator.see(), PairRecord.first(PAIR, "dublin", actor="test"))
    stranger = node_of(voters, "frankfurt", "n3")
    lease = stranger.prepare_lease(seconds=60)
    with pytest.raises(WitnessRefusedError):
        stranger.take_lease(stranger.see(), "dublin", lease)
