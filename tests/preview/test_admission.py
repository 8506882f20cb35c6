"""A site's admission policies on a real API server: they compile, its own objects pass, what breaks a rule does not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from admission_case import TEMPLATE, Document, declared_of, planted
from admitted_objects import ADMITTED
from admitting_api import applied, create, in_force, pod, verdict, whole
from kube_api import DEPLOYER, KubeApi, api_with_databases
from refused_at_site import REFUSED_AT_SITE
from refused_objects import REFUSED
from site_graph import build
from test_drift import as_exported
from test_policies_on_graphs import resources_of

from policies.admission.declared_images import committed_configuration, declared_images, has_event_log
from policies.admission.kinds import OPERATOR
from policies.admission.language import manifests
from policies.admission.site_policies import site_policies
from shopsphere.drift.declared import declared_objects
from shopsphere.estate.stack import Environment
from shopsphere.foundation.clock import wait_until
from shopsphere.topology import load_topology

SITE, STACK = "frankfurt", "lab-frankfurt"
MODEL = load_topology(environment="lab")
CONFIG = committed_configuration(MODEL, SITE, Environment.LAB)
POLICIES = site_policies(MODEL, SITE, Environment.LAB, declared_images(CONFIG), event_log=has_event_log(CONFIG))
REPLICA_SETS = "system:serviceaccount:kube-system:replicaset-controller"
JOBS = "system:serviceaccount:kube-system:job-controller"
ORDER = ("Namespace", "PriorityClass", "StorageClass", "PersistentVolume")
AS_FILLED_IN: dict[str, Any] = {
    "monitoring": {
        "customQueriesConfigMap": [{"key": "queries", "name": "cnpg-default-monitoring"}],
        "disableDefaultQueries": False,
        "enablePodMonitor": False,
    },
    "parameters": {
        "archive_mode": "off",
        "archive_timeout": "5min",
        "dynamic_shared_memory_type": "posix",
        "full_page_writes": "on",
        "log_destination": "csvlog",
        "log_directory": "/controller/log",
        "logging_collector": "on",
        "shared_preload_libraries": "",
        "ssl_max_protocol_version": "TLSv1.3",
        "ssl_min_protocol_version": "TLSv1.3",
        "wal_level": "logical",
        "wal_log_hints": "on",
    },
}
"""What CloudNativePG 1.30's webhook wrote into the lab's ledger-frankfurt; there is no webhook here."""
INSTANCE = {
    "containers": [{"name": "postgres", "image": "localhost/shopsphere/postgresql:15.18-1"}],
    "nodeSelector": {"shopsphere.io/site": SITE},
}


@pytest.fixture(scope="module")
def declared() -> dict[tuple[str, str], Mapping[str, Any]]:
    """What Frankfurt's stack declares, as the cases name it."""
    return declared_of(resources_of(build("rdc-a", STACK), STACK))


@pytest.fixture(scope="module")
def site() -> list[Document]:
    """The same as documents for the API server, in the order in which a deployment makes them."""
    resources = [
        {"type": each.type, "custom": True, "inputs": as_exported(each.state), "outputs": {}}
        for each in build("rdc-a", STACK).objects
        if each.kind != "kubernetes" and "admissionregistration" not in each.type
    ]
    found = declared_objects({"deployment": {"resources": resources}})
    documents = [{"apiVersion": each.version, "kind": each.kind, **each.body} for each in found]
    return sorted(documents, key=lambda each: each["kind"] not in ORDER)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, site: Sequence[Document]) -> Iterator[KubeApi]:
    """An API server that applies the policies, with the namespaces of the site."""
    with api_with_databases(tmp_path_factory.mktemp("kube")) as started:
        started.check_types()
        applied(started, manifests(POLICIES))
        in_force(started)
        applied(started, [each for each in site if each["kind"] == "Namespace"])
        for namespace in ("shop", "data-ledger"):
            account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
            create(started, account, namespace=namespace, user=OPERATOR, dry_run=False)
        yield started


