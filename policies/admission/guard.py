"""Who may change admission: a policy that the API server reads from a file, since one from its API cannot guard itself.

Policies of the API are never asked about policies and bindings: nobody can lock himself out. Those from files are
(KEP-5793: alpha in Kubernetes 1.36, behind the feature gate ManifestBasedAdmissionControlConfig), and nobody can change
them who cannot write files of the API server's host. Where there are no such files, RBAC is left: nobody has a right
over policies unless he is an administrator, and `policies.admission.kinds` lets nobody become one.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from policies.admission.kinds import OPERATOR, POLICIES
from policies.admission.language import (
    AdmissionPolicy,
    Manifest,
    Resources,
    Validation,
    either,
    every,
    literal,
    manifests,
)

FEATURE_GATE = "ManifestBasedAdmissionControlConfig"
SUFFIX = ".static.k8s.io"
"""End of the names of what is read from files; the API refuses objects with such a name."""
WEBHOOKS = ("validatingwebhookconfigurations", "mutatingwebhookconfigurations")
MUTATING = ("mutatingadmissionpolicies", "mutatingadmissionpolicybindings")


def guard(identities: Collection[str]) -> list[Manifest]:
    """Return the documents of the file: the policy and its binding.

    Args:
        identities: users that may change admission, as the API server names them; everybody else is refused, whatever
            groups he is in.
    """
    who = f"request.userInfo.username in {literal(sorted(identities))}"
    webhook = every(
        f"request.userInfo.username == {literal(OPERATOR)}",
        f"request.resource.resource in {literal([*WEBHOOKS])}",
        "request.operation == 'UPDATE'",
    )
    policy = AdmissionPolicy(
        "guard",
        (Resources("admissionregistration.k8s.io", (*POLICIES, *MUTATING, *WEBHOOKS)),),
        (
            Validation(
                "RES-007",
                either(who, webhook),
                "who may change admission can make what it refuses; the platform's own identity alone may, and the "
                "database operator the certificate of its webhooks",
            ),
        ),
        operations=("CREATE", "UPDATE", "DELETE"),
        in_system_namespaces=True,
    )
    return [_of_a_file(each) for each in manifests([policy])]


def configuration(directory: Path) -> dict[str, Any]:
    """Return what `--admission-control-config-file` of the API server names.

    Args:
        directory: folder of the guard's file and of nothing else; absolute.
    """
    version = "apiserver.config.k8s.io/v1"
    files = {
        "apiVersion": version,
        "kind": "ValidatingAdmissionPolicyConfiguration",
        "staticManifestsDir": str(directory),
    }
    plugin = {"name": "ValidatingAdmissionPolicy", "configuration": files}
    return {"apiVersion": version, "kind": "AdmissionConfiguration", "plugins": [plugin]}


def _of_a_file(manifest: Manifest) -> Manifest:
    name = f"{manifest['metadata']['name']}{SUFFIX}"
    spec = {**manifest["spec"], **({"policyName": name} if "policyName" in manifest["spec"] else {})}
    return {**manifest, "metadata": {"name": name}, "spec": spec}
