"""Watchers, drift, operators and `up` at a real API server: RBAC lets each do its work, and nothing that leads to more.

What each has to do and may not is written by hand here, and asked as SelfSubjectAccessReview; then the programs' own
functions ask.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from admitting_api import applied
from kube_api import KubeApi, api_with_databases

from policies.admission.printed import rights
from runbooks.permit import NOBODY, Permit, write_permit
from runbooks.project_secrets import secrets_of
from runbooks.site_database import SiteDatabase
from shopsphere.clients.cluster import PART_OF, Cluster
from shopsphere.clients.cluster_errors import Asker, ClusterError, ForbiddenError
from shopsphere.clients.host_rules import ask_rules, hosts_of
from shopsphere.clients.postgres import ask_instance
from shopsphere.deploy.verification import site_problems
from shopsphere.drift.live import look
from shopsphere.estate.cluster_rights import bindings_in, namespaces_of, way_in_for_up
from shopsphere.estate.cluster_role import Role, namespace_binding
from shopsphere.estate.databases import DATABASES, LEDGER
from shopsphere.estate.event_log_site import SITE_WITH_BROKER
from shopsphere.estate.kubectl_line import SiteKubectl
from shopsphere.estate.ready_workloads import ready_workloads
from shopsphere.estate.stack import Environment
from shopsphere.foundation.clock import wait_until
from shopsphere.status.sites import site_facts
from shopsphere.topology import load_topology

SITE = "frankfurt"
MODEL = load_topology(environment="lab")
OWN = namespaces_of(MODEL, SITE, event_log=True)
CNPG, RBAC, POLICIES = "postgresql.cnpg.io", "rbac.authorization.k8s.io", "admissionregistration.k8s.io"
Right = tuple[str, str, str] | tuple[str, str, str, str]
"""Verb, `group/kind:part` with the group left out where it has no name, namespace (empty: all of them), name."""

WITH_EVENT_LOG = ready_workloads(SITE_WITH_BROKER, archived=True)
LOOKING: list[Right] = [
    ("list", "nodes", ""), ("list", "pods", ""), ("list", "persistentvolumes", ""), ("list", "resourcequotas", ""),
    ("list", "apps/deployments", ""), ("list", "apps/statefulsets", ""), ("list", f"{CNPG}/clusters", ""),
    ("get", f"{CNPG}/clusters", "data-ledger", "ledger-frankfurt"),
    ("list", "pods", "shop"), ("get", "pods", "data-ledger", "ledger-frankfurt-1"),
]  # fmt: skip
HAS_TO: dict[Role, list[Right]] = {
    Role.WATCH: [
        *LOOKING,
        *((verb, "pods:exec", each) for verb in ("get", "create")
          for each in ("data-commerce", "data-ledger", "shop", "payments")),
    ],
    Role.DRIFT: [
        *((verb, kind, "") for verb in ("list", "watch") for kind in (
            "namespaces", "configmaps", "services", "pods", "apps/deployments", "apps/daemonsets", f"{RBAC}/roles",
            f"{RBAC}/clusterrolebindings", f"{POLICIES}/validatingadmissionpolicies", f"{CNPG}/clusters",
            "networking.k8s.io/networkpolicies", "discovery.k8s.io/endpointslices")),
        *((verb, "secrets", each) for verb in ("list", "watch") for each in OWN),
        ("create", "pods:exec", "data-ledger"), ("create", "pods:exec", "data-commerce"),
        ("list", "nodes", ""), ("get", "nodes:proxy", "", "http:frankfurt:8405"),
    ],
    Role.OPERATE: [
        *LOOKING, ("list", "batch/jobs", ""),
        *(("list", "secrets", each) for each in OWN),
        *(("create", "pods:exec", each) for each in ("data-commerce", "data-ledger", "shop", "payments")),
        *((verb, f"{CNPG}/clusters", "data-ledger", "ledger-frankfurt") for verb in ("patch", "delete", "create")),
        *((verb, f"{CNPG}/clusters", "data-commerce", "commerce-frankfurt") for verb in ("patch", "delete", "create")),
        ("list", "persistentvolumeclaims", "data-ledger"),
        *((verb, "configmaps", "data-ledger") for verb in ("get", "create", "patch")),
    ],
    Role.UP: [
        *(each for each in LOOKING if each[1] != "resourcequotas"),
        ("list", "batch/jobs", ""), ("list", "apps/daemonsets", ""),
        ("list", "apiextensions.k8s.io/customresourcedefinitions", ""),
        *((verb, "namespaces", "", "shop") for verb in ("get", "create", "patch", "delete")),
        *((verb, "secrets", "shop") for verb in ("get", "create", "patch", "delete")),
        *((verb, kind, each) for verb in ("create", "patch", "delete") for each in ("shop", "data-ledger") for kind in (
            "configmaps", "services", "apps/deployments", "batch/jobs", "networking.k8s.io/networkpolicies",
            "policy/poddisruptionbudgets", "autoscaling/horizontalpodautoscalers", f"{RBAC}/rolebindings",
            f"{CNPG}/clusters", "resourcequotas", "limitranges")),
        ("bind", f"{RBAC}/clusterroles", "data-ledger", "shopsphere:agent-in-databases"),
        ("bind", f"{RBAC}/clusterroles", "shop", "shopsphere:watch-in-pods"),
        ("patch", f"{POLICIES}/validatingadmissionpolicies", "", "shopsphere-administrators"),
        ("patch", "storage.k8s.io/storageclasses", "", "frankfurt-pinned"),
        ("patch", "scheduling.k8s.io/priorityclasses", "", "shopsphere-databases"),
        ("create", "nodes:proxy", "", "http:frankfurt:8405"),
    ],
}  # fmt: skip

CHANGES = ("create", "update", "patch", "delete", "deletecollection")
NOBODY_MAY: list[Right] = [
    ("get", "secrets", "kube-system"), ("list", "secrets", "kube-system"), ("list", "secrets", ""),
    ("get", "secrets", "others"), ("list", "secrets", "others"), ("watch", "secrets", "cnpg-system"),
    ("create", "pods:exec", "kube-system"), ("create", "pods:exec", "cnpg-system"), ("create", "pods:exec", "others"),
    ("get", "pods:exec", ""), ("create", "pods:exec", "gateway"), ("create", "pods:attach", "data-ledger"),
    ("create", "pods:portforward", "data-ledger"), ("get", "pods:proxy", "data-ledger"),
    ("update", "pods:ephemeralcontainers", "shop"), ("create", "pods", "shop"), ("delete", "pods", "shop"),
    ("create", "serviceaccounts:token", "shop"), ("create", "serviceaccounts", "shop"),
    ("impersonate", "users", ""), ("impersonate", "groups", ""), ("impersonate", "serviceaccounts", "kube-system"),
    ("escalate", f"{RBAC}/clusterroles", ""), ("bind", f"{RBAC}/clusterroles", ""),
    ("bind", f"{RBAC}/clusterroles", "shop", "cluster-admin"),
    ("bind", f"{RBAC}/clusterroles", "shop", "shopsphere:up-in-namespaces"),
    ("bind", f"{RBAC}/clusterroles", "kube-system", "shopsphere:agent-in-databases"),
    *((verb, f"{RBAC}/{kind}", "") for verb in CHANGES for kind in ("clusterroles", "clusterrolebindings")),
    *((verb, f"{RBAC}/roles", "shop") for verb in CHANGES),
    *((verb, f"{RBAC}/rolebindings", each) for verb in CHANGES for each in ("kube-system", "others", "cnpg-system")),
    ("patch", f"{POLICIES}/validatingadmissionpolicies", "", "others"),
    ("delete", f"{POLICIES}/validatingadmissionpolicybindings", "", "others"),
    ("deletecollection", f"{POLICIES}/validatingadmissionpolicies", ""),
    *((verb, f"{POLICIES}/{kind}", "") for verb in CHANGES for kind in (
        "validatingwebhookconfigurations", "mutatingwebhookconfigurations", "mutatingadmissionpolicies")),
    ("delete", "namespaces", "", "kube-system"), ("delete", "namespaces", "", "others"), ("delete", "namespaces", ""),
    *((verb, "persistentvolumeclaims", each) for verb in CHANGES for each in ("data-ledger", "others")),
    *((verb, "nodes", "") for verb in CHANGES),
    ("get", "nodes:proxy", ""), ("get", "nodes:proxy", "", "frankfurt"),
    ("get", "nodes:proxy", "", "https:frankfurt:10250"), ("create", "nodes:proxy", "", "frankfurt"),
    ("approve", "certificates.k8s.io/signers", ""), ("create", "certificates.k8s.io/certificatesigningrequests", ""),
    ("patch", f"{CNPG}/clusters:status", "data-ledger"), ("create", f"{CNPG}/backups", "data-ledger"),
    *((verb, "apiextensions.k8s.io/customresourcedefinitions", "") for verb in CHANGES),
]  # fmt: skip
CHANGED = ("secrets", "configmaps", "services", "apps/deployments", "networking.k8s.io/networkpolicies")
MAY_NOT: dict[Role, list[Right]] = {
    Role.WATCH: [
        *((verb, "secrets", each) for verb in ("get", "list", "watch") for each in OWN),
        *((verb, kind, "shop") for verb in CHANGES for kind in CHANGED),
        *((verb, f"{CNPG}/clusters", "data-ledger", "ledger-frankfurt") for verb in CHANGES),
        *((verb, f"{RBAC}/rolebindings", "data-ledger") for verb in CHANGES),
        ("list", "configmaps", "data-ledger"), ("get", "configmaps", "shop"), ("get", "pods:log", "shop"),
        ("get", "nodes:proxy", "", "http:frankfurt:8405"), ("delete", "namespaces", "", "shop"),
        ("patch", f"{POLICIES}/validatingadmissionpolicies", "", "shopsphere-administrators"),
        ("create", "persistentvolumes", ""),
    ],
    Role.DRIFT: [
        ("get", "secrets", "shop"), ("create", "pods:exec", "shop"), ("create", "pods:exec", "payments"),
        *((verb, kind, "shop") for verb in CHANGES for kind in CHANGED),
        *((verb, f"{CNPG}/clusters", "data-ledger", "ledger-frankfurt") for verb in CHANGES),
        *((verb, f"{RBAC}/rolebindings", "data-ledger") for verb in CHANGES),
        ("create", "nodes:proxy", "", "http:frankfurt:8405"), ("get", "pods:log", "shop"),
        ("patch", f"{POLICIES}/validatingadmissionpolicies", "", "shopsphere-administrators"),
        ("delete", "namespaces", "", "shop"), ("patch", "persistentvolumes", ""),
    ],
    Role.OPERATE: [
        *((verb, "secrets", each) for verb in ("get", "watch", *CHANGES) for each in ("shop", "data-ledger")),
        *((verb, kind, "shop") for verb in CHANGES for kind in CHANGED),
        ("create", "pods:exec", "gateway"), ("create", "pods:exec", "archive-ledger"), ("get", "pods:log", "payments"),
        ("delete", f"{CNPG}/clusters", "data-ledger", "commerce-frankfurt-2"),
        ("patch", f"{CNPG}/clusters", "data-ledger", "others"), ("update", f"{CNPG}/clusters", "data-ledger"),
        ("delete", "configmaps", "data-ledger"), ("patch", "configmaps", "shop"), ("create", "configmaps", "gateway"),
        *((verb, f"{RBAC}/rolebindings", "data-ledger") for verb in CHANGES),
        ("delete", "namespaces", "", "data-ledger"), ("patch", "persistentvolumes", ""),
        ("get", "nodes:proxy", "", "http:frankfurt:8405"),
        ("patch", f"{POLICIES}/validatingadmissionpolicies", "", "shopsphere-administrators"),
    ],
    Role.UP: [
        *((verb, kind, each) for verb in CHANGES for each in ("kube-system", "others", "") for kind in CHANGED),
        *(("create", "pods:exec", each) for each in OWN),
        ("patch", "namespaces", "", "others"), ("patch", "namespaces", "", "kube-system"),
        ("create", f"{CNPG}/clusters", "others"), ("patch", "scheduling.k8s.io/priorityclasses", "", "others"),
        ("patch", "storage.k8s.io/storageclasses", "", "others"), ("deletecollection", "secrets", "shop"),
        ("get", f"{RBAC}/clusterroles", ""), ("create", "pods", "data-ledger"),
    ],
}  # fmt: skip


def document(version: str, kind: str, name: str, namespace: str = "", **fields: Any) -> dict[str, Any]:
    where = {"namespace": namespace} if namespace else {}
    labels = {"app.kubernetes.io/part-of": "shopsphere"}
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "labels": labels, **where}, **fields}


def database(name: str, namespace: str) -> dict[str, Any]:
    spec = {"instances": 1, "storage": {"size": "1Gi"}}
    return document(f"{CNPG}/v1", "Cluster", name, namespace, spec=spec)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubeApi]:
    """With what an owner applies, with what Frankfurt's stack binds, and with something to look at."""
    identities = {str(role): role.group for role in Role}
    with api_with_databases(tmp_path_factory.mktemp("roles"), identities) as started:
        others = [document("v1", "Namespace", name) for name in ("others", "cnpg-system")]
        bound = [
            namespace_binding(each.name, namespace, each.role, each.group)
            for each, namespace in bindings_in(OWN, of_pair=True)
        ]
        container = {"name": "postgres", "image": "postgres"}
        looked_at = [
            document("v1", "Node", SITE),
            *(database(each.cluster(SITE), each.namespace.name) for each in DATABASES),
            *(
                document(
                    "v1", "Pod", f"{each.cluster(SITE)}-1", each.namespace.name,
                    spec={"nodeName": SITE, "containers": [container], "automountServiceAccountToken": False},
                )
                for each in DATABASES
            ),
            *(document("v1", "Secret", "kept", each, stringData={"password": "x"}) for each in (*OWN, "others")),
        ]  # fmt: skip
        accounts = [document("v1", "ServiceAccount", "default", each.namespace.name) for each in DATABASES]
        wanted = rights(MODEL, SITE, Environment.LAB)
        applied(started, [*others, *wanted, *way_in_for_up(MODEL, SITE, event_log=True), *bound])
        applied(started, [*accounts, *looked_at])
        yield started


