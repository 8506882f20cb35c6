"""What holds data or a name that customers use: by type, and why. What is not known to be made again counts as such.

One table for both locks: programs protect these resources (components/protection.py), and `up` takes none of them away
without its name (shopsphere/deploy/taking.py).
"""

from __future__ import annotations

_KUBERNETES = "kubernetes:"
_EDGE = "pulumi-python:dynamic/edge:"

HOLDS = {
    f"{_KUBERNETES}core/v1:Namespace": "whatever is in it goes with it: databases, claims of volumes, secrets",
    f"{_KUBERNETES}postgresql.cnpg.io/v1:Cluster": "its operator deletes the database's instances and claims with it",
    f"{_KUBERNETES}core/v1:PersistentVolume": "it says where on the site's nodes a database's files are, and whose",
    f"{_KUBERNETES}core/v1:PersistentVolumeClaim": "it is the hold that a pod has on its data",
    f"{_KUBERNETES}storage.k8s.io/v1:StorageClass": "it says that data stays when a claim goes, and at which site",
    f"{_KUBERNETES}apps/v1:StatefulSet": "its pods keep their data in claims that belong to it",
    f"{_EDGE}DnsZone": "every name of every region is in it",
    f"{_EDGE}DnsZoneKeys": "without it resolvers that check signatures take every answer for forged",
    f"{_EDGE}DnsPairState": "the names of its pair follow it: without it they have no answer",
    f"{_EDGE}DnsRRset": "it is a name that customers, sites or resolvers use",
    f"{_EDGE}CdnDistribution": "the pages of every region load their styles and scripts from it",
}
"""Why a resource of this type is not taken away unasked."""

MADE_AGAIN = frozenset(
    f"{_KUBERNETES}{each}"
    for each in (
        "admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy",
        "admissionregistration.k8s.io/v1:ValidatingAdmissionPolicyBinding",
        "apps/v1:Deployment",
        "autoscaling/v2:HorizontalPodAutoscaler",
        "batch/v1:CronJob",
        "batch/v1:Job",
        "core/v1:ConfigMap",
        "core/v1:LimitRange",
        "core/v1:ResourceQuota",
        # Its values are in the stack's configuration, encrypted; keys are renewed, so that names of secrets change.
        "core/v1:Secret",
        "core/v1:Service",
        "core/v1:ServiceAccount",
        "networking.k8s.io/v1:NetworkPolicy",
        "policy/v1:PodDisruptionBudget",
        "rbac.authorization.k8s.io/v1:ClusterRole",
        "rbac.authorization.k8s.io/v1:ClusterRoleBinding",
        "rbac.authorization.k8s.io/v1:Role",
        "rbac.authorization.k8s.io/v1:RoleBinding",
        "scheduling.k8s.io/v1:PriorityClass",
    )
) | {"docker:index/image:Image"}
"""Types of which a deployment makes all that there is to them, out of the program and the stack's configuration."""

_NO_OBJECTS = ("pulumi:", "shopsphere:")
"""Types of which nothing exists outside the state: stacks, providers, and components."""
_UNKNOWN = "nobody has said in shopsphere/estate/holding.py that a deployment makes it again"


def why_kept(kind: str) -> str:
    """Return why a resource of a type is not taken away unasked; empty where it may be.

    Args:
        kind: Pulumi's type token, as in kubernetes:core/v1:Namespace.
    """
    if kind in MADE_AGAIN or kind.startswith(_NO_OBJECTS):
        return ""
    return HOLDS.get(kind, _UNKNOWN)
