"""What a site's API server keeps is encrypted, what is done through it is written down, and its parts may do little."""

import base64
import json
from typing import Any

import pytest
from lab_access import At, Lab
from lab_command import shopsphere

from lab.cluster.addons import kubectl
from lab.cluster.credentials import OPERATORS_MACHINE
from lab.cluster.guarding import LOG
from lab.leading import leading_pod
from lab.paths import log_directory
from shopsphere.estate.cluster_rights import AGENTS, agent_subject
from shopsphere.estate.cluster_role import Role, subject
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.process import CommandError
from shopsphere.witness.store import after, decoded, encoded

SITES = ("frankfurt", "dublin", "ashburn", "chicago")
ENCRYPTED = b"k8s:enc:secretbox:v1:"


def stored(at: At, site: str, prefix: str) -> dict[str, bytes]:
    """What lies in the store of a site's cluster, as whoever copies its disk finds it."""
    asked = json.dumps({"key": encoded(prefix), "range_end": encoded(after(prefix))})
    answer = json.loads(at(site, "curl", "-sS", "-m", "10", "-d", asked, "http://127.0.0.1:2379/v3/kv/range").stdout)
    return {decoded(each["key"]): base64.b64decode(each["value"]) for each in answer["kvs"]}


@pytest.mark.requirement("secrets are encrypted in the clusters' stores")
@pytest.mark.parametrize("site", SITES)
def test_no_secret_lies_in_clear(lab: Lab, at: At, site: str) -> None:
    secrets = stored(at, site, "/registry/secrets/")
    assert any("/data-ledger/" in key for key in secrets)
    assert [key for key, value in secrets.items() if not value.startswith(ENCRYPTED)] == []
    assert all(value.startswith(b"k8s\x00") for value in stored(at, site, "/registry/namespaces/").values())


def written(site: str) -> list[dict[str, Any]]:
    whole, _, _begun = (log_directory(site) / LOG).read_text().rpartition("\n")
    return [json.loads(line) for line in whole.splitlines()]


@pytest.mark.requirement("the agent of a site is no administrator of its cluster")
@pytest.mark.parametrize("site", SITES)
def test_agents_ask_under_their_own_names_and_enter_databases_alone(lab: Lab, site: str) -> None:
    def of_agent() -> list[dict[str, Any]]:
        return [each for each in written(site) if each["user"]["username"] == agent_subject(site)]

    wait_until(of_agent, what="a line about the agent", seconds=60)
    assert all(AGENTS in each["user"]["groups"] for each in of_agent())
    assert {each["objectRef"]["namespace"] for each in of_agent()} <= {"data-commerce", "data-ledger"}


def told(site: str, subresource: str, resource: str, namespace: str) -> bool:
    of = [each["objectRef"] for each in written(site) if each["user"]["username"] == "admin"]
    return any(
        (each.get("resource"), each.get("subresource", ""), each.get("namespace")) == (resource, subresource, namespace)
        for each in of
    )


def users(site: str, namespace: str) -> set[str]:
    """Who entered pods of a namespace, or was refused there."""
    of = [each for each in written(site) if each["objectRef"].get("namespace") == namespace]
    return {each["user"]["username"] for each in of if each["objectRef"].get("subresource") == "exec"}


@pytest.mark.requirement("watchers, drift, operators and up are no administrators of a site's cluster")
def test_programs_ask_as_their_roles(lab: Lab) -> None:
    assert "shopsphere:" not in shopsphere("status", "frankfurt", check=False, seconds=60).stdout
    shopsphere("drift", "frankfurt", check=False, seconds=180)
    ready = shopsphere("ready", "rdc-a", check=False, seconds=60).stdout
    assert "has not the right" not in ready
    wanted = {subject(role, OPERATORS_MACHINE) for role in (Role.WATCH, Role.DRIFT, Role.OPERATE)}
    wait_until(lambda: wanted <= users("frankfurt", "data-ledger"), what="lines about all three", seconds=90)


@pytest.mark.requirement("watchers, drift, operators and up are no administrators of a site's cluster")
@pytest.mark.parametrize("role", [Role.WATCH, Role.DRIFT, Role.OPERATE])
@pytest.mark.parametrize("site", SITES)
def test_roles_are_no_administrators(lab: Lab, site: str, role: Role) -> None:
    def may(*words: str) -> bool:
        who = [f"--as={subject(role, OPERATORS_MACHINE)}", f"--as-group={role.group}"]
        return kubectl(site, "auth", "can-i", *words, *who, check=False).strip().splitlines()[-1] == "yes"

    assert may("list", "clusters.postgresql.cnpg.io", "--all-namespaces")
    assert may("create", "pods", "--subresource=exec", "--namespace=data-ledger")
    for refused in (
        ("get", "secrets", "--namespace=kube-system"),
        ("create", "pods", "--subresource=exec", "--namespace=cnpg-system"),
        ("create", "clusterrolebindings"),
        ("delete", "namespaces"),
        ("delete", "persistentvolumeclaims", "--namespace=data-ledger"),
        ("impersonate", "users"),
    ):
        assert not may(*refused), refused
    assert may("list", "secrets", "--namespace=shop") == (role is not Role.WATCH)


@pytest.mark.requirement("who only looks runs what it has to ask in a pod, and nothing else")
def test_a_watcher_runs_nothing_else_in_a_pod(lab: Lab) -> None:
    who = [f"--as={subject(Role.WATCH, OPERATORS_MACHINE)}", f"--as-group={Role.WATCH.group}"]
    pod = leading_pod("frankfurt", "ledger")
    with pytest.raises(CommandError, match="RES-007"):
        kubectl("frankfurt", "exec", *who, "-n", "data-ledger", pod, "-c", "postgres", "--", "psql", "-c", "SELECT 1")


@pytest.mark.requirement("who reads secrets and enters pods is written down")
def test_what_is_done_is_written_down(lab: Lab) -> None:
    kubectl("chicago", "exec", "-n", "data-ledger", leading_pod("chicago", "ledger"), "--", "true")
    kubectl("chicago", "get", "secrets", "-n", "payments", "-o", "name")
    wait_until(lambda: told("chicago", "exec", "pods", "data-ledger"), what="the line about who went in", seconds=90)
    wait_until(lambda: told("chicago", "", "secrets", "payments"), what="the line about who read", seconds=90)
    assert not any("requestObject" in each for each in written("chicago") if each["objectRef"]["resource"] == "secrets")


@pytest.mark.requirement("the clusters' own parts are no administrators")
@pytest.mark.parametrize(
    ("user", "may", "may_not"),
    [
        ("kube-router", ("list", "networkpolicies"), ("list", "secrets")),
        ("kube-router", ("watch", "pods"), ("create", "pods/exec")),
        ("kube-apiserver-kubelet-client", ("get", "nodes/proxy"), ("get", "secrets")),
        ("kube-apiserver-kubelet-client", ("get", "nodes/metrics"), ("create", "clusterrolebindings")),
    ],
)
def test_parts_may_do_what_they_are_for(lab: Lab, user: str, may: tuple[str, str], may_not: tuple[str, str]) -> None:
    def allowed(verb: str, resource: str) -> str:
        name, _, sub = resource.partition("/")
        words = ["auth", "can-i", verb, name, *([f"--subresource={sub}"] if sub else []), f"--as={user}"]
        return kubectl("frankfurt", *words, "--all-namespaces", check=False).strip().splitlines()[-1]

    assert allowed(*may) == "yes"
    assert allowed(*may_not) == "no"