def asking(api: KubeApi, role: Role) -> Cluster:
    return api.cluster(str(role), asker=Asker(str(role), f"/keys/{role}.yaml ({role.key})", SITE, "lab"))


def may(cluster: Cluster, right: Right) -> bool:
    verb, what, namespace, *named = right
    group, _, kind = what.rpartition("/")
    resource, _, part = kind.partition(":")
    asked = {
        "verb": verb, "group": group, "resource": resource, "subresource": part, "namespace": namespace,
        "name": named[0] if named else "",
    }  # fmt: skip
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview"}
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    answer = cluster.create(path, {**body, "spec": {"resourceAttributes": asked}})
    return bool(answer["status"]["allowed"])


def allowed(api: KubeApi, role: Role, asked: Sequence[Right]) -> list[Right]:
    cluster = asking(api, role)
    return [each for each in asked if may(cluster, each)]


@pytest.mark.requirement("watchers, drift, operators and up are no administrators of a site's cluster")
@pytest.mark.parametrize("role", list(Role))
def test_each_may_do_its_work(api: KubeApi, role: Role) -> None:
    there = allowed(api, role, HAS_TO[role])
    assert [each for each in HAS_TO[role] if each not in there] == []


@pytest.mark.requirement("watchers, drift, operators and up are no administrators of a site's cluster")
@pytest.mark.parametrize("role", list(Role))
def test_nothing_leads_to_more(api: KubeApi, role: Role) -> None:
    assert allowed(api, role, [*NOBODY_MAY, *MAY_NOT[role]]) == []
    assert len(MAY_NOT[role]) >= 10


