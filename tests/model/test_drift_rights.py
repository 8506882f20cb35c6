"""A right of the platform's own programs that somebody widened at the cluster is found, whoever applied it first."""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Sequence
from ipaddress import IPv4Address
from types import SimpleNamespace
from typing import Any

import pytest
from declared_site import Document, declared_bodies, exported
from live_objects import LATER, applied_rights, live_objects, managed, of_manifest
from rbac_of_site import RIGHTS
from test_drift_injections import REPAIR
from test_drift_undeclared import made

from shopsphere.drift import rights
from shopsphere.drift.declared import declared_objects
from shopsphere.drift.judging import judge
from shopsphere.drift.looking import rights_at
from shopsphere.drift.model import Drift, Kind
from shopsphere.drift.repair_plan import Action, plan_of
from shopsphere.drift.rights import owners_rights
from shopsphere.drift.undeclared import Live, is_meant
from shopsphere.estate import cluster_rights
from shopsphere.estate.role_rights import watch_rights
from shopsphere.estate.stack import Environment, site_stack
from shopsphere.topology import FurtherNode, load_topology

LOOKS, ENTERS, AGENTS = "shopsphere:agent", "shopsphere:agent-in-databases", "shopsphere:agents"
SECRETS = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}


def found(lives: Sequence[tuple[str, Document]], *others: Live) -> list[Drift]:
    """Findings of a site with these rights."""
    stack = declared_objects(exported())
    own = [Live(each.kind, live) for each, live in zip(stack, live_objects().values(), strict=True)]
    live_rights = [Live(kind, document) for kind, document in lives]
    return judge([*stack, *RIGHTS(stack)], [*own, *live_rights, *others], REPAIR)


def changed(at: int, **fields: Any) -> list[tuple[str, Document]]:
    """The rights after somebody wrote fields of one of them; None takes a field away."""
    lives = applied_rights()
    document = lives[at][1]
    for field, value in fields.items():
        document[field] = value
        if value is None:
            del document[field]
    written: Document = {f"f:{field}": {} for field, value in fields.items() if value is not None}
    document["metadata"]["managedFields"].append(managed("kubectl-edit", "Update", LATER, written))
    return lives


def rules(at: int) -> list[Document]:
    return list(applied_rights()[at][1]["rules"])