def test_every_policy_compiles_and_its_types_fit(api: KubeApi) -> None:
    def looked_at() -> bool:
        found = [each.get("status", {}) for each in live()]
        return all(each.get("observedGeneration") for each in found)

    def live() -> list[Document]:
        listed: list[Document] = json.loads(
            api.kubectl("get", "validatingadmissionpolicies", "-o", "json", context=DEPLOYER).stdout
        )["items"]
        return listed

    wait_until(looked_at, what="the type checker", seconds=60, interval=0.5)
    warnings = {
        each["metadata"]["name"]: each["status"].get("typeChecking", {}).get("expressionWarnings") for each in live()
    }
    assert set(warnings) == {each.full_name for each in POLICIES}
    assert {name: told for name, told in warnings.items() if told} == {}


@pytest.mark.requirement("what breaks a rule is refused by the site's own API server, whoever sends it")
@pytest.mark.parametrize("name", [*REFUSED, *REFUSED_AT_SITE])
def test_the_api_server_refuses_by_the_rule_that_was_named(
    api: KubeApi, declared: Mapping[tuple[str, str], Mapping[str, Any]], name: str
) -> None:
    case = {**REFUSED, **REFUSED_AT_SITE}[name]
    assert verdict(api, case.document(declared)) == case.rule


@pytest.mark.parametrize("name", ADMITTED)
def test_the_api_server_lets_in_what_nothing_is_against(
    api: KubeApi, declared: Mapping[tuple[str, str], Mapping[str, Any]], name: str
) -> None:
    assert verdict(api, ADMITTED[name].document(declared)) == ""


@pytest.mark.requirement("what operators and controllers make is judged too")
def test_what_operators_make_is_judged(api: KubeApi) -> None:
    pods: dict[str, tuple[str, Document]] = {
        "an instance": ("", INSTANCE),
        "on other nodes": ("RES-003", {**INSTANCE, "nodeSelector": {"shopsphere.io/site": "dublin"}}),
        "of a public registry": ("SEC-002", {"containers": [{"name": "a", "image": "ghcr.io/us/a:1"}]}),
        "names asked elsewhere": ("RES-007", {**INSTANCE, "dnsConfig": {"nameservers": ["198.51.100.7"]}}),
    }
    for name, (rule, spec) in pods.items():
        assert verdict(api, pod(spec), user=OPERATOR) == rule, name
        assert verdict(api, pod(spec), user=REPLICA_SETS) == rule, name
    assert verdict(api, pod(INSTANCE)) == "RES-007", "nobody else makes pods"
    unlabelled = pod(INSTANCE, {"cnpg.io/jobRole": "initdb"})
    assert verdict(api, unlabelled, user=OPERATOR) == "RES-001"
    owner = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "name": "ledger-frankfurt-1-initdb",
        "uid": "0",
        "controller": True,
    }
    of_a_job = {**unlabelled, "metadata": {**unlabelled["metadata"], "ownerReferences": [owner]}}
    assert verdict(api, of_a_job, user=JOBS) == "", "the operator's jobs label no pods"


def test_nobody_puts_a_program_beside_one_that_runs(api: KubeApi) -> None:
    assert create(api, pod(INSTANCE), user=OPERATOR, dry_run=False) == ""
    words = (
        "debug",
        "pod/planted",
        "--namespace=data-ledger",
        "--image=registry.example/tap:1",
        "--profile=restricted",
    )
    assert "RES-007" in api.kubectl(*words, check=False).stderr
    image = ("set", "image", "pod/planted", "postgres=registry.example/tap:1", "--namespace=data-ledger")
    assert "RES-007" in api.kubectl(*image, check=False).stderr
    note = ("annotate", "pod/planted", "--namespace=data-ledger", "checked=yes")
    assert api.kubectl(*note, check=False).stderr == ""


