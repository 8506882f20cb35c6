"""What a repair puts back, and what it leaves alone: roles, secrets, accepted differences, and all during a change."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from changeable_api import ChangeableApi
from declared_site import OURS, declared_bodies, exported
from drift_injections import SHOP
from live_objects import live_objects, managed, set_by

from shopsphere.clients.cluster_errors import ConflictError
from shopsphere.drift.declared import declared_objects
from shopsphere.drift.ignores import Ignore
from shopsphere.drift.judging import judge, object_name
from shopsphere.drift.model import Drift, Kind
from shopsphere.drift.ownership import Ownership
from shopsphere.drift.repair import Repair
from shopsphere.drift.repair_plan import Action, opens_way_out, path_of, plan_of
from shopsphere.drift.repairing import Outcome, Place, carry_out, plan, with_run_time
from shopsphere.drift.role_guard import change_under_way, guard_of
from shopsphere.drift.undeclared import Live
from shopsphere.estate.kubectl_line import SiteKubectl
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.finding import Severity
from shopsphere.witness import PairRecord, Phase
from shopsphere.witness.seen import Seen
from shopsphere.witness.store import Entry

Document = dict[str, Any]
REPAIR = Repair("frankfurt", "lab", SiteKubectl("/kubeconfigs/frankfurt.yaml", "frankfurt"))
CIDR = ("spec", "egress", 1, "to", 0, "ipBlock", "cidr")


class Site:
    """A site that may be put right, and what keeps it from being."""

    def __init__(self) -> None:
        self.bodies, self.lives = declared_bodies(), live_objects()
        self.declared = {object_name(each.kind, each.namespace, each.name): each for each in self._declared()}
        self.barred = ""
        self.others: list[Live] = []
        self.api = ChangeableApi({})

    def _declared(self) -> Any:
        return declared_objects(exported(self.bodies))

    def found(self) -> list[Drift]:
        objects = self._declared()
        paths = {path_of(object_name(each.kind, each.namespace, each.name)): each.kind for each in objects}
        self.api.objects = self.api.objects or dict(zip(paths, self.lives.values(), strict=True))
        for each in self.others:
            path = path_of(object_name(*each.key))
            paths[path] = each.kind
            self.api.objects.setdefault(path, dict(each.document))
        self.others = []
        kinds = {**paths, **{path: paths.get(path, "") for path in self.api.objects}}
        return judge(
            objects, [Live(kinds[path], live) for path, live in self.api.objects.items() if kinds[path]], REPAIR
        )

    def places(self) -> dict[str, Place]:
        return {"frankfurt": Place(REPAIR, self.api, self.declared, lambda: self.barred)}

    def put_right(self, *ignores: Ignore) -> dict[str, Outcome]:
        outcomes = carry_out(plan(self.found(), self.places()), self.places(), ignores)
        return {each.drift.field or each.drift.object: each for each in outcomes}


@pytest.mark.requirement(
    "a repair puts back fields and additions, and takes fields back from the manager that took them"
)
def test_fields_and_additions_are_put_back_under_the_deployments_own_name() -> None:
    site = Site()
    set_by(site.lives["policy"], CIDR, "0.0.0.0/0")
    set_by(site.lives["deployment"], (*SHOP, "image"), "evil/shop")
    tap = {"name": "tap", "image": "evil/tap"}
    set_by(site.lives["deployment"], ("spec", "template", "spec", "containers", {"name": "tap"}), tap)
    set_by(site.lives["service"], ("spec", "externalIPs"), ["203.0.113.7"])
    outcomes = site.put_right()
    assert {each.done for each in outcomes.values()} == {"put back"}
    assert len(outcomes) == 4
    assert site.found() == []
    image = ("spec", "template", "spec", "containers")
    live = site.api.objects[path_of("Deployment shop/shop")]
    owners = {author.manager for author in Ownership(live).authors if Ownership(live).of(image)}
    assert OURS in owners
    assert [each["name"] for each in live["spec"]["template"]["spec"]["containers"]] == ["shop"]


def test_the_role_of_a_database_goes_along_as_it_is() -> None:
    (database,) = [each for each in declared_objects(exported()) if each.kind == "Cluster"]
    live = live_objects()["database"]
    set_by(live, ("spec", "replica", "primary"), "ledger-dublin", "OpenAPI-Generator")
    body = with_run_time(database, live)
    assert body["spec"]["replica"] == {"self": "ledger-frankfurt", "source": "ledger-dublin"}, "primary is others' now"
    assert database.body["spec"]["replica"]["primary"] == "ledger-frankfurt", "what is declared is not changed"
    assert body["spec"]["imageName"] == database.body["spec"]["imageName"]


@pytest.mark.requirement("a repair never changes a role")
def test_of_a_database_only_additions_are_taken_out() -> None:
    site = Site()
    set_by(site.lives["database"], ("spec", "imageName"), "evil/pg")
    us = {"name": "us", "connectionParameters": {"host": "10.9.9.9"}}
    set_by(site.lives["database"], ("spec", "externalClusters", 1), us)
    set_by(site.lives["database"], ("metadata", "annotations"), {"cnpg.io/hibernation": "on"})
    outcomes = site.put_right()
    assert outcomes["spec.externalClusters[name=us]"].done == "taken out"
    assert "restart or move" in outcomes["spec.imageName"].why
    assert outcomes['metadata.annotations["cnpg.io/hibernation"]'].why == "it may be the role of a database"
    assert site.api.changes == [("patch", "ledger-frankfurt")]


def test_what_is_not_safe_is_left_with_a_reason() -> None:
    site = Site()
    set_by(site.lives["secret"], ("data", "SHOP_KEY"), "c3RvbGVu")
    site.lives["config"]["metadata"]["deletionTimestamp"] = "2026-11-28T00:00:00Z"
    site.others = [Live("ConfigMap", {"metadata": {"name": "mine", "namespace": "shop", "uid": "m"}})]
    outcomes = site.put_right()
    assert {name: each.why.split(":")[0] for name, each in outcomes.items()} == {
        "data.SHOP_KEY": "secrets are put back by a deployment alone",
        "ConfigMap shop/pair-authority": "an object that is gone is made anew by a deployment alone",
        "ConfigMap shop/mine": "it opens no way out by itself",
    }
    assert site.api.changes == []


def undeclared(kind: str, **rest: Any) -> Live:
    place = {} if kind == "ClusterRoleBinding" else {"namespace": "shop"}
    return Live(kind, {"metadata": {"name": "out", "uid": f"of-{kind}", **place}, **rest})


OUT = (
    undeclared("NetworkPolicy", spec={"egress": [{}]}),
    undeclared("Service", spec={"type": "ExternalName", "externalName": "us.example"}),
    undeclared("RoleBinding", subjects=[{"kind": "User", "name": "mallory"}]),
    undeclared("ClusterRoleBinding", subjects=[{"kind": "ServiceAccount", "name": "default", "namespace": "shop"}]),
)


@pytest.mark.parametrize("live", OUT, ids=lambda each: each.kind)
def test_what_opens_a_way_out_is_deleted(live: Live) -> None:
    site = Site()
    site.others = [live]
    (outcome,) = site.put_right().values()
    assert (outcome.done, site.api.changes) == ("deleted", [("delete", "out")])
    assert site.found() == []


@pytest.mark.requirement("a repair takes no right away that the owner of the cluster may have given our programs")
def test_a_cluster_binding_of_our_own_programs_is_left_to_the_owner() -> None:
    site = Site()
    site.others = [undeclared("ClusterRoleBinding", subjects=[{"kind": "Group", "name": "shopsphere:agents"}])]
    (outcome,) = site.put_right().values()
    assert "the cluster's owner may have bound it" in outcome.why
    assert site.api.changes == []


def test_which_objects_open_a_way_out() -> None:
    assert not opens_way_out("NetworkPolicy", {"spec": {"ingress": [{}], "egress": []}})
    assert not opens_way_out("Service", {"spec": {"type": "ClusterIP"}})
    assert opens_way_out("Service", {"spec": {"externalIPs": ["203.0.113.7"]}})
    assert opens_way_out("Endpoints", {"subsets": [{"addresses": [{"ip": "203.0.113.7"}]}]})
    assert not opens_way_out("Endpoints", {"subsets": [{}]})
    assert opens_way_out("EndpointSlice", {"endpoints": [{"addresses": ["203.0.113.7"]}]})
    assert not opens_way_out("Deployment", {})


def test_what_another_stack_deployed_is_not_deleted() -> None:
    site = Site()
    live = undeclared("RoleBinding")
    live.document["metadata"]["managedFields"] = [managed("pulumi-kubernetes-1", "Apply", "", {})]
    site.others = [live]
    (outcome,) = site.put_right().values()
    assert "perhaps another stack's" in outcome.why


@pytest.mark.requirement("a repair does nothing while a change of role is under way")
def test_nothing_is_done_while_something_is_under_way() -> None:
    site = Site()
    set_by(site.lives["policy"], CIDR, "0.0.0.0/0")
    site.others = [OUT[0]]
    site.barred = "a change of role of rdc-a is under way"
    assert {each.why for each in site.put_right().values()} == {site.barred}
    site.barred = ""
    planned = plan(site.found(), site.places())
    site.barred = "it began after the plan"
    assert {each.why for each in carry_out(planned, site.places(), ())} == {site.barred}
    assert site.api.changes == []


def test_an_accepted_difference_is_not_overwritten() -> None:
    site = Site()
    set_by(site.lives["deployment"], (*SHOP, "resources", "limits", "memory"), "4Gi")
    set_by(site.lives["deployment"], (*SHOP, "image"), "evil/shop")
    entry = Ignore(
        sites=("frankfurt",),
        object="Deployment shop/shop",
        field="*.memory",
        reason="measured under load",
        owner="platform",
        expires=date(9999, 1, 1),
    )
    drifts = [each for each in site.found() if not entry.covers(each)]
    (outcome,) = carry_out(plan(drifts, site.places()), site.places(), [entry])
    assert "is accepted by platform" in outcome.why
    assert site.api.changes == []


def test_an_object_that_others_change_is_read_again_and_left_in_the_end() -> None:
    site = Site()
    set_by(site.lives["policy"], CIDR, "0.0.0.0/0")
    planned = plan(site.found(), site.places())
    live = site.api.objects[path_of("NetworkPolicy shop/to-dns")]
    times = iter(range(1))

    def others() -> None:
        if next(times, None) is not None:
            live["metadata"]["resourceVersion"] = "2"

    site.api.before = others
    (outcome,) = carry_out(planned, site.places(), ())
    assert (outcome.done, len(site.api.changes)) == ("put back", 2)

    def conflict() -> None:
        raise ConflictError("409 Conflict")

    set_by(live, CIDR, "0.0.0.0/0")
    site.api.before = conflict
    (outcome,) = carry_out(planned, site.places(), ())
    assert (outcome.done, outcome.why) == ("", "409 Conflict")


class Witness:
    """A pair's witness that says what a test wants."""

    pair = "rdc-a"

    def __init__(self, phase: Phase = Phase.STEADY, owner: str = "", *, is_new: bool = False) -> None:
        record = PairRecord.first("rdc-a", "frankfurt", actor="ada").changed(actor="ada", reason="test", phase=phase)
        self._record, self._owner = None if is_new else record, owner

    def see(self) -> Seen:
        return Seen(self._record, 1, "frankfurt")

    def locked_by(self) -> Entry | None:
        return Entry(self._owner, 1, 1) if self._owner else None


