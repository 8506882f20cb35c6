"""`destroy` takes nothing that was not named twice, no active site, and no names of a pair that is served."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from engine_events import metadata

from shopsphere.deploy.changes import change_of
from shopsphere.deploy.outcomes import ResourceChange
from shopsphere.deploy.removal import VOLUME, ActiveSiteError, require_removable, require_takeable
from shopsphere.estate.access import AccessError
from shopsphere.estate.stack import Environment, StackId, edge_stack, site_stack
from shopsphere.foundation.errors import UsageError
from shopsphere.topology import load_topology
from shopsphere.witness import PairRecord, WitnessUnreachableError
from shopsphere.witness.record import Phase
from shopsphere.witness.seen import Seen

TOPOLOGY = load_topology()
LAB, PROD = Environment.LAB, Environment.PROD
FRANKFURT = PairRecord.first("rdc-a", "frankfurt", actor="test")
SERVED = Seen(FRANKFURT, 1, "frankfurt")
NOBODY = Seen(FRANKFURT, 1, "")
NEW = Seen(None, 0, "")
TARGETS = ("dublin", "frankfurt", "rdc-a", "edge", "all", "hq")


class Witnesses:
    """What the witness of each pair says; one that is not named does not answer, nor does one that is None."""

    def __init__(self, said: Mapping[str, Seen | None]) -> None:
        self.said, self.asked = said, list[str]()

    def see(self, pair: str, _environment: Environment) -> Seen:
        self.asked.append(pair)
        seen = self.said.get(pair)
        if seen is None:
            raise WitnessUnreachableError("no quorum")
        return seen


def ask(
    target: str,
    seen: Seen | None = SERVED,
    environment: Environment = LAB,
    meant: str | None = None,
    deployed: tuple[str, ...] = ("frankfurt", "dublin"),
) -> Witnesses:
    """Ask to remove a target, named twice unless told otherwise, where only rdc-a was ever deployed."""
    witnesses = Witnesses({"rdc-a": seen})
    named = target if meant is None else meant

    def exists(stack: StackId) -> bool:
        return stack.label in deployed

    require_removable(TOPOLOGY, target, environment, named, witnesses.see, exists)
    return witnesses


@pytest.mark.requirement("nothing that holds data is removed before its name was typed again, in no environment")
@pytest.mark.parametrize("environment", [LAB, PROD])
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("meant", ["", "rdc-c"])
def test_every_target_is_named_twice(target: str, environment: Environment, meant: str) -> None:
    with pytest.raises(UsageError, match=f"--i-mean {target}"):
        ask(target, NOBODY, environment, meant)


@pytest.mark.requirement("the site that the witness calls active is not removed, however often it is named")
@pytest.mark.parametrize("environment", [LAB, PROD])
@pytest.mark.parametrize("seen", [SERVED, NOBODY])
def test_the_active_site_is_refused(environment: Environment, seen: Seen) -> None:
    with pytest.raises(ActiveSiteError, match="failover rdc-a --planned"):
        ask("frankfurt", seen, environment)


@pytest.mark.parametrize("environment", [LAB, PROD])
@pytest.mark.parametrize("target", ["dublin", "rdc-a", "all", "hq"])
def test_the_passive_site_and_what_is_given_up_as_a_whole_may_go(target: str, environment: Environment) -> None:
    assert ask(target, environment=environment).asked == (["rdc-a"] if target == "dublin" else [])


def test_nobody_was_ever_active_in_a_new_pair() -> None:
    assert ask("frankfurt", NEW).asked == ["rdc-a"]


@pytest.mark.parametrize(
    "seen",
    [
        Seen(FRANKFURT.changed(actor="test", reason="a move", phase=Phase.DRAINING), 2, "frankfurt"),
        Seen(FRANKFURT.changed(actor="test", reason="a move", phase=Phase.FENCING), 2, ""),
        Seen(FRANKFURT, 2, "dublin"),
    ],
    ids=["draining", "fencing", "its lease is still held"],
)
def test_a_pair_that_is_changing_is_left_alone(seen: Seen) -> None:
    with pytest.raises(ActiveSiteError, match="just changing"):
        ask("dublin", seen)


@pytest.mark.requirement("where the witness does not answer, it is not known who is active, and nothing is removed")
@pytest.mark.parametrize("environment", [LAB, PROD])
@pytest.mark.parametrize(("target", "out"), [("dublin", "destroy rdc-a"), ("edge", "destroy all")])
def test_what_the_witness_does_not_say_is_refused_with_a_way_out(
    target: str, out: str, environment: Environment
) -> None:
    with pytest.raises(ActiveSiteError, match="is not known") as caught:
        ask(target, None, environment)
    assert "bring the witness of rdc-a back" in str(caught.value)
    assert out in str(caught.value)


@pytest.mark.requirement("names of a pair that is served stay in DNS")
def test_the_edge_stays_while_a_pair_is_served() -> None:
    with pytest.raises(ActiveSiteError, match="rdc-a is served"):
        ask("edge")
    assert ask("edge", NOBODY).asked == ["rdc-a"]
    assert ask("edge", SERVED, deployed=()).asked == []
    with pytest.raises(ActiveSiteError, match="rdc-b: whether a site of it serves"):
        ask("edge", NOBODY, deployed=("frankfurt", "chicago"))


def taken(kind: str, name: str) -> ResourceChange:
    return change_of(metadata("delete", kind, name, old={}))


NAMESPACE = taken("kubernetes:core/v1:Namespace", "data-ledger")
EDGE_TYPE = "pulumi-python:dynamic/edge:"


@pytest.mark.requirement("a deployment deletes or replaces nothing that the active site needs")
def test_a_deployment_takes_nothing_from_the_active_site() -> None:
    witnesses = Witnesses({"rdc-a": SERVED})
    frankfurt, dublin = (site_stack(TOPOLOGY, site, LAB) for site in ("frankfurt", "dublin"))
    with pytest.raises(ActiveSiteError, match="frankfurt is the active site"):
        require_takeable(TOPOLOGY, frankfurt, [NAMESPACE], witnesses.see)
    require_takeable(TOPOLOGY, dublin, [NAMESPACE], witnesses.see)
    with pytest.raises(ActiveSiteError, match="is not known"):
        require_takeable(TOPOLOGY, dublin, [NAMESPACE], Witnesses({}).see)
    require_takeable(TOPOLOGY, frankfurt, [taken(VOLUME, "frankfurt-v3")], Witnesses({}).see)
    require_takeable(TOPOLOGY, frankfurt, [], Witnesses({}).see)
    require_takeable(TOPOLOGY, site_stack(TOPOLOGY, "newyork", LAB), [NAMESPACE], Witnesses({}).see)


@pytest.mark.parametrize(
    ("kind", "name", "asked"),
    [
        ("DnsZone", "shopsphere.test", ["rdc-a"]),
        ("DnsPairState", "rdc-a", ["rdc-a"]),
        ("DnsRRset", "rdc-a", ["rdc-a"]),
        ("DnsRRset", "dublin", ["rdc-a"]),
        ("DnsRRset", "ashburn", []),
        ("DnsRRset", "certificate-issuers", []),
        ("DnsRRset", "www", ["rdc-a"]),
        ("DnsRRset", "apex", ["rdc-a"]),
        ("DnsRRset", "static", ["rdc-a"]),
        ("CdnDistribution", "static", ["rdc-a"]),
    ],
)
def test_a_deployment_takes_no_name_of_a_pair_that_is_served(kind: str, name: str, asked: list[str]) -> None:
    witnesses = Witnesses({"rdc-a": SERVED, "rdc-b": NOBODY, "rdc-c": NEW})
    changes = [taken(f"{EDGE_TYPE}{kind}", name)]
    if asked:
        with pytest.raises(ActiveSiteError, match="rdc-a is served"):
            require_takeable(TOPOLOGY, edge_stack(LAB), changes, witnesses.see)
    else:
        require_takeable(TOPOLOGY, edge_stack(LAB), changes, witnesses.see)
    assert witnesses.asked == (["rdc-b"] if name == "ashburn" else asked)
    idle = Witnesses(dict.fromkeys(TOPOLOGY.pairs, NOBODY))
    require_takeable(TOPOLOGY, edge_stack(LAB), changes, idle.see)


def test_no_name_goes_while_a_pair_is_changing() -> None:
    record = FRANKFURT.changed(actor="op", reason="planned", phase=Phase.DRAINING)
    with pytest.raises(ActiveSiteError, match="just changing its active site"):
        ask("edge", Seen(record, 1, ""))


def test_names_of_a_pair_that_the_topology_has_no_more_may_go_unless_its_witness_says_otherwise() -> None:
    def unknown(*_: object) -> Seen:
        raise AccessError("where its witness is, is not known here")

    gone = [taken(f"{EDGE_TYPE}DnsPairState", "rdc-z")]
    require_takeable(TOPOLOGY, edge_stack(LAB), gone, unknown)
    with pytest.raises(ActiveSiteError, match="rdc-z is served"):
        require_takeable(TOPOLOGY, edge_stack(LAB), gone, Witnesses({"rdc-z": SERVED}).see)
    with pytest.raises(ActiveSiteError, match="is not known"):
        require_takeable(TOPOLOGY, edge_stack(LAB), gone, Witnesses({}).see)
    with pytest.raises(ActiveSiteError, match="is not known"):
        require_takeable(TOPOLOGY, edge_stack(LAB), [taken(f"{EDGE_TYPE}DnsPairState", "rdc-b")], unknown)
