"""Every question to a site's API server that programs ask stands in the table here, and its role has the right for it.

A new call fails this test, not an operator at night: write it into CALLS with who asks, and give the roles the right.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rbac_of_site import SITE, documents, is_allowed

from shopsphere.drift.kinds import KINDS
from shopsphere.estate.cluster_role import Role
from shopsphere.estate.role_rights import COMPARED, PRIORITIES
from shopsphere.foundation.paths import REPOSITORY

FOLDERS = ("runbooks", *(f"shopsphere/{name}" for name in ("clients", "deploy", "doctor", "drift", "status")), "cli")
OF_OTHERS = ("runbooks/agent", "runbooks/install")
"""Agents have roles of their own (ADR 50), and what installs files asks nobody."""
CHANGES = frozenset({"patch", "patch_steps", "apply", "create", "delete", "execute", "converse", "output_of", "feed"})

WATCH, DRIFT, OPERATE, UP = (Role.WATCH,), (Role.DRIFT,), (Role.OPERATE,), (Role.UP,)
LOOKS = (Role.WATCH, Role.OPERATE)
"""Whose checks the exporter and `ready` share."""
DATA, CLUSTERS = "data-ledger", "postgresql.cnpg.io:clusters"
LEDGER = f"ledger-{SITE}"
Wanted = tuple[tuple[Role, ...], tuple[tuple[str, ...], ...]]


def of(roles: tuple[Role, ...], *rights: tuple[str, ...]) -> Wanted:
    return roles, rights


PATCH: tuple[str, ...] = ("patch", CLUSTERS, DATA, LEDGER)
ENTER = (("get", "pods/exec", DATA), ("create", "pods/exec", DATA))
CALLS: dict[tuple[str, str], list[Wanted]] = {
    ("runbooks/cluster_change.py", "database.patch"): [of(OPERATE, PATCH)],
    ("runbooks/clicks_left.py", "cluster.execute"): [of(OPERATE, *ENTER)],
    ("runbooks/databases.py", "database.patch"): [of(OPERATE, PATCH)],
    ("runbooks/site_database.py", "self.cluster.patch"): [of(OPERATE, PATCH)],
    ("runbooks/copies.py", "/api/v1/namespaces/{}/persistentvolumeclaims"): [
        of(OPERATE, ("list", "persistentvolumeclaims", DATA))],
    ("runbooks/free_volume.py", "/api/v1/persistentvolumes"): [of(OPERATE, ("list", "persistentvolumes"))],
    ("runbooks/permit.py", "/api/v1/namespaces/{}/configmaps"): [of(OPERATE, ("get", "configmaps", DATA))],
    ("runbooks/permit.py", "cluster.create"): [of(OPERATE, ("create", "configmaps", DATA))],
    ("runbooks/permit.py", "cluster.patch"): [of(OPERATE, ("patch", "configmaps", DATA))],
    ("runbooks/project_secrets.py", "/api/v1/namespaces/{}/secrets"): [
        of(OPERATE, *(("list", "secrets", each) for each in (DATA, "shop", "gateway", "archive-ledger")))],
    ("runbooks/putting_in_place/instance.py", "self.cluster.execute"): [of(OPERATE, *ENTER)],
    ("runbooks/putting_in_place/instance.py", "self.cluster.feed"): [of(OPERATE, *ENTER)],
    ("runbooks/putting_in_place/swapping.py", "leading.cluster.execute"): [of(OPERATE, *ENTER)],
    ("runbooks/readiness/nodes.py", "/api/v1/namespaces/{}/pods"): [of(LOOKS, ("list", "pods", DATA))],
    ("runbooks/readiness/nodes.py", "/api/v1/pods"): [of(LOOKS, ("list", "pods"))],
    ("runbooks/readiness/p03_versions.py", "/api/v1/pods"): [of(LOOKS, ("list", "pods"))],
    ("runbooks/readiness/p05_capacity.py", "/api/v1/nodes"): [of(LOOKS, ("list", "nodes"))],
    ("runbooks/readiness/p05_capacity.py", "/api/v1/pods"): [of(LOOKS, ("list", "pods"))],
    ("runbooks/readiness/p05_capacity.py", "/api/v1/resourcequotas"): [of(LOOKS, ("list", "resourcequotas"))],
    ("runbooks/readiness/p13_event_log.py", "/api/v1/pods"): [of(LOOKS, ("list", "pods"))],
    ("runbooks/rebuild/03-replace-databases.py", "/api/v1/namespaces/{}/persistentvolumeclaims"): [
        of(OPERATE, ("list", "persistentvolumeclaims", DATA))],
    ("runbooks/rebuild/03-replace-databases.py", "database.cluster.apply"): [
        of(OPERATE, PATCH, ("create", CLUSTERS, DATA, LEDGER))],
    ("runbooks/rebuild/03-replace-databases.py", "database.cluster.create"): [
        of(OPERATE, ("create", CLUSTERS, DATA))],
    ("runbooks/rebuild/03-replace-databases.py", "database.cluster.delete"): [
        of(OPERATE, ("delete", CLUSTERS, DATA, LEDGER))],
    ("runbooks/rewinding/divergence.py", "cluster.execute"): [of(OPERATE, *ENTER)],
    ("runbooks/rewinding/program.py", "cluster.execute"): [of(OPERATE, *ENTER)],
    ("runbooks/rewinding/tail.py", "cluster.execute"): [of(OPERATE, *ENTER)],
    ("runbooks/site_nodes.py", "/api/v1/namespaces/{}/pods/{}"): [of(OPERATE, ("get", "pods", DATA, f"{LEDGER}-1"))],
    ("shopsphere/clients/html_forms.py", "parser.feed"): [],  # of a page
    ("shopsphere/clients/host_rules.py", "/api/v1/nodes"): [
        of(DRIFT, ("list", "nodes"), ("get", "nodes/proxy", "", f"http:{SITE}:8405")),
        of(UP, ("get", "nodes/proxy", "", f"http:{SITE}:8405"))],
    ("shopsphere/clients/postgres.py", "/apis/postgresql.cnpg.io/v1"): [
        of((*LOOKS, Role.DRIFT, Role.UP), ("list", CLUSTERS), ("get", CLUSTERS, DATA, LEDGER))],
    ("shopsphere/clients/postgres.py", "cluster.converse"): [],  # the agents' alone
    ("shopsphere/clients/postgres.py", "cluster.execute"): [of(LOOKS, *ENTER)],
    ("shopsphere/clients/postgres_capacity.py", "cluster.execute"): [of(LOOKS, *ENTER)],
    ("shopsphere/clients/postgres_inventory.py", "cluster.execute"): [of(DRIFT, *ENTER)],
    ("shopsphere/clients/workloads.py", "/apis/apps/v1/deployments"): [
        of((*LOOKS, Role.UP), ("list", "apps:deployments"))],
    ("shopsphere/clients/workloads.py", "/apis/apps/v1/statefulsets"): [
        of((*LOOKS, Role.UP), ("list", "apps:statefulsets"))],
    ("shopsphere/deploy/fixed_sizes.py", "/api/v1/persistentvolumes/{}"): [
        of(UP, ("get", "persistentvolumes", "", "v"))],
    ("shopsphere/deploy/opening.py", "Stack.create"): [],  # of Pulumi's state
    ("shopsphere/deploy/verification.py", "/api/v1/pods"): [of(UP, ("list", "pods"))],
    ("shopsphere/deploy/verification.py", "/apis/batch/v1/jobs"): [of((Role.UP, Role.OPERATE), ("list", "batch:jobs"))],
    ("shopsphere/doctor/site_addons.py", "/api/v1/services"): [of(UP, ("list", "services"))],
    ("shopsphere/doctor/site_addons.py", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"): [
        of(UP, ("list", "apiextensions.k8s.io:customresourcedefinitions"))],
    ("shopsphere/doctor/site_addons.py", "/apis/apps/v1/daemonsets"): [of(UP, ("list", "apps:daemonsets"))],
    ("shopsphere/doctor/site_addons.py", "/apis/apps/v1/deployments"): [of(UP, ("list", "apps:deployments"))],
    ("shopsphere/doctor/site_images.py", "/api/v1/nodes"): [of(UP, ("list", "nodes"))],
    ("shopsphere/doctor/site_nodes.py", "/api/v1/nodes"): [of(UP, ("list", "nodes"))],
    ("shopsphere/drift/databases.py", "/api/v1/namespaces/{}/pods"): [of(DRIFT, ("list", "pods", "archive-ledger"))],
    ("shopsphere/drift/host_repair.py", "cluster.create"): [of(UP, ("create", "nodes/proxy", "", f"http:{SITE}:8405"))],
    ("shopsphere/drift/judging.py", "repair.delete"): [],  # prints a command
    ("shopsphere/drift/operators_work.py", "repair.delete"): [],  # the same
    ("shopsphere/drift/kinds.py", "/apis/{}"): [],  # test_drift_may_list_what_it_compares
    ("shopsphere/drift/repairing.py", "self._place.cluster.apply"): [
        of(UP, ("patch", "networking.k8s.io:networkpolicies", "shop"), ("patch", "apps:deployments", "shop"))],
    ("shopsphere/drift/repairing.py", "self._place.cluster.delete"): [
        of(UP, *(("delete", kind, "shop") for kind in (
            "networking.k8s.io:networkpolicies", "services", "endpoints", "discovery.k8s.io:endpointslices",
            "rbac.authorization.k8s.io:rolebindings")))],
    ("shopsphere/drift/repairing.py", "self._place.cluster.patch_steps"): [of(UP, ("patch", CLUSTERS, DATA, LEDGER))],
    ("shopsphere/status/sites.py", "/api/v1/nodes"): [of(WATCH, ("list", "nodes"))],
    ("shopsphere/status/sites.py", "/api/v1/persistentvolumes"): [of(WATCH, ("list", "persistentvolumes"))],
    ("shopsphere/status/sites.py", "/api/v1/pods"): [of(WATCH, ("list", "pods"))],
    ("shopsphere/status/workload_program.py", "/api/v1/namespaces/{}/pods"): [
        of(LOOKS, ("list", "pods", "shop"), ("list", "pods", "payments"))],
    ("shopsphere/status/workload_program.py", "cluster.execute"): [
        of(LOOKS, *((verb, "pods/exec", each) for verb in ("get", "create") for each in ("shop", "payments")))],
}  # fmt: skip
"""By file and call: who asks it, and the rights (verb, kind, namespace, name) that this takes at Frankfurt."""


def calls_in(file: Path) -> Iterator[str]:
    """Paths of a site's API that a file names, and calls in it that change something there or enter a pod."""
    parts: set[int] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.JoinedStr):
            parts |= {id(each) for each in node.values}
            text = "".join(str(each.value) if isinstance(each, ast.Constant) else "{}" for each in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
            text = node.value
        else:
            text = ""
        if text.startswith(("/api/v1/", "/apis/")) and "/servers/localhost" not in text:
            yield text
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CHANGES:
            yield ast.unparse(node.func)


def found() -> set[tuple[str, str]]:
    files = [file for folder in FOLDERS for file in (REPOSITORY / folder).rglob("*.py")]
    named = {str(file.relative_to(REPOSITORY)): file for file in files}
    ours = {name: file for name, file in named.items() if not name.startswith(OF_OTHERS)}
    return {(name, call) for name, file in ours.items() for call in calls_in(file)}


@pytest.fixture(scope="module")
def given() -> list[dict[str, Any]]:
    return documents()


@pytest.mark.requirement("a new question to a site's API server has an owner and a right before it is asked")
def test_every_call_is_in_the_table() -> None:
    there = found()
    assert sorted(there - set(CALLS)) == [], "write it into CALLS, and give its roles the right"
    assert sorted(set(CALLS) - there) == [], "nobody asks that any more: take the right away, too"


@pytest.mark.requirement("a new question to a site's API server has an owner and a right before it is asked")
@pytest.mark.parametrize("call", CALLS, ids=" ".join)
def test_who_asks_has_the_right(given: list[dict[str, Any]], call: tuple[str, str]) -> None:
    for roles, rights in CALLS[call]:
        for role in roles:
            assert [each for each in rights if not is_allowed(given, role, *each)] == [], role


def test_who_looks_may_ask_the_worker_of_clicks_and_no_other_client_of_the_event_log() -> None:
    given = documents(event_log=True)
    for role in LOOKS:
        entered = [
            each
            for each in ("kafka", "collector", "insight", "recommend")
            if is_allowed(given, role, "create", "pods/exec", each)
        ]
        assert entered == ["insight"], role


def test_drift_may_list_what_it_compares(given: list[dict[str, Any]]) -> None:
    kinds = {(each.version.rpartition("/")[0], each.plural) for each in KINDS} - {("", "secrets")}
    assert kinds == {(group, plural) for group, plurals in COMPARED.items() for plural in plurals}
    for group, plural in kinds:
        what = f"{group}:{plural}" if group else plural
        assert all(is_allowed(given, Role.DRIFT, verb, what) for verb in ("list", "watch")), what


def test_the_priorities_are_those_of_the_sites() -> None:
    from components.data_centre import PRIORITIES as DECLARED  # noqa: PLC0415 - Pulumi's SDK takes a second to import

    assert set(PRIORITIES) == set(DECLARED)


def test_the_table_shows_a_right_that_is_missing(given: list[dict[str, Any]]) -> None:
    assert not is_allowed(given, Role.WATCH, "list", "secrets", "shop")
    assert not is_allowed(given, Role.OPERATE, "patch", CLUSTERS, DATA, "others")
    assert not is_allowed(given, Role.UP, "create", "rbac.authorization.k8s.io:rolebindings", "kube-system")