@pytest.mark.parametrize(
    ("witness", "told"),
    [
        (Witness(), ""),
        (Witness(Phase.DRAINING), "draining, by ada"),
        (Witness(Phase.FENCING), "fencing, by ada"),
        (Witness(owner="ada since 12:00"), "ada since 12:00 holds the operators' lock"),
        (Witness(is_new=True), "no record"),
    ],
)
def test_who_changes_a_role(witness: Any, told: str) -> None:
    found = change_under_way(witness)
    assert told in found
    assert bool(found) == bool(told)


def test_what_is_not_known_keeps_a_site_from_being_changed() -> None:
    def broken() -> Any:
        raise ShopSphereError("no backend")

    assert "is not known: no backend" in guard_of("", Environment.LAB, broken)()


def test_the_edge_and_what_is_no_object_are_left() -> None:
    facts: Document = {"field": "", "declared": "", "live": "", "severity": Severity.HIGH, "repair": "do it"}
    edge = Drift(site="edge", object="www A at ns1", kind=Kind.UNDECLARED, **facts)
    role = Drift(site="frankfurt", object="role mallory in ledger", kind=Kind.UNDECLARED, **facts)
    assert "by its deployment, or by the command of the finding" in plan_of(edge, None, None).why
    assert plan_of(role, None, None).action is Action.LEAVE
