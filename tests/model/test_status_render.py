"""A status as people and programs see it."""

import io
import json
import time
from pathlib import Path
from typing import Any

import pytest
from kubeconfigs import write_kubeconfig
from rich.console import Console
from site_statuses import database_answer, site_status

from shopsphere.clients.cluster import Cluster
from shopsphere.deploy.verification import (
    SiteLeftError,
    database_problem,
    job_problem,
    pod_problem,
    refuse_left,
    workload_problem,
)
from shopsphere.estate.stack import Environment, StackId, site_stack
from shopsphere.status import quantities, render, sites
from shopsphere.status.databases import describe
from shopsphere.status.model import (
    NameAnswer,
    PairStatus,
    SiteStatus,
    Status,
    role_of,
)
from shopsphere.status.pairs import pair_status
from shopsphere.topology import Topology, load_topology
from shopsphere.witness import PairRecord, Phase

PRIMARY = database_answer("ledger-dublin", "sync", lag_bytes=0)
STANDBY = database_answer(leader="10.99.0.11", lag_ms=3)


def site(name: str, answer: dict[str, Any]) -> SiteStatus:
    return site_status(name, {"ledger": answer})


WELL = Status((site("frankfurt", PRIMARY), site("dublin", STANDBY)), ())
DEAD = SiteStatus("ashburn", "rdc-b", "unknown", None, "unreachable: ashburn: no answer")


def printed(status: Status) -> str:
    sink = io.StringIO()
    render.show(status, Console(file=sink, width=200))
    return sink.getvalue()


def test_the_table_shows_what_an_operator_asks_for() -> None:
    text = printed(WELL)
    for part in ("active", "passive", "10/10", "101.25", "48.75", "12.5 ms and 0 B behind", "to ledger-dublin, sync"):
        assert part in text


def test_the_role_comes_from_the_databases_and_not_from_the_topology() -> None:
    assert [found.role for found in (site("dublin", PRIMARY), site("frankfurt", STANDBY))] == ["active", "passive"]


def test_databases_that_disagree_make_a_mixed_site() -> None:
    assert role_of((describe("commerce", "", PRIMARY), describe("ledger", "", STANDBY))) == "mixed"


def test_a_dead_site_is_shown_beside_the_others_and_is_not_well() -> None:
    status = Status((*WELL.sites, DEAD), ())
    assert not status.is_well
    assert WELL.is_well
    text = printed(status)
    assert "unreachable" in text
    assert "48.75" in text


def test_json_holds_all_of_it() -> None:
    name = NameAnswer("www.shopsphere.test", "ns1 (10.99.0.53)", "eu", ("10.99.0.11",), ("frankfurt",), "")
    document = json.loads(render.as_json(Status(WELL.sites, (name,))))
    assert document["well"] is True
    assert document["sites"][0]["facts"]["databases"][0]["replication"][0]["lag_ms"] == 12.5
    assert document["names"][0]["sites"] == ["frankfurt"]


def test_a_standby_that_follows_nobody_is_a_problem() -> None:
    assert describe("ledger", "", {**STANDBY, "receiver": None}).problem == "ledger follows nobody"


@pytest.mark.requirement("a copy that cannot follow any more is never shown as well")
def test_a_standby_that_waits_for_what_never_comes_is_a_problem() -> None:
    assert describe("ledger", "", STANDBY).problem == ""
    waiting = {**STANDBY["receiver"], "state": "waiting"}
    assert "ledger does not stream (waiting)" in describe("ledger", "", {**STANDBY, "receiver": waiting}).problem


def test_racks_are_counted_also_where_one_node_stands_for_several() -> None:
    several = {
        "metadata": {"labels": {"shopsphere.io/rack": "r1", **{f"rack.shopsphere.io/r{n}": "" for n in range(8)}}}
    }
    single = [{"metadata": {"labels": {"shopsphere.io/rack": rack}}} for rack in ("r1", "r1", "r2")]
    assert quantities.rack_count([several]) == 8
    assert quantities.rack_count(single) == 2


@pytest.mark.requirement("a dead site never hangs status and does not spoil the others")
def test_a_site_that_swallows_packets_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    topology = load_topology()
    stacks = [site_stack(topology, name, Environment.LAB) for name in ("frankfurt", "dublin")]

    def answer(_topology: Topology, stack: StackId) -> SiteStatus:
        if stack.label == "dublin":
            time.sleep(30)
        return site(stack.label, PRIMARY)

    monkeypatch.setattr(sites, "site_status", answer)
    monkeypatch.setattr(sites, "SITE_SECONDS", 1.5)
    start = time.monotonic()
    frankfurt, dublin = sites.site_statuses(topology, stacks)
    assert time.monotonic() - start < 20
    assert frankfurt.facts is not None
    assert dublin.problem.startswith("unreachable")


def test_an_api_that_refuses_is_unreachable_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kubeconfig = write_kubeconfig(tmp_path, "https://127.0.0.1:1")
    monkeypatch.setattr(sites, "cluster_of", lambda *_, **__: Cluster(kubeconfig, "frankfurt", seconds=2))
    topology = load_topology()
    start = time.monotonic()
    status = sites.site_status(topology, site_stack(topology, "frankfurt", Environment.LAB))
    assert time.monotonic() - start < 20
    assert "no answer from https://127.0.0.1:1" in status.problem


def named(**parts: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"namespace": "shop", "name": "shop", "generation": 2}, **parts}