def is_refused(work: Any) -> bool:
    """Whether a right is missing; whatever else goes wrong is that there is no kubelet, agent or database here."""
    try:
        work()
    except ForbiddenError:
        return True
    except ClusterError:
        return False
    return False


@pytest.mark.requirement("watchers, drift, operators and up are no administrators of a site's cluster")
def test_a_watcher_looks_at_a_site(api: KubeApi) -> None:
    watcher = asking(api, Role.WATCH)
    facts = site_facts(MODEL, SITE, watcher, SiteKubectl("/kubeconfig", SITE), WITH_EVENT_LOG)
    assert (facts.nodes.total, facts.pods.total) == (1, 2)
    assert [each.problem for each in facts.databases if "forbidden" in each.problem] == []
    assert not is_refused(lambda: ask_instance(watcher, "data-ledger", "ledger-frankfurt-1"))
    assert not is_refused(lambda: watcher.converse("data-ledger", "ledger-frankfurt-1", "postgres", ["psql"]))
    assert is_refused(lambda: ask_instance(watcher, "gateway", "gateway-1"))
    assert is_refused(lambda: secrets_of(watcher.items))
    assert is_refused(lambda: hosts_rules(watcher))


def hosts_rules(cluster: Cluster) -> None:
    ask_rules(cluster, SITE, 8405)


