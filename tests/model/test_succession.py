"""When nobody may lead inside a site, that is said with what to type; before it happens, too."""

from __future__ import annotations

import io
from ipaddress import IPv4Address
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console
from site_statuses import database_answer

from runbooks.metrics.sources import site as source
from runbooks.readiness.nodes import judge_succession, nodes_asked
from shopsphere.clients.cluster_errors import ClusterUnreachableError
from shopsphere.clients.succession import Succession, succession_of
from shopsphere.estate.databases import COMMERCE, LEDGER
from shopsphere.estate.kubectl_line import SiteKubectl
from shopsphere.foundation.finding import Verdict
from shopsphere.status import databases, render
from shopsphere.status.databases import describe
from shopsphere.status.model import Count, Database, Power, SiteFacts, SiteStatus, Status, Storage
from shopsphere.topology import FurtherNode, load_topology

ONE, TWO = "ledger-frankfurt-1", "ledger-frankfurt-2"
WAITS_FOR_ALL = {"number": 2, "standbyNamesPre": ["ledger-dublin"], "maxStandbyNamesFromCluster": 1}
WENT_ON = {"number": 1, "standbyNamesPre": ["ledger-dublin"], "maxStandbyNamesFromCluster": 0}
KUBECTL = SiteKubectl("/kube/up", "frankfurt", owners="/kube/owner")
FIX = (
    "Move the pair: `shopsphere failover rdc-a --unplanned`. Or bring the node of ledger-frankfurt-2 back; if it is "
    "back and its pod is not made again, `kubectl --kubeconfig /kube/owner --context frankfurt --namespace "
    "data-ledger delete pod ledger-frankfurt-1` lets the "
    "operator make it"
)


def cluster(**changes: Any) -> dict[str, Any]:
    """The ledger after a switch to its second instance, which waits for the first one."""
    facts: dict[str, Any] = {
        "namespace": "data-ledger", "instances": 2, "names": [ONE, TWO], "leading": TWO, "complete": ONE,
        "synchronous": WAITS_FOR_ALL, "primary": "ledger-frankfurt", **changes,
    }  # fmt: skip
    return {
        "metadata": {
            "name": "ledger-frankfurt",
            "namespace": facts["namespace"],
            "labels": {"app.kubernetes.io/name": "ledger"},
            "annotations": {"shopsphere.io/complete-copies": facts["complete"]} if facts["complete"] else {},
        },
        "spec": {
            "instances": facts["instances"],
            "replica": {"self": "ledger-frankfurt", "primary": facts["primary"]},
            "postgresql": {"synchronous": facts["synchronous"]} if facts["synchronous"] else {},
        },
        "status": {"currentPrimary": facts["leading"], "instanceNames": facts["names"], "phase": "Failing over"},
    }


@pytest.mark.requirement("who may lead inside a site is said as the API server judges it")
@pytest.mark.parametrize(
    ("changes", "may_lead"),
    [
        ({}, (ONE,)),
        ({"complete": f"{ONE},{TWO}"}, (ONE,)),
        ({"complete": ""}, ()),  # after a switch: the old one does not follow yet
        ({"complete": "ledger-frankfurt-3"}, ()),
        ({"synchronous": WENT_ON}, ()),
        ({"synchronous": None}, ()),
        ({"synchronous": {**WAITS_FOR_ALL, "number": 1}}, ()),
        ({"names": [ONE, TWO, "ledger-frankfurt-3"]}, ()),  # PostgreSQL waits for those that are ready first
        ({"names": [TWO]}, ()),
    ],
)
def test_who_may_lead(changes: dict[str, Any], may_lead: tuple[str, ...]) -> None:
    found = succession_of(cluster(**changes))
    assert found
    assert (found.leading, found.may_lead) == (TWO, may_lead)


@pytest.mark.parametrize(
    "changes", [{"instances": 1}, {"namespace": "data-commerce"}, {"primary": "ledger-dublin"}, {"instances": None}]
)
def test_elsewhere_it_is_nobodys_question(changes: dict[str, Any]) -> None:
    assert succession_of(cluster(**changes)) is None