def test_claims_of_operators_are_judged(api: KubeApi) -> None:
    def claim(storage_class: str, wanted: str) -> Document:
        return planted(
            "v1", "PersistentVolumeClaim", "data-ledger", "payment",
            spec={
                "storageClassName": storage_class, "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}},
                "selector": {"matchLabels": {"shopsphere.io/data-class": wanted}},
            },
        )  # fmt: skip

    assert verdict(api, claim("frankfurt-pinned", "payment"), user=OPERATOR) == ""
    assert verdict(api, claim("frankfurt-pinned", "payment")) == "RES-007"
    assert verdict(api, claim("dublin-pinned", "payment"), user=OPERATOR) == "RES-005"
    assert verdict(api, claim("frankfurt-pinned", "public"), user=OPERATOR) == "RES-009"


def test_what_the_operator_adds_to_a_cluster_is_let_in(
    api: KubeApi, declared: Mapping[tuple[str, str], Mapping[str, Any]]
) -> None:
    cluster = whole(declared["Cluster", "ledger-frankfurt"])
    cluster["spec"]["monitoring"] = AS_FILLED_IN["monitoring"]
    cluster["spec"]["postgresql"]["parameters"] |= AS_FILLED_IN["parameters"]
    assert verdict(api, cluster) == ""
    cluster["spec"]["postgresql"]["parameters"]["shared_preload_libraries"] = "sender"
    assert verdict(api, cluster) == "RES-011"


def test_a_field_from_before_hinders_no_change_of_a_database(
    api: KubeApi, declared: Mapping[tuple[str, str], Mapping[str, Any]]
) -> None:
    """A failover changes a database's document, and must not fail because of what was in it before."""
    cluster = whole(declared["Cluster", "ledger-frankfurt"])
    cluster["spec"]["env"] = [{"name": "A", "value": "b"}]
    cluster["spec"]["imageName"] = "registry.example/postgresql:15"
    cluster["metadata"]["annotations"]["cnpg.io/podPatch"] = "[]"
    binding = "shopsphere-database-fields"
    api.kubectl("delete", "validatingadmissionpolicybindings", binding, context=DEPLOYER)
    wait_until(lambda: create(api, cluster, dry_run=False) == "", what="the binding's end", seconds=120, interval=0.5)
    applied(api, manifests(POLICIES))

    def said(patch: Mapping[str, Any]) -> str:
        change = ("patch", "cluster", "ledger-frankfurt", "--namespace=data-ledger", "--type=merge", "--dry-run=server")
        return api.kubectl(*change, f"--patch={json.dumps(patch)}", check=False).stderr

    more = {"spec": {"env": [{"name": "A", "value": "c"}]}}
    wait_until(lambda: "RES-007" in said(more), what="the binding", seconds=120, interval=0.5)
    assert said({"spec": {"replica": {"primary": "ledger-dublin"}}}) == ""
    assert "RES-007" in said({"metadata": {"annotations": {"cnpg.io/podPatch": "[{}]"}}})
    assert "SEC-002" in said({"spec": {"imageName": "registry.example/postgresql:16"}})
    assert said({"spec": {"env": None}, "metadata": {"annotations": {"cnpg.io/podPatch": None}}}) == ""
    api.kubectl("delete", "cluster", "ledger-frankfurt", "--namespace=data-ledger")


def test_the_clusters_own_programs_are_not_judged(api: KubeApi) -> None:
    system = planted("apps/v1", "DaemonSet", "kube-system", spec={
        "selector": {"matchLabels": {"app.kubernetes.io/name": "planted"}},
        "template": {**TEMPLATE, "spec": {**TEMPLATE["spec"], "hostNetwork": True}},
    })  # fmt: skip
    assert verdict(api, system) == ""
    assert verdict(api, {**system, "metadata": {**system["metadata"], "namespace": "default"}}) == "RES-007"


