"""What an API server refuses because it has not read changed policies yet is done again, within a bound."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from manual_clock import ManualClock

from shopsphere.deploy import policy_uptake, verbs
from shopsphere.deploy.engine import DeploymentError
from shopsphere.deploy.listening import Noted
from shopsphere.deploy.outcomes import EngineRun, ResourceChange
from shopsphere.deploy.policy_uptake import when_taken_up
from shopsphere.estate.kubectl_line import SiteKubectl
from shopsphere.estate.stack import Environment, site_stack
from shopsphere.topology import load_topology

FRANKFURT = site_stack(load_topology(), "frankfurt", Environment.LAB)
POLICY = "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy"
BINDING = "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding"
DENIED = (
    "frankfurt: Pulumi failed\nerror: resource data-ledger/site-agent was not successfully created by the Kubernetes "
    'API server: rolebindings.rbac.authorization.k8s.io "site-agent" is forbidden: ValidatingAdmissionPolicy '
    "'shopsphere-kinds-of-controllers' with binding 'shopsphere-kinds-of-controllers' denied request: RES-007: a kind"
)


def run(*changed: tuple[str, str]) -> EngineRun:
    changes = tuple(
        ResourceChange(operation="update", type=kind, name=name, urn=f"{kind}::{name}", fingerprint=name)
        for kind, name in changed
    )
    return EngineRun(changes=changes, changed=len(changes), total=50, seconds=10.0)


FIRST = run((POLICY, "kinds"), (BINDING, "ledger"))
REST = run((BINDING, "ledger"), (BINDING, "commerce"))


class Ear:
    def __init__(self) -> None:
        self.told: list[object] = []

    def tell(self, event: object) -> None:
        self.told.append(event)


def attempts(*answers: EngineRun | Exception) -> Callable[[], EngineRun]:
    """An engine that answers so, the last answer for ever."""
    left = list(answers)

    def up() -> EngineRun:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return up


@pytest.mark.requirement("an `up` that changes admission goes on when the API server has read it")
def test_it_is_done_again_until_the_server_has_read_them() -> None:
    ear, clock = Ear(), ManualClock()
    up = attempts(DeploymentError(DENIED, FIRST), DeploymentError(DENIED, run((BINDING, "ledger"))), REST)
    found = when_taken_up(FRANKFURT, ear, up, clock=clock)
    assert [each.name for each in found.changes] == ["kinds", "ledger", "commerce"]
    assert (found.changed, found.total, found.seconds, clock.now) == (3, 50, 30.0, 10.0)
    text = "waits, at most 2 min: the API server still asks the admission policies from before (RES-007)"
    assert ear.told == [Noted("frankfurt", text)]


def test_it_ends_and_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy_uptake, "kubectl_at", lambda _stack: SiteKubectl("/kube/up", "frankfurt"))
    clock = ManualClock()
    with pytest.raises(DeploymentError) as raised:
        when_taken_up(FRANKFURT, Ear(), attempts(DeploymentError(DENIED, FIRST)), clock=clock)
    assert clock.now == policy_uptake.PATIENCE
    said = str(raised.value)
    assert said.startswith(DENIED)
    assert "found:    refused for 2 min" in said
    assert "`kubectl --kubeconfig /kube/up --context frankfurt get validatingadmissionpolicies` shows" in said
    assert "`shopsphere up frankfurt` again" in said
    assert raised.value.run
    assert raised.value.run.changed == 2


@pytest.mark.parametrize(
    "error",
    [
        DeploymentError(DENIED, run((BINDING, "ledger"))),  # by policies that this run did not change
        DeploymentError("frankfurt: Pulumi failed\nno answer", FIRST),
        DeploymentError(DENIED.replace("'shopsphere-kinds", "'of-somebody-else"), FIRST),
        DeploymentError(DENIED),
    ],
    ids=["not changed", "another error", "another's policy", "not begun"],
)
def test_what_a_wait_does_not_mend_is_said_at_once(error: DeploymentError) -> None:
    ear, clock = Ear(), ManualClock()
    with pytest.raises(DeploymentError) as raised:
        when_taken_up(FRANKFURT, ear, attempts(error), clock=clock)
    assert raised.value is error
    assert (ear.told, clock.now) == ([], 0.0)


class Refusing:
    """A stack whose first `up` is refused."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def preview(self, *_: object, **__: object) -> EngineRun:
        self.asked.append("preview")
        return REST

    def up(self, *_: object, **__: object) -> EngineRun:
        self.asked.append("up")
        if self.asked.count("up") == 1:
            raise DeploymentError(DENIED, FIRST)
        return REST


def test_up_does_so(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Refusing()
    monkeypatch.setattr(policy_uptake, "PAUSE", 0.0)
    monkeypatch.setattr(verbs, "open_engine", lambda _: engine)
    work = verbs.up_work(load_topology(), "rdc-a", refresh=False, verify_seconds=0)
    outcome = work.act(FRANKFURT, Ear())
    assert (engine.asked, outcome.error) == (["preview", "up", "up"], "")
    assert outcome.applied
    assert outcome.applied.changed == 3
