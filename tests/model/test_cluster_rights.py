"""What a site's agent may do at the API server is what it does, and nothing that leads to more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from cli.policy import app
from shopsphere.estate.cluster_rights import AGENTS, BINDING, ENTERS, LOOKS, RBAC, agent_rights, agent_subject
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
    assert list(yaml.safe_load_all(printed("frankfurt").stdout)) == agent_rights("frankfurt")


@pytest.mark.parametrize(("site", "said"), [("newyork", "asks no API server"), ("mars", "no site 'mars'")])
def test_a_site_without_databases_has_none(site: str, said: str) -> None:
    found = printed(site)
    assert found.exit_code != 0
    assert said in str(found.exception)
