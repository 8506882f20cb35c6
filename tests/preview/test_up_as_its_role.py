"""A whole site, declared by `up` as its own role at a real API server; then what watchers and drift may run in pods.

The owner of the cluster applies the rights and lets `up` into the stack's namespaces. All that Frankfurt's stack
declares follows as `up`, the admission policies first, as Pulumi sends it: by server-side apply.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from admitting_api import applied, in_force, whole
from kube_api import DEPLOYER, KubeApi, api_with_databases
from site_graph import build
from test_drift import as_exported

from policies.admission.declared_images import committed_configuration, declared_images, has_event_log
from policies.admission.language import manifests
from policies.admission.printed import rights
from policies.admission.site_policies import site_policies
from runbooks.metrics.sources.shop import SOURCES
from shopsphere.clients.cluster import Cluster
from shopsphere.clients.cluster_errors import ClusterError, ForbiddenError
from shopsphere.clients.postgres import ask_instance
from shopsphere.clients.postgres_capacity import ask_capacity
from shopsphere.clients.postgres_inventory import take_inventory
from shopsphere.clients.questions import ABOUT_VOLUMES
from shopsphere.drift.declared import declared_objects
from shopsphere.drift.kinds import find_kind
from shopsphere.estate.cluster_rights import way_in_for_up
from shopsphere.estate.cluster_role import Role
from shopsphere.estate.stack import Environment
from shopsphere.topology import load_topology

SITE, STACK = "frankfurt", "lab-frankfurt"
MODEL = load_topology(environment="lab")
CONFIG = committed_configuration(MODEL, SITE, Environment.LAB)
POLICIES = site_policies(MODEL, SITE, Environment.LAB, declared_images(CONFIG), event_log=has_event_log(CONFIG))
ORDER = ("Namespace", "PriorityClass", "StorageClass", "PersistentVolume")
Document = dict[str, Any]


def path_of(each: Document) -> str:
    kind = find_kind(each["apiVersion"], each["kind"])
    assert kind is not None, each["kind"]
    return f"{kind.path(each['metadata'].get('namespace', ''))}/{each['metadata']['name']}"


@pytest.fixture(scope="module")
def site() -> list[Document]:
    """What Frankfurt's stack declares beside its policies, in the order in which a deployment makes it."""
    resources = [
        {"type": each.type, "custom": True, "inputs": as_exported(each.state), "outputs": {}}
        for each in build("rdc-a", STACK).objects
        if each.kind != "kubernetes" and "admissionregistration" not in each.type
    ]
    found = declared_objects({"deployment": {"resources": resources}})
    documents = [whole({"apiVersion": each.version, "kind": each.kind, **each.body}) for each in found]
    return sorted(documents, key=lambda each: each["kind"] not in ORDER)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubeApi]:
    identities = {str(role): role.group for role in Role}
    with api_with_databases(tmp_path_factory.mktemp("up"), identities) as started:
        applied(
            started,
            [*rights(MODEL, SITE, Environment.LAB), *way_in_for_up(MODEL, SITE, event_log=has_event_log(CONFIG))],
        )
        yield started


@pytest.fixture(scope="module")
def deployed(api: KubeApi, site: Sequence[Document]) -> KubeApi:
    up = api.cluster(str(Role.UP))
    for each in (*manifests(POLICIES), *site):
        up.apply(path_of(each), each, manager="pulumi-kubernetes")
        if each is site[0]:
            in_force(api)
    return api


@pytest.mark.requirement("up deploys a whole site, and is no administrator of its cluster")
def test_up_makes_reads_and_changes_all_that_a_stack_declares(deployed: KubeApi, site: Sequence[Document]) -> None:
    up = deployed.cluster(str(Role.UP))
    for each in (*manifests(POLICIES), *site):
        up.get(path_of(each))
        up.apply(f"{path_of(each)}", each, manager="pulumi-kubernetes")  # nothing differs
        kind = find_kind(each["apiVersion"], each["kind"])
        assert kind is not None
        if kind.kind != "Secret":
            next(iter(up.lines(kind.path(each["metadata"].get("namespace", "")))))
    assert len(site) > 100


@pytest.mark.requirement("up deploys a whole site, and is no administrator of its cluster")
def test_the_owner_applies_the_rights_again_while_the_policies_are_in_force(deployed: KubeApi) -> None:
    applied(
        deployed, [*rights(MODEL, SITE, Environment.LAB), *way_in_for_up(MODEL, SITE, event_log=has_event_log(CONFIG))]
    )


def said(cluster: Cluster, namespace: str, container: str, command: list[str]) -> str:
    """What is said against a program: admission's word, RBAC's, or nothing; no kubelet is there to run it."""
    pod = {"postgres": f"{namespace.removeprefix('data-')}-frankfurt-1"}.get(container, f"{container}-1")
    try:
        cluster.execute(namespace, pod, container, command)
    except ForbiddenError as error:
        return "RES-007" if "RES-007" in str(error) else "RBAC"
    except ClusterError:
        pass
    return ""


