"""Who may change admission policies: what a file of the API server's host can do, and what its API cannot."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from admitting_api import applied
from kube_api import DEPLOYER, STRANGER, KubeApi

from policies.admission.guard import FEATURE_GATE, configuration, guard
from policies.admission.kinds import OPERATOR
from policies.admission.language import manifests
from policies.admission.site_policies import site_policies
from shopsphere.estate.stack import Environment
from shopsphere.foundation.clock import wait_until
from shopsphere.topology import load_topology

POLICY, BINDING = "validatingadmissionpolicies", "validatingadmissionpolicybindings"
NAME = "shopsphere-pods"
WEAKER = {POLICY: '{"spec": {"failurePolicy": "Ignore"}}', BINDING: '{"spec": {"validationActions": ["Audit"]}}'}
DOCUMENTS = manifests(site_policies(load_topology(environment="lab"), "frankfurt", Environment.LAB, {}, event_log=True))
WEBHOOK = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "MutatingWebhookConfiguration",
    "metadata": {"name": "cnpg"},
}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubeApi]:
    """An API server that reads the guard from a file before it answers anybody."""
    folder = tmp_path_factory.mktemp("guarded")
    started = KubeApi(folder, *flags(folder))
    try:
        started.start()
        applied(started, DOCUMENTS)
        yield started
    finally:
        started.stop()


def flags(folder: Path) -> tuple[str, ...]:
    files = folder / "admission"
    files.mkdir()
    (files / "guard.yaml").write_text(yaml.safe_dump_all(guard([DEPLOYER])))
    file = folder / "admission.yaml"
    file.write_text(yaml.safe_dump(configuration(files)))
    return (f"--feature-gates={FEATURE_GATE}=true", f"--admission-control-config-file={file}")


def refusal(api: KubeApi, *words: str, stdin: str | None = None, context: str = STRANGER) -> str:
    return api.kubectl(*words, stdin=stdin, context=context, check=False).stderr


@pytest.mark.requirement("nobody but the platform's own identity changes or removes admission policies and bindings")
@pytest.mark.parametrize("kind", [POLICY, BINDING])
@pytest.mark.parametrize(
    "words",
    [
        ("delete", "{kind}", NAME),
        ("annotate", "{kind}", NAME, "a=b"),
        ("patch", "{kind}", NAME, "--type=merge", "--patch={weaker}"),
        ("delete", "--raw", "/apis/admissionregistration.k8s.io/v1/{kind}"),
    ],
    ids=["delete", "annotate", "weaken", "delete all"],
)
def test_another_administrator_changes_nothing(api: KubeApi, kind: str, words: tuple[str, ...]) -> None:
    said = refusal(api, *(word.replace("{kind}", kind).replace("{weaker}", WEAKER[kind]) for word in words))
    assert "RES-007: who may change admission" in said
    left = json.loads(api.kubectl("get", kind, "-o", "json").stdout)["items"]
    assert len(left) == len(DOCUMENTS) / 2


def test_another_administrator_adds_nothing(api: KubeApi) -> None:
    mine = [{**each, "metadata": {"name": "mine"}} for each in DOCUMENTS[:1]]
    said = refusal(api, "create", "-f", "-", stdin=json.dumps(mine[0]))
    assert "RES-007: who may change admission" in said
    said = refusal(api, "create", "-f", "-", stdin=json.dumps(WEBHOOK))
    assert "RES-007: who may change admission" in said


def test_the_platform_changes_what_it_likes(api: KubeApi) -> None:
    api.kubectl("annotate", POLICY, NAME, "a=b", context=DEPLOYER)
    api.kubectl("delete", BINDING, NAME, "--dry-run=server", context=DEPLOYER)
    applied(api, DOCUMENTS)


def test_the_operator_renews_the_certificate_of_its_webhooks_and_no_more(api: KubeApi) -> None:
    applied(api, [WEBHOOK])
    operator = (f"--as={OPERATOR}", "--as-group=system:masters")
    assert refusal(api, *operator, "annotate", "mutatingwebhookconfigurations", "cnpg", "a=b") == ""
    assert "RES-007" in refusal(api, *operator, "delete", "mutatingwebhookconfigurations", "cnpg")
    assert "RES-007" in refusal(api, *operator, "annotate", POLICY, NAME, "a=b", "--overwrite")


def test_nobody_reaches_the_guard_by_the_api(api: KubeApi) -> None:
    policy, _ = guard([STRANGER])
    name = policy["metadata"]["name"]
    assert "NotFound" in refusal(api, "delete", POLICY, name, context=DEPLOYER)
    assert "static.k8s.io" in refusal(api, "create", "-f", "-", stdin=json.dumps(policy), context=DEPLOYER)


def test_a_policy_of_the_api_cannot_guard_itself(tmp_path: Path) -> None:
    """Why there is a file: the same policy by the API is asked about webhooks, never about policies and bindings."""
    plain = KubeApi(tmp_path)
    try:
        plain.start()
        policy, binding = ({**each, "metadata": {"name": "guard"}} for each in guard([DEPLOYER]))
        settings = {"apiGroups": [""], "apiVersions": ["*"], "operations": ["*"], "resources": ["configmaps"]}
        policy["spec"]["matchConstraints"]["resourceRules"].append(settings)
        binding["spec"]["policyName"] = "guard"
        applied(plain, [policy, binding])
        wait_until(
            lambda: "RES-007" in refusal(plain, "create", "configmap", "a", "--dry-run=server"),
            what="the policy", seconds=120, interval=0.2,
        )  # fmt: skip
        assert "RES-007" in refusal(plain, "create", "-f", "-", "--dry-run=server", stdin=json.dumps(WEBHOOK))
        plain.kubectl("patch", POLICY, "guard", "--type=merge", f"--patch={WEAKER[POLICY]}")
        plain.kubectl("delete", BINDING, "guard")
    finally:
        plain.stop()
