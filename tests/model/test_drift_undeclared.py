"""Objects that nobody declared are found; what Kubernetes and controllers make of declared ones is not among them."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from declared_site import Document, declared_bodies, exported
from live_objects import LATER, live_objects, managed
from test_drift_injections import REPAIR

from runbooks.permit import MANAGER as PERMIT_MANAGER
from shopsphere.drift import known
from shopsphere.drift.declared import declared_objects
from shopsphere.drift.judging import judge
from shopsphere.drift.model import Drift, Kind
from shopsphere.drift.undeclared import Live
from shopsphere.drift.view import View
from shopsphere.estate.databases import LEDGER


def around(*others: Live, lives: dict[str, Document] | None = None) -> list[Drift]:
    """Findings of a site with its declared objects and others."""
    declared = declared_objects(exported())
    own = [Live(each.kind, live) for each, live in zip(declared, (lives or live_objects()).values(), strict=True)]
    return judge(declared, [*own, *others], REPAIR)


def made(
    kind: str,
    name: str,
    *managers: str,
    owner: str = "",
    owner_kind: str = "",
    namespace: str = "shop",
    fields: Document | None = None,
    **rest: Any,
) -> Live:
    """An object that managers wrote."""
    metadata: Document = {"name": name, "uid": f"uid-of-{name}", "creationTimestamp": LATER}
    metadata |= {"namespace": namespace} if namespace else {}
    metadata |= {"ownerReferences": [{"uid": owner, "kind": owner_kind, "controller": True}]} if owner else {}
    told = {"f:spec": {"f:a": {}}} if fields is None else fields
    metadata["managedFields"] = [managed(each, "Update", LATER, told) for each in managers]
    return Live(kind, {"metadata": {**metadata, **rest.pop("metadata", {})}, **rest})


def test_what_kubernetes_and_controllers_make_is_no_drift() -> None:
    assert (
        around(
            made("ServiceAccount", "default", fields={}),
            made("ServiceAccount", "default", namespace="elsewhere"),
            made("ConfigMap", "kube-root-ca.crt", "kube-controller-manager", data={"ca.crt": "PEM"}),
            made("ConfigMap", "cnpg-default-monitoring", "manager", data={"queries": "backends: {}"}),
            made("Endpoints", "shop", "kube-controller-manager"),
            made("ReplicaSet", "shop-1", "kube-controller-manager", owner="deployment", owner_kind="Deployment"),
            made("Pod", "shop-1-a", "kube-controller-manager", owner="uid-of-shop-1", owner_kind="ReplicaSet"),
            made("EndpointSlice", "shop-x", "kube-controller-manager", owner="service", owner_kind="Service"),
            made("Pod", "ledger-frankfurt-1", "manager", "kubelet", owner="database", owner_kind="Cluster"),
            made("Pod", "a-pod-of-others", "kubectl-run", namespace="elsewhere"),
            made("PersistentVolume", "of-others", "kubectl-create", namespace=""),
            made("ClusterRoleBinding", "of-others", "kubectl-create", namespace="", subjects=[{"kind": "Group"}]),
        )
        == []
    )


@pytest.mark.parametrize(
    ("live", "severity", "residency"),
    [
        (made("Pod", "shell", "kubectl-run"), "high", False),
        (made("Deployment", "miner", "kubectl-create"), "high", False),
        (made("NetworkPolicy", "open", "kubectl-client-side-apply"), "critical", True),
        (made("Service", "out", "kubectl-create"), "critical", True),
        (made("EndpointSlice", "shop-out", "kubectl-create"), "critical", True),
        (made("Endpoints", "shop", "kube-controller-manager", "kubectl-edit"), "critical", True),
        (made("Role", "all", "kubectl-create"), "high", False),
        (made("RoleBinding", "mallory", "kubectl-create"), "high", False),
        (made("Secret", "copy", "kubectl-create"), "high", False),
        (made("ConfigMap", "kube-root-ca.crt", "kubectl-edit"), "high", False),
        (made("ConfigMap", "cnpg-default-monitoring", "kubectl-edit"), "high", False),
        (made("ConfigMap", "another", "manager"), "high", False),
        (made("ServiceAccount", "default", "kubectl-patch", imagePullSecrets=[{"name": "x"}]), "high", False),
        (made("ServiceAccount", "default", imagePullSecrets=[{"name": "x"}]), "high", False),
        (made("CronJob", "every-night", "kubectl-create"), "high", False),
        (made("PersistentVolumeClaim", "copy", "kubectl-create"), "critical", True),
        (made("ScheduledBackup", "to-us", "kubectl-create"), "critical", True),
        (made("ConfigMap", "permit", "kubectl-create", metadata={"labels": known.PERMITS}), "high", False),
        (
            made("ClusterRoleBinding", "way-in", "kubectl-create", namespace="", subjects=[{"namespace": "shop"}]),
            "critical",
            True,
        ),
        (
            made("PersistentVolume", "x", "kubectl", namespace="", metadata={"labels": {"shopsphere.io/site": "us"}}),
            "critical",
            True,
        ),
    ],
    ids=lambda each: f"{each.kind}-{each.name}" if isinstance(each, Live) else None,
)
def test_objects_that_nobody_declared_are_found(live: Live, severity: str, residency: bool) -> None:
    (found,) = around(live)
    assert (found.kind, found.object.partition(" ")[0], found.severity, found.residency) == (
        Kind.UNDECLARED,
        live.kind,
        severity,
        residency,
    )
    assert " delete " in found.repair


def test_who_made_an_object_is_named_and_not_the_controller_that_wrote_into_it_later() -> None:
    (found,) = around(made("Deployment", "tap", "kubectl-create", "kube-controller-manager"))
    assert found.author
    assert found.author.manager == "kubectl-create"
    (found,) = around(made("Deployment", "tap", "kube-controller-manager"))
    assert found.author
    assert found.author.manager == "kube-controller-manager"


def test_a_reference_to_an_owner_that_nobody_declared_hides_nothing() -> None:
    owner = made("ReplicaSet", "own", "kubectl-create")
    pod = made("Pod", "own-1", "kubectl-create", owner="uid-of-own", owner_kind="ReplicaSet")
    unknown = made("Pod", "ghost", "kubectl-create", owner="of-no-object", owner_kind="ReplicaSet")
    each_other = [
        made("Pod", "one", "kubectl-create", owner="uid-of-two", owner_kind="Pod"),
        made("Pod", "two", "kubectl-create", owner="uid-of-one", owner_kind="Pod"),
    ]
    found = around(owner, pod, unknown, *each_other)
    assert sorted(each.object for each in found) == [
        "Pod shop/ghost",
        "Pod shop/one",
        "Pod shop/own-1",
        "Pod shop/two",
        "ReplicaSet shop/own",
    ]


def test_a_pod_that_somebody_changed_is_found() -> None:
    pod = made("Pod", "shop-1-a", "kubelet", owner="deployment", owner_kind="Deployment")
    debug: Document = {"f:spec": {"f:ephemeralContainers": {'k:{"name":"debugger"}': {".": {}, "f:image": {}}}}}
    entries = pod.document["metadata"]["managedFields"]
    entries.append(managed("kubectl-debug", "Update", LATER, debug, subresource="ephemeralcontainers"))
    entries.append(managed("shop", "Update", LATER, {"f:status": {"f:conditions": {}}}, subresource="status"))
    (found,) = around(pod)
    assert (found.kind, found.object) == (Kind.TOUCHED, "Pod shop/shop-1-a")
    assert "ephemeralContainers" in found.field
    assert found.author
    assert found.author.manager == "kubectl-debug"


def claim(ordinal: int, *managers: str) -> Live:
    return made("PersistentVolumeClaim", f"log-kafka-{ordinal}", "kube-controller-manager", *managers)


def around_a_log(*others: Live) -> list[tuple[Kind, str]]:
    """Findings of a site that declares a StatefulSet of one pod with a claim, and has it as the API server keeps it."""
    bodies = declared_bodies()
    template: Document = {"metadata": {"name": "log"}, "spec": {"storageClassName": "data"}}
    bodies["log"] = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "kafka", "namespace": "shop", "labels": bodies["deployment"]["metadata"]["labels"]},
        "spec": {"replicas": 1, "volumeClaimTemplates": [template]},
    }
    declared, lives = declared_objects(exported(bodies)), live_objects(bodies)
    filled = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "status": {"phase": "Pending"}}
    lives["log"]["spec"]["volumeClaimTemplates"][0] |= filled
    own = [Live(each.kind, live) for each, live in zip(declared, lives.values(), strict=True)]
    return [(each.kind, each.object) for each in judge(declared, [*own, *others], REPAIR)]


def test_the_claim_of_a_declared_stateful_set_is_no_drift() -> None:
    assert around_a_log(claim(0)) == []


def test_a_claim_of_no_pod_of_it_is_found_and_one_that_somebody_changed() -> None:
    more = made("PersistentVolumeClaim", "other-kafka-0", "kubectl-create")
    assert around_a_log(claim(0, "kubectl-edit"), claim(1), more) == [
        (Kind.TOUCHED, "PersistentVolumeClaim shop/log-kafka-0"),
        (Kind.UNDECLARED, "PersistentVolumeClaim shop/log-kafka-1"),
        (Kind.UNDECLARED, "PersistentVolumeClaim shop/other-kafka-0"),
    ]


def test_nothing_is_said_of_claims_while_stateful_sets_cannot_be_listed() -> None:
    view = View(declared_objects(exported()), [claim(0)], unlisted=["StatefulSet"])
    assert view.has_unlisted_owner(claim(0))


def test_a_permit_of_break_glass_is_no_drift() -> None:
    assert known.PERMITS["app.kubernetes.io/managed-by"] == PERMIT_MANAGER
    bodies = declared_bodies()
    bodies["ledger"] = copy.deepcopy(bodies["namespace"])
    bodies["ledger"]["metadata"]["name"] = LEDGER.namespace.name
    declared = declared_objects(exported(bodies))
    own = [Live(each.kind, live) for each, live in zip(declared, live_objects(bodies).values(), strict=True)]
    there = {"labels": known.PERMITS}
    permit = made("ConfigMap", "epoch-2", known.PLATFORM, namespace=LEDGER.namespace.name, metadata=there)
    assert judge(declared, [*own, permit], REPAIR) == []


def test_references_that_branch_or_lead_in_a_circle_end_and_excuse_nothing() -> None:
    def owned(uid: str, *owners: str) -> Live:
        references = [{"uid": owner, "kind": "ReplicaSet"} for owner in owners]
        return Live("Pod", {"metadata": {"name": uid, "namespace": "shop", "uid": uid, "ownerReferences": references}})

    declared = declared_objects(exported())
    (deployment,) = [each for each in declared if each.kind == "Deployment"]
    root = Live("Deployment", {"metadata": {"name": deployment.name, "namespace": "shop", "uid": "root"}})
    layers = [[f"{depth}-{number}" for number in range(8)] for depth in range(8)]
    above = [["root"], *layers]
    branching = [owned(uid, *above[depth]) for depth, uids in enumerate(layers) for uid in uids]
    circle = [owned("a", "b"), owned("b", "a"), owned("c", "root", "a"), owned("d", "root", "gone")]
    view = View(declared, [root, *branching, *circle])
    assert all(view.is_from_declared(live) for live in [root, *branching])
    assert [live.name for live in circle if view.is_from_declared(live)] == []
