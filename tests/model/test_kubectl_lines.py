"""Printed kubectl commands name the kubeconfig of a role that may do what they say, or of the cluster's owner."""

from __future__ import annotations

import ast
import re
from typing import Any

import pytest
from rbac_of_site import SITE, documents, is_allowed

from shopsphere.clients.succession import Succession
from shopsphere.deploy import verification
from shopsphere.deploy.listening import Event, Noted, Silent
from shopsphere.drift.comparing import Difference
from shopsphere.drift.kinds import KINDS, resource_of
from shopsphere.drift.model import Kind
from shopsphere.drift.repair import Repair
from shopsphere.estate.access import SiteAccess
from shopsphere.estate.cluster_role import Role
from shopsphere.estate.kubectl_line import SiteKubectl, kubectl_with
from shopsphere.estate.site_config import Kubeconfigs
from shopsphere.estate.stack import Environment, site_stack
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.topology import load_topology

GIVEN = documents()
FILES = {Role.WATCH: "/kube/watch", Role.DRIFT: "/kube/drift", Role.OPERATE: "/kube/operate"}
KUBECTL = SiteKubectl("/kube/up", SITE, FILES, "/kube/owner")
REPAIR = Repair(SITE, "prod", KUBECTL)
DATA, LEDGER = "data-ledger", f"ledger-{SITE}"


def role_of(command: str) -> Role | None:
    """Whose kubeconfig a command names; None for the owner's."""
    named = re.search(r"--kubeconfig /kube/(\w+) --context frankfurt ", command)
    assert named, command
    return None if named[1] == "owner" else Role(named[1])


@pytest.mark.requirement("a command that drift prints can be run by whoever has the kubeconfig that it names")
@pytest.mark.parametrize("kind", KINDS, ids=lambda each: each.kind)
def test_what_takes_an_object_away_names_whoever_may(kind: Any) -> None:
    namespace = "shop" if kind.namespaced else ""
    group = kind.version.rpartition("/")[0]
    may = is_allowed(GIVEN, Role.UP, "delete", f"{group}:{kind.plural}", namespace, "of-a-stranger")
    command = REPAIR.delete(kind.kind, namespace, "of-a-stranger")
    assert role_of(command) is (Role.UP if may else None)
    assert command.endswith(f"delete {resource_of(kind.kind)} of-a-stranger")


def test_what_puts_a_field_back_names_up_or_the_owner() -> None:
    changed = Difference(("spec", "replicas"), Kind.CHANGED, 2, 3)
    assert role_of(REPAIR.of("Deployment", "shop", "shop", changed)) is Role.UP
    assert is_allowed(GIVEN, Role.UP, "patch", "apps:deployments", "shop", "shop")
    rights = Difference(("rules",), Kind.CHANGED, [], [{}])
    assert role_of(REPAIR.of("ClusterRole", "", "shopsphere:watch", rights, is_owners=True)) is None
    assert not is_allowed(GIVEN, Role.UP, "patch", "rbac.authorization.k8s.io:clusterroles", "", "shopsphere:watch")


def test_who_enters_a_database_is_an_operator() -> None:
    assert role_of(REPAIR.statements(DATA, f"{LEDGER}-1", "ledger", "DROP TABLE x")) is Role.OPERATE
    assert is_allowed(GIVEN, Role.OPERATE, "create", "pods/exec", DATA)
    assert not is_allowed(GIVEN, Role.UP, "create", "pods/exec", DATA), "the kubeconfig of `up` would be refused"


def test_what_the_operator_of_databases_is_told_names_up() -> None:
    assert role_of(REPAIR.look_again(DATA, LEDGER)) is Role.UP
    assert is_allowed(GIVEN, Role.UP, "patch", "postgresql.cnpg.io:clusters", DATA, LEDGER)


def test_what_loads_rules_again_names_up() -> None:
    assert role_of(REPAIR.load_rules("/api/v1/nodes/http:frankfurt:8405/proxy/rules")) is Role.UP
    assert is_allowed(GIVEN, Role.UP, "create", "nodes/proxy", "", f"http:{SITE}:8405")


def test_rights_are_applied_by_the_owner() -> None:
    assert role_of(REPAIR.apply_rights()) is None


def test_a_pod_is_deleted_by_the_owner() -> None:
    said = Succession(DATA, f"{LEDGER}-2", (f"{LEDGER}-1",), ()).without_leader("rdc-a", KUBECTL)
    assert role_of(said) is None
    assert not any(is_allowed(GIVEN, role, "delete", "pods", DATA, f"{LEDGER}-1") for role in Role)