@pytest.mark.requirement("a first deployment and an update of a site pass its own admission policies")
def test_a_whole_site_is_deployed_and_deployed_again(api: KubeApi, site: Sequence[Document]) -> None:
    for _ in range(2):
        applied(api, site)
    kinds = {each["kind"] for each in site}
    assert kinds >= {
        "Namespace",
        "StorageClass",
        "PersistentVolume",
        "Deployment",
        "Service",
        "NetworkPolicy",
        "Cluster",
    }
    lowered = next(
        each for each in whole(site) if each["kind"] == "Namespace" and each["metadata"]["name"] == "payments"
    )
    lowered["metadata"]["labels"]["shopsphere.io/data-class"] = "public"
    assert verdict(api, lowered, verb="replace") == "RES-009"
    away = '{"metadata":{"labels":{"shopsphere.io/data-class":null}}}'
    said = api.kubectl("label", "deployment", "shop", "shopsphere.io/site-", "--namespace=shop", check=False).stderr
    assert "RES-001" in said
    said = api.kubectl("patch", "pv", "frankfurt-v1", f"--patch={away}", check=False).stderr
    assert "RES-001" in said


def test_what_is_being_deleted_can_end(api: KubeApi) -> None:
    """An object from before the policies, with a finalizer, is deleted; what it was is nobody's question."""
    bad = planted("v1", "PersistentVolume", "", spec={
        "storageClassName": "frankfurt-pinned", "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"],
        "nfs": {"server": "198.51.100.7", "path": "/"},
    })  # fmt: skip
    bad["metadata"] |= {"finalizers": ["shopsphere.io/test"], "name": "from-before"}
    api.kubectl("delete", "validatingadmissionpolicybindings", "shopsphere-volumes", context=DEPLOYER)
    wait_until(lambda: create(api, bad, dry_run=False) == "", what="the binding's end", seconds=120, interval=0.5)
    applied(api, manifests(POLICIES))
    change = ("patch", "pv", "from-before", "--type=merge")
    touched = '--patch={"metadata":{"annotations":{"a":"b"}}}'
    wait_until(
        lambda: "RES-005" in api.kubectl(*change, "--dry-run=server", touched, check=False).stderr,
        what="the binding", seconds=120, interval=0.5,
    )  # fmt: skip
    api.kubectl("delete", "pv", "from-before", "--wait=false")
    api.kubectl(*change, '--patch={"metadata":{"finalizers":null}}')
    assert "NotFound" in api.kubectl("get", "pv", "from-before", check=False).stderr


@pytest.mark.requirement("an instance is let lead inside a site only if it has every acknowledged payment")
def test_an_instance_that_may_lack_payments_is_not_let_lead(
    api: KubeApi, declared: Mapping[tuple[str, str], Mapping[str, Any]]
) -> None:
    first, second, third = (f"ledger-frankfurt-{number}" for number in (1, 2, 3))
    copies = "shopsphere.io/complete-copies"
    both = {"number": 2, "maxStandbyNamesFromCluster": 1, "standbyNamesPre": ["ledger-dublin"]}

    def change(changes: Document, *words: str) -> str:
        named = ("cluster.postgresql.cnpg.io", "ledger-frankfurt", "--namespace=data-ledger", "--type=merge")
        patch = json.dumps(changes)
        done = api.kubectl("patch", *named, *words, f"--patch={patch}", context=DEPLOYER, check=False)
        assert done.code == 0 or "ADR-045: " in done.stderr, done.stderr
        return "" if done.code == 0 else "refused"

    def lead(name: str, **more: str) -> str:
        return change({"status": {"targetPrimary": name, **more}}, "--subresource=status")

    api.kubectl("delete", "cluster", "ledger-frankfurt", "--namespace=data-ledger", "--ignore-not-found")  # another's
    assert create(api, declared["Cluster", "ledger-frankfurt"], dry_run=False) == ""
    assert lead(first, currentPrimary=first) == "", "the first one of a new cluster"
    assert [lead("pending"), lead(second)] == ["refused", "refused"]
    assert change({"metadata": {"annotations": {copies: second}}}) == ""
    assert lead("pending") == "refused", "the ledger does not wait for it"
    assert change({"spec": {"postgresql": {"synchronous": both}}}) == ""
    for named, said in ((None, "refused"), (second, "")):
        assert change({"metadata": {"annotations": {copies: named}}}) == ""
        assert [lead("pending"), lead(first)] == [said, ""], "the old one is not ended while none is named"
    assert [lead("pending"), lead(third), lead(second), lead(first)] == ["", "refused", "", ""]
    for names, said in (([first, second, third], "refused"), ([first, second], "")):
        assert change({"status": {"instanceNames": names}}, "--subresource=status") == ""
        assert [lead(second), lead(first)] == [said, ""], "of two others, the one that is ready is waited for"
    assert change({"spec": {"postgresql": {"synchronous": {"number": 1}}}}) == ""
    assert lead(second) == "refused", "one of the two is enough for a payment"
    assert lead(first, phase="healthy") == "", "the operator goes on writing what it sees"
    assert change({"spec": {"replica": {"primary": "ledger-dublin"}}}) == ""
    assert lead(second) == "", "a site that follows takes no payments"


