"""What a site's agent may do at the API server is what it does, and nothing that leads to more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from cli.policy import app
from shopsphere.estate.cluster_rights import AGENTS, BINDING, ENTERS, LOOKS, agent_rights, agent_subject
from shopsphere.estate.cluster_role import RBAC
from shopsphere.topology import load_topology

SITES = [site for pair in load_topology().pairs.values() for site in (pair.primary, pair.recovery)]


def rules(site: str, role: str) -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    for document in agent_rights(site):
        if document["kind"] == "ClusterRole" and document["metadata"]["name"] == role:
            for rule in document["rules"]:
                for resource in rule["resources"]:
                    for verb in rule["verbs"]:
                        yield rule["apiGroups"][0], resource, verb, tuple(rule.get("resourceNames", ()))


@pytest.mark.requirement("the agent of a site is no administrator of its cluster")
@pytest.mark.parametrize("site", SITES)
def test_the_agent_may_do_what_it_does(site: str) -> None:
    databases = "postgresql.cnpg.io", "clusters"
    assert set(rules(site, LOOKS)) == {
        (*databases, "get", ()), (*databases, "list", ()), (*databases, "watch", ()),
        (*databases, "patch", (f"ledger-{site}",)),
        ("", "pods", "list", ()),
    }  # fmt: skip
    assert set(rules(site, ENTERS)) == {
        ("", "pods/exec", "get", ()), ("", "pods/exec", "create", ()),
        ("", "configmaps", "get", ()), ("", "configmaps", "list", ()), ("", "configmaps", "watch", ()),
        *(("coordination.k8s.io", "leases", verb, (f"commerce-{site}", f"ledger-{site}")) for verb in ("get", "patch")),
    }  # fmt: skip


def test_the_whole_cluster_is_looked_at_and_pods_of_databases_alone_are_entered() -> None:
    bound = [each for each in agent_rights("dublin") if "roleRef" in each]
    assert [(each["kind"], each["roleRef"]["name"]) for each in bound] == [("ClusterRoleBinding", LOOKS)]
    assert bound[0]["subjects"] == [{"apiGroup": RBAC, "kind": "Group", "name": AGENTS}]
    assert BINDING == "site-agent"
    assert agent_subject("frankfurt-2") == "shopsphere:agent:frankfurt-2"


def printed(site: str) -> Any:
    return CliRunner().invoke(app, ["rights", site])


def test_the_owner_of_a_cluster_gets_them_as_yaml() -> None:
    documents = list(yaml.safe_load_all(printed("frankfurt").stdout))
    assert [each for each in documents if each in agent_rights("frankfurt")] == agent_rights("frankfurt")
    bound = {each["roleRef"]["name"]: each["subjects"][0]["name"] for each in documents if "roleRef" in each}
    assert bound == {
        "shopsphere:agent": "shopsphere:agents",
        "shopsphere:watch": "shopsphere:watchers",
        "shopsphere:drift": "shopsphere:drift",
        "shopsphere:operate": "shopsphere:operators",
        "shopsphere:up": "shopsphere:deployers",
    }
    assert {each["kind"] for each in documents} == {"ClusterRole", "ClusterRoleBinding"}


def test_headquarters_has_no_agent_and_no_database_to_operate() -> None:
    names = [each["metadata"]["name"] for each in yaml.safe_load_all(printed("newyork").stdout)]
    assert not [each for each in names if each.startswith(("shopsphere:agent", "shopsphere:operate"))]
    assert "shopsphere:watch" in names


def test_the_owner_lets_up_into_its_namespaces() -> None:
    found = CliRunner().invoke(app, ["rights", "frankfurt", "--namespaces"])
    documents = list(yaml.safe_load_all(found.stdout))
    names = {"shop", "payments", "gateway", "archive-commerce", "archive-ledger", "data-commerce", "data-ledger"}
    names |= {"kafka", "collector", "insight", "recommend"}
    assert {each["metadata"]["name"] for each in documents if each["kind"] == "Namespace"} == names
    bindings = [each for each in documents if each["kind"] == "RoleBinding"]
    assert {each["metadata"]["namespace"] for each in bindings} == names
    assert {(each["metadata"]["name"], each["roleRef"]["name"]) for each in bindings} == {
        ("site-up", "shopsphere:up-in-namespaces")
    }


def test_no_role_leads_to_another_one() -> None:
    """No right to make roles, accounts or tokens, to be somebody else, or to bind what is not listed."""
    for each in yaml.safe_load_all(printed("frankfurt").stdout):
        for rule in each.get("rules", ()):
            assert "*" not in (*rule["apiGroups"], *rule["resources"], *rule["verbs"])
            assert not {"escalate", "impersonate", "approve", "sign"} & set(rule["verbs"])
            assert "bind" not in rule["verbs"] or (rule["verbs"] == ["bind"] and rule["resourceNames"])
            assert not {"serviceaccounts/token", "pods/attach", "pods/portforward", "users"} & set(rule["resources"])


def test_an_unknown_site_has_none() -> None:
    found = printed("mars")
    assert found.exit_code != 0
    assert "no site 'mars'" in str(found.exception)