@pytest.fixture(scope="module")
def with_pods(deployed: KubeApi) -> KubeApi:
    """Pods to enter; controllers would make them."""
    owner = ["--as=system:kube-controller-manager", "--as-group=system:masters"]
    places = {"data-ledger": "ledger-frankfurt-1", "data-commerce": "commerce-frankfurt-1", "shop": "shop-1"}
    places |= {"payments": "payments-1", "gateway": "gateway-1"}
    for name in ("shopsphere-administrators", "shopsphere-programs-of-watchers"):
        deployed.kubectl("get", "validatingadmissionpolicies", name, context=DEPLOYER)
    deployed.kubectl("create", "-f", "-", stdin='{"apiVersion":"v1","kind":"Node","metadata":{"name":"frankfurt"}}')
    for policy in (each.full_name for each in POLICIES if "programs-of" not in each.name):
        deployed.kubectl("delete", "validatingadmissionpolicybindings", policy, context=DEPLOYER)
    time.sleep(2)  # the API server reads that they are gone; the pods here are only names
    for namespace, pod in places.items():
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
        container = "postgres" if namespace.startswith("data-") else namespace
        security = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
        resources = {
            each: {"cpu": "1m", "memory": "1Mi", "shopsphere.io/watts": "1"} for each in ("requests", "limits")
        }
        spec = {
            "nodeName": "frankfurt", "automountServiceAccountToken": False,
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [{"name": container, "image": "x", "securityContext": security, "resources": resources}],
        }  # fmt: skip
        made = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": pod}, "spec": spec}
        for each in (account, made):
            deployed.kubectl(
                "create", f"--namespace={namespace}", *owner, "-f", "-", stdin=json.dumps(each), context=DEPLOYER
            )
    return deployed


@pytest.mark.requirement("who only looks runs what it has to ask in a pod, and nothing else")
def test_who_looks_runs_its_own_questions_alone(with_pods: KubeApi) -> None:
    watcher, drift, operator = (with_pods.cluster(str(role)) for role in (Role.WATCH, Role.DRIFT, Role.OPERATE))
    questions: tuple[Callable[[Cluster, str, str], object], ...] = (ask_instance, ask_capacity)
    for question in questions:
        with pytest.raises(ClusterError) as asked:
            question(watcher, "data-ledger", "ledger-frankfurt-1")
        assert not isinstance(asked.value, ForbiddenError)
        with pytest.raises(ForbiddenError, match="RES-007"):
            question(drift, "data-ledger", "ledger-frankfurt-1")
    for database in ("ledger", "commerce"):
        with pytest.raises(ClusterError) as taken:
            take_inventory(drift, f"data-{database}", f"{database}-frankfurt-1", database)
        assert not isinstance(taken.value, ForbiddenError)
    with pytest.raises(ForbiddenError, match="RES-007"):
        take_inventory(watcher, "data-ledger", "ledger-frankfurt-1", "ledger")
    psql = ["psql", "--no-psqlrc", "--tuples-only", "--no-align", "--quiet", "--command"]
    for word in (
        ["sh"],
        ["env"],
        [*psql, "SELECT * FROM pg_authid", "postgres"],
        ["cat", "/controller/certificates/x"],
    ):
        assert said(watcher, "data-ledger", "postgres", word) == "RES-007"
        assert said(drift, "data-ledger", "postgres", word) == "RES-007"
        assert said(operator, "data-ledger", "postgres", word) == ""
    assert {source.name for source in SOURCES} == {"payments", "shop"}
    for namespace, command in (
        ("payments", ["shop", "metrics", "8001"]), ("shop", ["shop", "metrics", "8000"]),
        ("payments", ["shop", "reconcile", "--days", "14"]), ("shop", ["shop", "reconcile-orders", "--days", "1"]),
        ("shop", ["shop", "unsettled"]),
    ):  # fmt: skip
        assert said(watcher, namespace, namespace, command) == "", command
        assert said(drift, namespace, namespace, command) == "RBAC"
    for namespace, command in (
        ("payments", ["shop", "migrate", "ledger"]), ("shop", ["shop", "metrics", "8001"]),
        ("shop", ["shop", "reconcile-orders", "--days", "1; env"]), ("shop", ["shop", "unsettled", "--x"]),
        ("shop", ["env"]), ("payments", ["sh", "-c", "env"]),
    ):  # fmt: skip
        assert said(watcher, namespace, namespace, command) == "RES-007", command
    assert said(watcher, "gateway", "gateway", ["env"]) == "RBAC"


@pytest.mark.requirement("who only looks runs what it has to ask in a pod, and nothing else")
def test_nothing_is_read_from_its_input(with_pods: KubeApi) -> None:
    with pytest.raises(ForbiddenError, match="RES-007"):
        with_pods.cluster(str(Role.WATCH)).converse("data-ledger", "ledger-frankfurt-1", "postgres", [*ABOUT_VOLUMES])


@pytest.mark.requirement("up deploys a whole site, and is no administrator of its cluster")
def test_up_takes_all_of_it_away(with_pods: KubeApi, site: Sequence[Document]) -> None:
    up = with_pods.cluster(str(Role.UP))
    for each in reversed([*manifests(POLICIES), *site]):
        up.delete(path_of(each))