@pytest.mark.requirement("an instance that is just being promoted is not taken for one that is behind, and replaced")
def test_nobody_replaces_what_is_being_promoted(
    api: KubeApi, declared: Mapping[tuple[str, str], Mapping[str, Any]]
) -> None:
    first, second = (f"commerce-frankfurt-{number}" for number in (1, 2))

    def change(changes: Document, *words: str) -> str:
        named = ("cluster.postgresql.cnpg.io", "commerce-frankfurt", "--namespace=data-commerce", "--type=merge")
        patch = json.dumps(changes)
        done = api.kubectl("patch", *named, *words, f"--patch={patch}", context=DEPLOYER, check=False)
        assert done.code == 0 or "ADR-065: " in done.stderr, done.stderr
        return "" if done.code == 0 else "refused"

    def lead(name: str, at: str = "", **more: str) -> str:
        chosen = {"targetPrimary": name, **({"targetPrimaryTimestamp": at} if at else {}), **more}
        return change({"status": chosen}, "--subresource=status")

    def told(at: str | None) -> str:
        return change({"metadata": {"annotations": {"shopsphere.io/told-to-lead": at}}})

    api.kubectl("delete", "cluster", "commerce-frankfurt", "--namespace=data-commerce", "--ignore-not-found")
    assert create(api, declared["Cluster", "commerce-frankfurt"], dry_run=False) == ""
    assert lead(first, "2027-03-01T12:00:00.000000Z", currentPrimary=first) == ""
    assert [lead("pending", "2027-03-01T12:00:03.5Z"), lead(first)] == ["", ""], "it was never told to lead"
    assert told("2027-03-01T12:00:00Z") == ""
    for at in ("2027-03-01T12:00:00.003Z", "2027-03-01T12:00:09.999999Z", "2027-03-01T11:59:58Z"):
        assert [lead("pending", at), lead(second, at)] == ["refused", "refused"], at
        assert lead(first, at, phase="healthy") == "", "the operator goes on writing what it sees"
    for at in ("2027-03-01T12:00:10Z", "2027-03-01T12:07:00.25Z", "2027-03-01T11:59:57.9Z"):
        assert [lead("pending", at), lead(second, at), lead(first, at)] == ["", "", ""], at
    at = "2027-03-01T12:00:03Z"
    assert [lead("pending", "2027-03-01T11:59:50Z"), lead(second, at), lead(first, at)] == ["", "", ""], "under way"
    for nothing in ("soon", "2027-03-01 12:00:00", ""):
        assert [told(nothing), lead("pending", at), lead(first, at)] == ["", "", ""], nothing
    assert told(None) == ""
    assert lead(second, "2027-03-01T12:00:01Z") == ""