class Api:
    """A site's API with one database."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document

    def items(self, *_: object, **__: object) -> list[dict[str, Any]]:
        return [self.document]


def database(document: dict[str, Any], monkeypatch: pytest.MonkeyPatch, *, answers: bool) -> Any:
    def ask(*_: object) -> dict[str, Any]:
        if not answers:
            raise ClusterUnreachableError("no answer")
        return database_answer("ledger-dublin", "sync")

    monkeypatch.setattr(databases, "ask_instance", ask)
    api: Any = Api(document)
    (found,) = databases.databases_of(api, "rdc-a", KUBECTL)
    return found


@pytest.mark.requirement("when nobody may lead inside a site, `status` says so with the command to type")
def test_a_leader_that_is_lost_before_the_old_one_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    found = database(cluster(complete=""), monkeypatch, answers=False)
    assert found.problem == (
        f"{TWO} does not answer, and no other instance of its site may lead ({ONE}): it may lack acknowledged "
        f"payments. {FIX} (no answer)"
    )
    assert found.may_lead == ()
    another = database(cluster(), monkeypatch, answers=False)
    assert (another.problem, another.may_lead) == ("no answer", (ONE,))


def test_it_is_shown_before_it_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    found = database(cluster(complete=""), monkeypatch, answers=True)
    assert found.problem == ""
    facts = SiteFacts(Count(2, 2), Count(9, 9), 8, Power(1, 1, 2, False), Storage(Count(1, 1), 1, 1), (found,))
    sink = io.StringIO()
    render.show(Status((SiteStatus("frankfurt", "rdc-a", "active", facts, ""),), ()), Console(file=sink, width=200))
    assert "Failing over; no other instance may lead in its place" in sink.getvalue()
    assert database(cluster(), monkeypatch, answers=True).may_lead == (ONE,)


@pytest.mark.requirement("readiness says who may lead inside a site")
def test_readiness() -> None:
    complete = Succession("data-ledger", TWO, (ONE,), (ONE,))
    nobody = Succession("data-ledger", TWO, (ONE,), ())
    assert judge_succession(complete, "rdc-a", KUBECTL, answers=True).found == f"{ONE} may lead in place of {TWO}"
    assert judge_succession(complete, "rdc-a", KUBECTL, answers=False).passed
    waits = judge_succession(nobody, "rdc-a", KUBECTL, answers=True)
    assert waits.passed, "the other site has everything: the pair may be moved"
    assert f"no other instance may lead in place of {TWO} yet" in waits.found
    lost = judge_succession(nobody, "rdc-a", KUBECTL, answers=False)
    assert (lost.verdict, lost.action) == (Verdict.FAILED, FIX)
    assert "no other instance of its site may lead (ledger-frankfurt-1)" in lost.found


@pytest.mark.parametrize("answers", [True, False])
def test_readiness_asks_for_it_at_the_active_site(answers: bool) -> None:
    two = (FurtherNode(name="frankfurt-2", address=IPv4Address("10.99.1.11")),)
    topology = load_topology()
    sites = {**topology.sites, "frankfurt": topology.site("frankfurt").model_copy(update={"further_nodes": two})}

    def instance(*_: object) -> dict[str, Any]:
        if not answers:
            raise ClusterUnreachableError("no answer")
        return {}

    view: Any = SimpleNamespace(
        access=SimpleNamespace(topology=topology.model_copy(update={"sites": sites}), kubectl=lambda _site: KUBECTL),
        pair=topology.pair("rdc-a"),
        active="frankfurt",
        document=lambda _, of: cluster(complete="") if of is LEDGER else cluster(namespace="data-commerce"),
        instance=instance,
    )
    asked = nodes_asked(view)
    assert [each for each in asked if each.startswith("who may lead")] == ["who may lead at frankfurt"]
    assert asked["who may lead at frankfurt"]().passed is answers
    view.active = "dublin"
    assert "who may lead at frankfurt" not in nodes_asked(view)


@pytest.mark.parametrize(
    ("may_lead", "number"), [((ONE,), [1]), ((), [0]), (None, [])], ids=["complete", "none", "nobody's question"]
)
def test_there_is_a_figure_of_it(may_lead: tuple[str, ...] | None, number: list[float]) -> None:
    for answer in (database_answer("ledger-dublin", "sync"), None):
        found = describe("ledger", "", answer, may_lead) if answer else describe_silent(may_lead)
        samples = source.of_database("frankfurt", found, LEDGER, "dublin")
        assert [each.value for each in samples if each.metric.name == "shopsphere_complete_copies"] == number


def describe_silent(may_lead: tuple[str, ...] | None) -> Database:
    return Database("ledger", "unknown", "", None, (), "no answer", may_lead)


def test_databases_that_may_lose_something_are_judged_alone() -> None:
    assert (LEDGER.synchronous, COMMERCE.synchronous) == (True, False)
