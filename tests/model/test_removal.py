"""`destroy` does not take the active site, the edge or anything of production by a slip of the finger."""

from __future__ import annotations

from typing import Never

import pytest

from shopsphere.deploy.removal import ActiveSiteError, require_removable
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import UsageError
from shopsphere.topology import load_topology
from shopsphere.witness import PairRecord, WitnessUnreachableError
from shopsphere.witness.client import Seen

TOPOLOGY = load_topology()
LAB, PROD = Environment.LAB, Environment.PROD


class Frankfurt:
    """A witness that says that Frankfurt is active, that nobody was ever, or nothing."""

    def __init__(self, record: PairRecord | None = None, *, silent: bool = False) -> None:
        self.record, self.silent = record, silent

    def see(self) -> Seen:
        if self.silent:
            raise WitnessUnreachableError("no quorum")
        return Seen(self.record, 1, "")


ACTIVE = PairRecord.first("rdc-a", "frankfurt", actor="test")


def ask(target: str, environment: Environment = LAB, meant: str = "", witness: Frankfurt | None = None) -> None:
    found = witness or Frankfurt(ACTIVE)
    require_removable(TOPOLOGY, target, environment, meant, lambda *_: found.see())


@pytest.mark.parametrize("meant", ["", "frankfurt"])
@pytest.mark.parametrize("environment", [LAB, PROD])
def test_the_active_site_is_refused_however_often_it_is_named(environment: Environment, meant: str) -> None:
    with pytest.raises(ActiveSiteError if meant or environment is LAB else UsageError) as caught:
        ask("frankfurt", environment, meant)
    if meant or environment is LAB:
        assert "failover rdc-a --planned" in str(caught.value)


def test_the_passive_site_and_a_whole_region_of_the_lab_may_go() -> None:
    for target in ("dublin", "rdc-a", "hq", "all"):
        ask(target)


@pytest.mark.parametrize("target", ["dublin", "rdc-a", "edge", "all", "hq"])
def test_in_production_the_target_is_named_twice(target: str) -> None:
    with pytest.raises(UsageError, match=f"--i-mean {target}"):
        ask(target, PROD)
    with pytest.raises(UsageError, match="look again"):
        ask(target, PROD, "rdc-c")
    ask(target, PROD, target)


def test_the_edge_is_named_twice_everywhere() -> None:
    with pytest.raises(UsageError, match="--i-mean edge"):
        ask("edge")
    ask("edge", LAB, "edge")


def test_what_the_witness_does_not_say_is_not_known() -> None:
    silent = Frankfurt(silent=True)
    with pytest.raises(ActiveSiteError, match="is not known"):
        ask("frankfurt", witness=silent)
    ask("frankfurt", LAB, "frankfurt", silent)
    ask("frankfurt", witness=Frankfurt(None))


def test_a_pair_without_a_witness_is_not_known_either() -> None:
    def nowhere(*_: object) -> Never:
        raise WitnessUnreachableError("where its witness is, is not known here")

    with pytest.raises(ActiveSiteError, match="is not known"):
        require_removable(TOPOLOGY, "dublin", LAB, "", nowhere)