@pytest.mark.requirement("a right of an agent that grew at the cluster is drift")
@pytest.mark.parametrize(
    ("lives", "told"),
    [
        (changed(0, rules=[*rules(0), SECRETS]), (f"ClusterRole {LOOKS}", "rules[3]", Kind.ADDED)),
        (
            changed(1, rules=[{**rules(1)[0], "verbs": ["*"]}, *rules(1)[1:]]),
            (f"ClusterRole {ENTERS}", "rules[0].verbs", Kind.CHANGED),
        ),
        (
            changed(
                0, rules=[rules(0)[0], {k: v for k, v in rules(0)[1].items() if k != "resourceNames"}, rules(0)[2]]
            ),
            (f"ClusterRole {LOOKS}", "rules[1].resourceNames", Kind.REMOVED),
        ),
        (
            changed(0, aggregationRule={"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}),
            (f"ClusterRole {LOOKS}", "aggregationRule.clusterRoleSelectors[0]", Kind.ADDED),
        ),
        (changed(0, rules=None), (f"ClusterRole {LOOKS}", "rules", Kind.REMOVED)),
        (
            changed(2, subjects=[*applied_rights()[2][1]["subjects"], {"kind": "User", "name": "mallory"}]),
            (f"ClusterRoleBinding {LOOKS}", "subjects[name=mallory]", Kind.ADDED),
        ),
        (
            changed(2, roleRef={**applied_rights()[2][1]["roleRef"], "name": "edit"}),
            (f"ClusterRoleBinding {LOOKS}", "roleRef.name", Kind.CHANGED),
        ),
        (applied_rights()[:1] + applied_rights()[2:], (f"ClusterRole {ENTERS}", "", Kind.MISSING)),
    ],
    ids=["rule", "verbs", "names", "aggregation", "none", "subject", "role", "gone"],
)
def test_what_differs_is_named(lives: list[tuple[str, Document]], told: tuple[str, str, Kind]) -> None:
    (drift,) = found(lives)
    assert (drift.object, drift.field, drift.kind) == told
    assert drift.severity in {"high", "critical"}
    assert plan_of(drift, None, None).action is Action.LEAVE
    assert plan_of(drift, None, None).why == "the cluster's owner applies the rights of its agents"


@pytest.mark.parametrize("manager", ["kubectl", "argocd-controller", "kubectl-client-side-apply"])
def test_whoever_applied_them_they_are_clean(manager: str) -> None:
    assert found(applied_rights(manager=manager)) == []


def test_they_are_put_back_by_the_owner() -> None:
    again = (
        "shopsphere policy rights frankfurt --environment lab | "
        "kubectl --kubeconfig /kubeconfigs/frankfurt.yaml --context frankfurt apply --server-side "
        "--force-conflicts --filename=-"
    )
    gone, another = found(applied_rights()[1:]), found(changed(2, roleRef={"kind": "ClusterRole", "name": "edit"}))
    assert gone[0].repair == again
    assert {each.repair for each in another} == {
        f"kubectl --kubeconfig /kubeconfigs/frankfurt.yaml --context frankfurt delete clusterrolebindings {LOOKS} "
        f"&& {again}"
    }
    (wider,) = found(changed(0, rules=[*rules(0), SECRETS]))
    assert shlex.split(wider.repair)[5:9] == ["patch", "clusterroles", LOOKS, "--type=json"]


@pytest.mark.requirement("another right that an agent is given is drift, in whichever namespace")
@pytest.mark.parametrize("kind", ["RoleBinding", "ClusterRoleBinding"])
@pytest.mark.parametrize(
    ("subject", "counts"),
    [
        ({"kind": "Group", "name": AGENTS}, True),
        ({"kind": "User", "name": "shopsphere:agent:frankfurt"}, True),
        ({"kind": "Group", "name": "operators"}, False),
        ({"kind": "ServiceAccount", "name": AGENTS, "namespace": "cnpg-system"}, False),
    ],
)
def test_another_binding_of_an_agent(kind: str, subject: Document, counts: bool) -> None:
    namespace = "cnpg-system" if kind == "RoleBinding" else ""
    live = made(kind, "more", "kubectl-create", namespace=namespace, subjects=[subject], fields={"f:subjects": {}})
    assert is_meant(live, {"shop"}) is (counts or not namespace)
    told = [(each.kind, each.severity, each.object) for each in found(applied_rights(), live)]
    severity = "critical" if kind == "ClusterRoleBinding" else "high"
    name = f"{kind} {namespace}/more" if namespace else f"{kind} more"
    assert told == ([(Kind.UNDECLARED, severity, name)] if counts else [])


def test_a_site_without_databases_has_no_agents() -> None:
    bodies = {name: body for name, body in declared_bodies().items() if name != "database"}
    wanted = owners_rights(load_topology(environment="lab"), "newyork", declared_objects(exported(bodies)))
    assert all(each.may_be_missing for each in wanted)
    assert not any("agent" in each.name for each in wanted)


def test_a_site_that_was_never_deployed_has_none() -> None:
    assert RIGHTS([]) == []


def of_program(*extra: Document) -> tuple[str, Document]:
    """The role of watchers as the owner applied it, with rules of somebody else's."""
    role = watch_rights()[0]
    return of_manifest({**role, "rules": [*role["rules"], *extra]})


@pytest.mark.requirement("a right of a program that grew at the cluster is drift; an owner may do without it")
def test_a_program_may_have_no_role_but_no_wider_one() -> None:
    assert found([*applied_rights(), of_program()]) == []
    (grown,) = found([*applied_rights(), of_program(SECRETS)])
    assert (grown.object, grown.kind) == ("ClusterRole shopsphere:watch", Kind.ADDED)


def test_all_that_an_owner_applies_is_compared() -> None:
    """What a new function of the module returns for a site's owner is to be compared too."""
    made_for_owners = {
        name: function
        for name, function in vars(cluster_rights).items()
        if name.endswith("_rights") and inspect.isfunction(function) and not name.startswith("_")
    }
    assert made_for_owners
    printed = inspect.getsource(cluster_rights.site_rights)
    assert [name for name in made_for_owners if name not in vars(rights) and f"{name}(" not in printed] == []


def test_a_look_goes_by_the_topology_and_the_port_that_it_has_read() -> None:
    read = load_topology(environment="lab")
    another = FurtherNode(name="frankfurt-9", address=IPv4Address("10.99.1.19"))
    changed = read.site("frankfurt").model_copy(update={"further_nodes": (another,)})
    topology = read.model_copy(update={"sites": {**read.sites, "frankfurt": changed}})
    hosts: Any = SimpleNamespace(agent_port=9999)
    told = rights_at(topology, site_stack(topology, "frankfurt", Environment.LAB), hosts)
    found_rights = told(declared_objects(exported()))
    (drifts,) = (each for each in found_rights if (each.kind, each.name) == ("ClusterRole", "shopsphere:drift"))
    doors = next(rule for rule in drifts.body["rules"] if rule["resources"] == ["nodes/proxy"])
    assert doors["resourceNames"] == ["http:frankfurt:9999", "http:frankfurt-9:9999"]