def test_verification_names_the_failing_object_and_its_condition() -> None:
    waiting = {"type": "Available", "status": "False", "message": "Deployment does not have minimum availability."}
    status = {"observedGeneration": 2, "updatedReplicas": 2, "replicas": 2, "conditions": [waiting]}
    found = workload_problem(named(spec={"replicas": 2}, status=status))
    assert "deployment shop/shop: 2 of 2 pods are current, 0 available" in found
    assert "Available=False" in found
    phase = {"phase": "Setting up primary", "conditions": [{"type": "Ready", "status": "False", "message": "not yet"}]}
    assert database_problem(named(status=phase)) == "database shop/shop: Setting up primary (not yet)"
    assert job_problem(named(status={})) == "job shop/shop: not complete"


def test_verification_accepts_what_is_ready() -> None:
    status = {"observedGeneration": 2, "updatedReplicas": 2, "replicas": 2, "availableReplicas": 2}
    assert workload_problem(named(spec={"replicas": 2}, status=status)) == ""
    assert database_problem(named(status={"conditions": [{"type": "Ready", "status": "True"}]})) == ""
    assert job_problem(named(status={"conditions": [{"type": "Complete", "status": "True"}]})) == ""


def test_a_pod_that_is_not_ready_says_why() -> None:
    unscheduled = {"type": "PodScheduled", "status": "False", "message": "1 Insufficient shopsphere.io/watts."}
    assert "Insufficient shopsphere.io/watts" in pod_problem(named(status={"conditions": [unscheduled]}))
    waiting = {"name": "shop", "state": {"waiting": {"reason": "ErrImageNeverPull", "message": "no image"}}}
    assert "shop: ErrImageNeverPull no image" in pod_problem(named(status={"containerStatuses": [waiting]}))
    behind = {"name": "shop", "state": {"waiting": {"reason": "PodInitializing"}}}
    crashed = {"name": "migrate", "state": {"running": {}}, "lastState": {"terminated": {"exitCode": 3}}}
    found = pod_problem(named(status={"initContainerStatuses": [crashed], "containerStatuses": [behind]}))
    assert found == "pod shop/shop: migrate: ended with 3"
    assert "shop: still running" in pod_problem(
        named(status={"containerStatuses": [{"name": "shop", "state": {"running": {}}}]})
    )
    assert pod_problem(named(status={"phase": "Succeeded"})) == ""


@pytest.mark.requirement("`status` says what the witness knows: who may write, and what a failover would cost")
@pytest.mark.parametrize(
    ("values", "holder", "problem"),
    [
        ({}, "frankfurt", ""),
        ({}, "", "nobody takes writes"),
        ({"phase": Phase.DRAINING}, "frankfurt", "unfinished (draining)"),
        ({"active": "dublin", "epoch": 2}, "dublin", ""),
    ],
)
def test_pairs(values: dict[str, Any], holder: str, problem: str) -> None:
    record = PairRecord.first("rdc-a", "frankfurt", actor="anna").changed(actor="anna", reason="drill", **values)
    found = pair_status(record, holder)
    assert problem in found.problem
    assert bool(problem) == bool(found.problem)
    text = printed(Status((), (), (found,)))
    assert str(found.epoch) in text
    assert "drill (anna" in text
    assert Status((), (), (found,)).is_well is not bool(problem)


def test_a_witness_that_does_not_answer_is_no_good_news() -> None:
    status = Status((), (), (PairStatus("rdc-a", problem="no quorum"),))
    assert "unknown" in printed(status)
    assert "no quorum" in printed(status)
    assert not status.is_well


def left_record(**values: str | Phase) -> dict[str, int | str]:
    moved: dict[str, Any] = {"reason": "power loss", "epoch": 2, "active": "dublin", **values}
    return PairRecord.first("rdc-a", "frankfurt", actor="test").changed(actor="test", **moved).model_dump(mode="json")


def cluster(leader: str) -> dict[str, Any]:
    return {"metadata": {"name": "ledger"}, "spec": {"replica": {"self": "ledger-frankfurt", "primary": leader}}}


LEADS, FOLLOWS = cluster("ledger-frankfurt"), cluster("ledger-dublin")


@pytest.mark.requirement("a deployment to a site that was left says at once what it waits for")
@pytest.mark.parametrize("databases", [[LEADS, LEADS], [LEADS, FOLLOWS]])
def test_a_site_that_was_left_is_not_waited_for(databases: list[dict[str, Any]]) -> None:
    said = r"frankfurt was left(.|\n)*dublin is active \(power loss\)(.|\n)*rebuild frankfurt"
    with pytest.raises(SiteLeftError, match=said):
        refuse_left("frankfurt", databases, {"site": "frankfurt", "record": left_record()})


@pytest.mark.parametrize(
    ("databases", "record"),
    [
        ([], left_record()),
        ([FOLLOWS, FOLLOWS], left_record()),  # a new copy is not proven to be one while it is made
        ([LEADS, LEADS], None),
        ([LEADS, LEADS], left_record(active="frankfurt")),
        ([LEADS, LEADS], left_record(phase=Phase.FENCING)),  # the move is under way, and may be taken back
    ],
)
def test_any_other_site_is_waited_for(databases: list[dict[str, Any]], record: dict[str, int | str] | None) -> None:
    refuse_left("frankfurt", databases, {"site": "frankfurt", "record": record})