@pytest.mark.parametrize(
    ("roles", "environment", "owners"),
    [
        ({}, Environment.PROD, "/kube/up"),
        ({"operate": "/kube/operate"}, Environment.PROD, "KUBECONFIG-OF-THE-CLUSTERS-OWNER"),
        ({"operate": "/kube/operate"}, Environment.LAB, "/kube/up"),  # the lab deploys as the administrator
    ],
)
def test_files_are_those_of_the_stack(roles: dict[str, str], environment: Environment, owners: str) -> None:
    stack = site_stack(load_topology(), SITE, environment)
    access = SiteAccess(kubeconfig="/kube/up", kubeconfigs=Kubeconfigs(**roles))
    found = kubectl_with(access, stack)
    assert found.line(None, "", "get", "x") == f"kubectl --kubeconfig {owners} --context frankfurt get x"
    operates = roles.get("operate", "/kube/up")
    assert found.line(Role.OPERATE, "a b", "x") == (
        f"kubectl --kubeconfig {operates} --context frankfurt --namespace 'a b' x"
    )
    assert found.line(Role.WATCH, "", "x").startswith("kubectl --kubeconfig /kube/up ")


PROBLEMS = [
    "database data-ledger/ledger-frankfurt: Setting up primary (no condition Ready)",
    "deployment shop/shop: 0 of 2 pods are current, 0 available",
    "pod shop/shop-1: shop: ErrImagePull",
]


@pytest.mark.parametrize(
    ("problems", "described"),
    [
        (PROBLEMS, "--namespace shop describe pod shop-1` and "),
        (PROBLEMS[:2], "--namespace data-ledger describe clusters.postgresql.cnpg.io ledger-frankfurt` and "),
        (PROBLEMS[1:2], "--namespace shop describe deployment shop` and "),
        (["statefulset kafka/kafka: is not there"], "--namespace kafka describe statefulset kafka` and "),
        (["no answer"], ""),
    ],
)
def test_what_is_not_ready_is_looked_at_by_name(
    problems: list[str], described: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "kubectl_at", lambda _stack: KUBECTL)
    stack = site_stack(load_topology(), SITE, Environment.PROD)
    with pytest.raises(verification.NotReadyError) as raised:
        verification.await_ready(stack, lambda: problems, 0.0, Silent())
    said = str(raised.value)
    start = "`kubectl --kubeconfig /kube/up --context frankfurt " if described else ""
    assert f"do:       look at it with {start}{described}`shopsphere status frankfurt --environment prod`" in said
    for kind in (
        "pods",
        "events",
        "apps:deployments",
        "apps:statefulsets",
        "batch:jobs",
        "postgresql.cnpg.io:clusters",
    ):
        assert is_allowed(GIVEN, Role.UP, "get", kind, "shop", "x"), "what `describe` reads"


@pytest.mark.requirement("long work says what it waits for")
def test_a_wait_says_what_it_waits_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "TELL_SECONDS", 0.0)
    monkeypatch.setattr(verification, "INTERVAL_SECONDS", 0.01)
    told: list[Event] = []

    class Ear:
        def tell(self, event: Event) -> None:
            told.append(event)

    left = [
        ["job shop/y: not complete", "pod shop/x: shop: ended with 1 Traceback\n  it"],
        ["job shop/y: not complete"],
        [],
    ]
    verification.await_ready(site_stack(load_topology(), SITE, Environment.PROD), lambda: left.pop(0), 5.0, Ear())
    assert told == [
        Noted("frankfurt", "waits for pod shop/x: shop: ended with 1 Traceback it, and 1 more"),
        Noted("frankfurt", "waits for job shop/y: not complete"),
    ]


FOLDERS = ("cli", "components", "policies", "runbooks", "shopsphere")
COMMAND = re.compile(r"\bkubectl\s+(?:-|get|describe|delete|edit|exec|patch|logs|apply|annotate|create|rollout)")


def test_no_command_is_printed_without_its_kubeconfig() -> None:
    found = []
    for file in (file for folder in FOLDERS for file in (REPOSITORY / folder).rglob("*.py")):
        tree = ast.parse(file.read_text())
        docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        found += [
            f"{file.relative_to(REPOSITORY)}:{node.lineno}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in docs
            and COMMAND.search(node.value)
        ]
    assert found == [], "make it with shopsphere.estate.kubectl_line, which names the file of a role that may do it"


def test_pages_of_operators_name_one_too() -> None:
    found = []
    for page in ("alerts", "audit", "backups", "edge", "failover", "payments", "personal-data", "rotate", "witness"):
        text = (REPOSITORY / "docs" / f"{page}.md").read_text()
        found += [f"{page}: {each}" for each in re.findall(r"kubectl (?!--kubeconfig |--context )-?.{20}", text)]
    assert found == []


def test_the_search_finds_one() -> None:
    assert COMMAND.search("look at it with `kubectl describe`")
    assert COMMAND.search("`kubectl -n shop delete pod x`")
    assert not COMMAND.search("kubectl-patch")