@pytest.mark.requirement("watchers, drift, operators and up are no administrators of a site's cluster")
def test_drift_sees_every_kind(api: KubeApi) -> None:
    drift = asking(api, Role.DRIFT)
    # A kind that was just defined is not served for a moment.
    wait_until(lambda: "429" not in str(look(drift, OWN).unreadable), what="all kinds", seconds=60, interval=1)
    seen = look(drift, OWN)
    assert seen.unreadable == {}
    assert {each.namespace for each in seen.lives if each.kind == "Secret"} == set(OWN)
    assert hosts_of(drift) == [SITE]
    assert not is_refused(lambda: hosts_rules(drift))
    assert is_refused(lambda: drift.items("/api/v1/secrets"))
    assert is_refused(lambda: drift.items("/api/v1/namespaces/others/secrets"))
    for kind in ("secrets", "pods"):
        next(iter(drift.lines(f"/api/v1/namespaces/shop/{kind}")))


@pytest.mark.requirement("watchers, drift, operators and up are no administrators of a site's cluster")
def test_an_operator_moves_and_replaces_databases(api: KubeApi) -> None:
    operator = asking(api, Role.OPERATE)
    found = SiteDatabase(LEDGER, SITE, operator)
    found.patch({"metadata": {"annotations": {"shopsphere.io/operators-lock": "me"}}})
    new = database("ledger-frankfurt", "data-ledger")
    collection = found.path.rpartition("/")[0]
    with suppress(ClusterError):
        operator.create(f"{collection}?dryRun=All", new)
    assert not is_refused(lambda: operator.create(f"{collection}?dryRun=All", new))
    operator.delete(found.path)
    operator.apply(found.path, new, manager="shopsphere-rebuild")
    operator.items("/api/v1/namespaces/data-ledger/persistentvolumeclaims")
    assert len(secrets_of(lambda path: operator.items(path, labelSelector=PART_OF), SITE_WITH_BROKER)) == len(OWN)
    permit = Permit(
        pair="rdc-a", epoch=3, active="dublin", session=NOBODY, actor="me", reason="drill", at=datetime.now(UTC)
    )
    write_permit(operator, permit)
    write_permit(operator, permit)
    assert not is_refused(lambda: ask_instance(operator, "data-commerce", "commerce-frankfurt-1"))
    assert is_refused(lambda: operator.delete(f"{collection}/others"))
    assert is_refused(lambda: operator.get("/api/v1/namespaces/shop/secrets/kept"))


