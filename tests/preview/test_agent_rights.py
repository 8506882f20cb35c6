"""A site's agent at a real API server: RBAC lets it do what it does, and refuses whatever leads to more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from admitting_api import applied
from kube_api import DEPLOYER, KubeApi, api_with_databases

from shopsphere.estate.cluster_rights import (
    AGENTS,
    BINDING,
    ROLE_REF,
    SUBJECT,
    agent_rights,
    agent_subject,
)
from shopsphere.estate.cluster_role import RBAC

SITE = "frankfurt"
DATABASES, OTHERS = ("data-commerce", "data-ledger"), ("shop", "kube-system", "cnpg-system")
CLUSTERS = "clusters.postgresql.cnpg.io"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubeApi]:
    """With what an owner applies, and with what a site's stack binds."""
    with api_with_databases(tmp_path_factory.mktemp("rights")) as started:
        names = {*DATABASES, *OTHERS} - {"kube-system"}
        namespaces = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in sorted(names)]
        bindings = [
            {
                "apiVersion": f"{RBAC}/v1",
                "kind": "RoleBinding",
                "metadata": {"name": BINDING, "namespace": each},
                "roleRef": ROLE_REF,
                "subjects": [SUBJECT],
            }
            for each in DATABASES
        ]
        applied(started, [*namespaces, *agent_rights(SITE), *bindings])
        yield started


def may(api: KubeApi, verb: str, what: str, namespace: str, *, group: str = AGENTS) -> bool:
    """Whether the agent may do this; `what` is a kind with its name or part, as in pods/exec or clusters/ledger."""
    resource, _, part = what.partition(":")
    words = [verb, resource, *([f"--subresource={part}"] if part else []), f"--namespace={namespace}"]
    who = [f"--as={agent_subject(SITE)}", f"--as-group={group}"]
    done = api.kubectl("auth", "can-i", *words, *who, context=DEPLOYER, check=False)
    return done.stdout.strip().splitlines()[-1] == "yes"


@pytest.mark.requirement("the agent of a site is no administrator of its cluster")
@pytest.mark.parametrize("namespace", DATABASES)
def test_it_does_its_work(api: KubeApi, namespace: str) -> None:
    for verb in ("get", "list", "watch"):
        assert may(api, verb, CLUSTERS, namespace)
        assert may(api, verb, "configmaps", namespace)
    assert may(api, "list", "pods", namespace)
    assert may(api, "get", "pods:exec", namespace)
    assert may(api, "create", "pods:exec", namespace)
    assert may(api, "patch", f"{CLUSTERS}/ledger-{SITE}", namespace)
    assert not may(api, "patch", f"{CLUSTERS}/ledger-{SITE}", namespace, group="system:authenticated")


@pytest.mark.requirement("the agent of a site is no administrator of its cluster")
@pytest.mark.parametrize("namespace", [*DATABASES, *OTHERS])
def test_nothing_leads_to_more(api: KubeApi, namespace: str) -> None:
    changes = ("create", "update", "patch", "delete", "deletecollection")
    refused = [
        *((verb, kind) for verb in ("get", "list", "watch") for kind in ("secrets", "serviceaccounts", "nodes")),
        *((verb, kind) for verb in changes for kind in ("pods", "configmaps", "secrets", "networkpolicies")),
        *(
            (verb, kind)
            for verb in changes
            for kind in ("roles", "rolebindings", "clusterroles", "clusterrolebindings")
        ),
        *((verb, "validatingadmissionpolicies") for verb in changes),
        *((verb, CLUSTERS) for verb in changes),
        ("patch", f"{CLUSTERS}/commerce-{SITE}"),
        ("patch", f"{CLUSTERS}:status"),
        ("create", "serviceaccounts:token"),
        ("create", "pods:attach"),
        ("create", "pods:portforward"),
        ("create", "nodes:proxy"),
        ("impersonate", "users"),
        ("escalate", "clusterroles"),
        ("bind", "clusterroles"),
        ("approve", "signers"),
    ]
    assert [each for each in refused if may(api, *each, namespace)] == []


@pytest.mark.parametrize("namespace", OTHERS)
def test_it_enters_no_other_pod(api: KubeApi, namespace: str) -> None:
    asked = [("get", "pods:exec"), ("create", "pods:exec"), ("list", "configmaps"), ("get", "configmaps")]
    assert [each for each in asked if may(api, *each, namespace)] == []
