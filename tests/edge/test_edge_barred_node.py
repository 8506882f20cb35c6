"""A bar of a node against three real voters: what its transactions compare, and that an agent has the rights for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from witness_voters import SECONDS, Voters, started_voters

from shopsphere.witness import PairRecord, WitnessConflictError
from shopsphere.witness.nodes import NodeWitness
from shopsphere.witness.sites import SiteWitness
from shopsphere.witness.users import OPERATOR, agent_user

PAIR = "rdc-a"


@pytest.fixture(scope="module")
def voters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Voters]:
    with started_voters(tmp_path_factory.mktemp("witness")) as started:
        yield started


@pytest.mark.requirement("a node that its site's agent has barred gets no lease, and the bar ends with the site's")
def test_a_barred_node(voters: Voters) -> None:
    operator = voters.witness(OPERATOR, PAIR)
    user = agent_user("frankfurt")
    site = SiteWitness(PAIR, voters.urls, voters.identity(user), site="frankfurt", seconds=SECONDS)
    node = NodeWitness(PAIR, voters.urls, voters.identity(user), node="n2", boot="first", seconds=SECONDS)
    seen = operator.change(operator.see(), PairRecord.first(PAIR, "frankfurt", actor="test"))
    held, of_node = site.prepare_lease(seconds=60), node.prepare_lease(seconds=60)
    site.take_lease(seen, "frankfurt", held)
    node.take_lease(seen, "frankfurt", of_node)
    assert not site.bar_node(seen, "n2", held), "it has its lease"
    node.release_lease(of_node)
    assert site.bar_node(seen, "n2", held)
    assert site.bar_node(seen, "n2", held), "an answer that was lost"
    with pytest.raises(WitnessConflictError, match="barred by the agent of its site"):
        node.take_lease(seen, "frankfurt", node.prepare_lease(seconds=60))
    assert (operator.see().holders, operator.see().barred) == (("frankfurt",), ("frankfurt/n2",))
    site.let_in("n2")
    node.take_lease(seen, "frankfurt", of_node := node.prepare_lease(seconds=60))
    site.let_in("n2")
    assert operator.see().nodes == ("frankfurt/n2",), "only a bar is removed"
    node.release_lease(of_node)
    assert site.bar_node(seen, "n2", held)
    site.release_lease(held)
    assert (operator.see().holders, operator.see().barred) == ((), ())
    first, second = site.prepare_lease(seconds=60), site.prepare_lease(seconds=60)
    site.take_lease(operator.see(), "frankfurt", first)
    assert site.bar_node(seen, "n2", first)
    site.take_lease(operator.see(), "frankfurt", second)  # as after a restart of the agent
    assert site.bar_node(seen, "n2", second)
    site.release_lease(first)
    assert operator.see().barred == ("frankfurt/n2",), "it does not end with the earlier lease"
    site.release_lease(second)
    assert not site.bar_node(seen, "n2", site.prepare_lease(seconds=60)), "the site has no lease"