def test_what_is_told_where_a_right_is_missing(api: KubeApi) -> None:
    with pytest.raises(ForbiddenError) as listing:
        asking(api, Role.WATCH).items("/api/v1/namespaces/shop/secrets")
    assert str(listing.value).splitlines() == [
        "watch: GET /api/v1/namespaces/shop/secrets: 403 Forbidden (secrets is forbidden: the role watch has not the "
        "right for that",
        '  expected: list resource "secrets" in API group "" in the namespace "shop"',
        '  found:    /keys/watch.yaml (shopsphere:kubeconfigs.watch), which asks as User "watch"',
        "  do:       `shopsphere policy rights frankfurt --environment lab` prints what each role may do, for the "
        "cluster's owner to apply; `up frankfurt` binds what is of its namespaces; or name the kubeconfig of that role",
    ]
    with pytest.raises(ForbiddenError, match=r'drift has not the right for that\n  expected: get resource "pods/exec"'):
        asking(api, Role.DRIFT).execute("shop", "shop-1", "shop", ["env"])


@pytest.mark.requirement("watchers, drift, operators and up are no administrators of a site's cluster")
def test_up_binds_what_it_may_in_its_own_namespaces(api: KubeApi) -> None:
    up = asking(api, Role.UP)

    def bind(namespace: str, role: str, group: str, name: str = "site-test") -> None:
        path = f"/apis/{RBAC}/v1/namespaces/{namespace}/rolebindings/{name}"
        up.apply(path, namespace_binding(name, namespace, role, group), manager="pulumi")

    assert site_problems(up, WITH_EVENT_LOG)
    bind("shop", "shopsphere:watch-in-pods", Role.WATCH.group)
    for namespace, role in (
        ("shop", "cluster-admin"), ("shop", "system:node"),
        ("data-ledger", "system:controller:generic-garbage-collector"),
        ("kube-system", "shopsphere:agent-in-databases"), ("others", "shopsphere:watch-in-pods"),
    ):  # fmt: skip
        assert is_refused(partial(bind, namespace, role, Role.UP.group)), (namespace, role)
    up.delete(f"/apis/{RBAC}/v1/namespaces/shop/rolebindings/site-test")
