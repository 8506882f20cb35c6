"""What somebody else does to declared objects is found, with the field and the author: one injection at a time."""

from __future__ import annotations

from typing import Any

import pytest
from declared_site import OURS, exported
from drift_injections import INJECTIONS, Injection
from live_objects import LATER, live_objects, set_by

from shopsphere.drift.declared import declared_objects
from shopsphere.drift.judging import judge
from shopsphere.drift.model import Drift, Kind
from shopsphere.drift.repair import Repair
from shopsphere.drift.undeclared import Live
from shopsphere.estate.kubectl_line import SiteKubectl

REPAIR = Repair("frankfurt", "lab", SiteKubectl("/kubeconfigs/frankfurt.yaml", "frankfurt"))


def found_after(injection: Injection, manager: str = "kubectl-patch") -> list[Drift]:
    lives = live_objects()
    set_by(lives[injection.target], injection.path, injection.value, manager)
    return findings(lives)


def findings(lives: dict[str, dict[str, Any]]) -> list[Drift]:
    kinds = {name: each["type"].rpartition(":")[2] for name, each in zip(lives, _resources(), strict=True)}
    return judge(declared_objects(exported()), [Live(kinds[name], live) for name, live in lives.items()], REPAIR)


def _resources() -> list[dict[str, Any]]:
    return [each for each in exported()["deployment"]["resources"] if each["type"].startswith("kubernetes:")]


@pytest.mark.requirement("drift that Pulumi does not report is found, with object, field and author")
@pytest.mark.parametrize("injection", INJECTIONS, ids=lambda each: each.label)
def test_each_injection_is_found(injection: Injection) -> None:
    found = found_after(injection)
    drift = next((each for each in found if each.field == injection.field), None)
    assert drift, [(each.object, each.field) for each in found]
    assert (drift.kind, drift.residency) == (injection.kind, injection.residency)
    assert (drift.severity == "critical") == injection.residency
    if injection.value is None:
        assert drift.who.startswith("nobody on record")
    else:
        assert drift.author
        assert (drift.author.manager, drift.author.at) == ("kubectl-patch", LATER)
    assert not drift.is_likely
    assert {each.object for each in found} == {drift.object}


@pytest.mark.parametrize("injection", INJECTIONS, ids=lambda each: each.label)
def test_one_change_is_one_finding(injection: Injection) -> None:
    others = [each.field for each in found_after(injection) if each.field != injection.field]
    # The key of an element is another one: the old element is gone.
    assert others == (["spec.egress[0].ports[port=53,protocol=UDP]"] if "port=443" in injection.field else [])


def test_there_are_enough_injections() -> None:
    assert len(INJECTIONS) >= 50
    assert len({each.target for each in INJECTIONS}) >= 10


def _can_be_told(injection: Injection) -> bool:
    """Whether it is more than what a custom resource's schema may fill in, under the deployment's own name."""
    is_filled_in = injection.target == "database" and injection.kind is Kind.ADDED and not injection.field.endswith("]")
    return injection.value is not None and not is_filled_in


@pytest.mark.parametrize("injection", [each for each in INJECTIONS if _can_be_told(each)], ids=lambda each: each.label)
def test_who_takes_the_name_of_the_deployment_is_found_too(injection: Injection) -> None:
    """A manager is what a client calls itself, so values count whoever owns them."""
    assert injection.field in {each.field for each in found_after(injection, OURS)}
