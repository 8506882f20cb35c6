"""What controllers make out of declared objects: what is missing is found, and repairs destroy nothing."""

from __future__ import annotations

from typing import Any

import pytest
from declared_site import exported
from live_objects import live_objects
from test_drift_injections import REPAIR
from test_drift_undeclared import around, made

from shopsphere.drift.declared import Declared, declared_objects
from shopsphere.drift.judging import judge, judge_object
from shopsphere.drift.model import Drift, Kind
from shopsphere.drift.undeclared import Live
from shopsphere.drift.view import View

LOOK_AGAIN = 'annotate --overwrite clusters.postgresql.cnpg.io ledger-frankfurt "cnpg.io/reloadedAt=$(date -u +%FT%TZ)"'
ACCOUNT = ("ServiceAccount", "Role", "RoleBinding")


@pytest.mark.parametrize("kind", ["RoleBinding", "Role", "PodDisruptionBudget"])
def test_what_the_operator_makes_anew_is_deleted_and_the_operator_told_to_look(kind: str) -> None:
    (found,) = around(made(kind, "x", "manager", "mallory", owner="database", owner_kind="Cluster"))
    assert (found.kind, found.author and found.author.manager) == (Kind.TOUCHED, "mallory")
    delete, look_again = found.repair.split(" && ")
    assert delete.endswith(" x")
    assert " delete " in delete
    assert look_again.endswith(LOOK_AGAIN)


@pytest.mark.requirement("no repair that a finding names loses data, an account or a password")
@pytest.mark.parametrize("kind", ["PersistentVolumeClaim", "ServiceAccount", "Secret", "Pod", "Service"])
def test_what_holds_data_or_an_account_is_not_to_be_deleted(kind: str) -> None:
    (found,) = around(made(kind, "x", "manager", "mallory", owner="database", owner_kind="Cluster"))
    assert found.kind is Kind.TOUCHED
    assert found.repair.startswith("put back by hand what mallory set (spec.a)")
    assert " delete " not in found.repair


def test_a_pod_of_a_deployment_is_made_anew() -> None:
    (found,) = around(made("Pod", "x", "kubelet", "mallory", owner="deployment", owner_kind="Deployment"))
    assert found.repair.endswith(" delete pods x")


class Site:
    """The declared site with its database's account, or without a part of it."""

    def __init__(self, *without: str, ready: int = 1) -> None:
        self.declared = declared_objects(exported())
        lives = [Live(each.kind, live) for each, live in zip(self.declared, live_objects().values(), strict=True)]
        self.cluster: Declared = next(each for each in self.declared if each.kind == "Cluster")
        for live in lives:
            if live.key == ("Cluster", self.cluster.namespace, self.cluster.name):
                status: dict[str, Any] = {"readyInstances": ready}
                live.document["status"] = status  # type: ignore[index]  # the fake is a dictionary
        place, name = self.cluster.namespace, self.cluster.name
        account = [
            made(kind, name, "manager", owner="database", owner_kind="Cluster", namespace=place)
            for kind in ACCOUNT
            if kind not in without
        ]
        self.lives = [*lives, *account]

    def lost(self) -> list[Drift]:
        return [each for each in judge(self.declared, self.lives, REPAIR) if each.kind is Kind.MISSING]


@pytest.mark.parametrize("kind", ACCOUNT)
def test_a_right_of_a_databases_account_that_was_deleted_is_found(kind: str) -> None:
    """Without it the instances cannot say what they are, and the operator looks hours later."""
    site = Site(kind)
    (found,) = site.lost()
    assert found.object == f"{kind} {site.cluster.namespace}/{site.cluster.name}"
    assert found.repair.endswith(LOOK_AGAIN)
    key = (kind, site.cluster.namespace, site.cluster.name)
    assert judge_object(View(site.declared, site.lives), key, REPAIR) == [found], "a watch judges it alone"


def test_a_database_that_does_not_run_yet_has_no_account_to_be_lost() -> None:
    assert Site(*ACCOUNT, ready=0).lost() == []
    assert Site().lost() == []
