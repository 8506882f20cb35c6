from policy_cases import kubernetes as k8s
from policy_cases.declared import UNKNOWN, Declared

CONTAINER = ("spec", "template", "spec", "containers", 0)
POD = ("spec", "template", "spec")


def of(token: str) -> Declared:
    """A resource of another type, without properties."""
    return Declared(token, {})


GOOD = {
    "namespace": k8s.NAMESPACE,
    "deployment": k8s.DEPLOYMENT,
    "database": k8s.DATABASE,
    "volume": k8s.VOLUME,
    "provider": k8s.PROVIDER,
    "name in the zone": k8s.DNS,
    "provider of the edge's own, with the project's configuration": Declared(
        "pulumi:providers:pulumi-python", {"shopsphere:cdnUrl": "https://cdn.example"}
    ),
    "settings with names of their own": k8s.SETTINGS.but("data", {"haproxy.cfg": "x", "x.html": "y"}),
    "privileges taken away": k8s.DEPLOYMENT.but(*CONTAINER, "securityContext", {"allowPrivilegeEscalation": False}),
    "value that is not looked at": k8s.DEPLOYMENT.but(*CONTAINER, "image", UNKNOWN),
    "field without a value": k8s.DEPLOYMENT.but(*POD, "securityContext", None),
    "patch of a listed type": k8s.DEPLOYMENT.of("kubernetes:apps/v1:DeploymentPatch"),
}
BAD = {
    "database of a cloud": (of("aws:rds/instance:Instance"), "type aws:rds/instance:Instance, which nobody has listed"),
    "command of the shell": (of("command:local:Command"), "may send anything anywhere"),
    "provider of one's own": (of("pulumi-python:dynamic:Resource"), "a provider of one's own may send"),
    "rights in the cluster": (
        of("kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding"),
        "can make what is refused",
    ),
    "kind of an operator": (
        of("kubernetes:example.com/v1:Mirror"),
        "which nobody has listed",
        "policies/listing/table.py",
    ),
    "another version of a kind": (of("kubernetes:apps/v1beta1:Deployment"), "apps/v1beta1:Deployment"),
    "component of somebody else": (of("acme:site:Mirror"), "acme:site:Mirror"),
    "network of the node": (
        k8s.DEPLOYMENT.but(*POD, "hostNetwork", True),
        "spec.template.spec.hostNetwork: its packets",
    ),
    "network of the node, denied": (k8s.DEPLOYMENT.but(*POD, "hostNetwork", UNKNOWN), "spec.template.spec.hostNetwork"),
    "privileged container": (
        k8s.DEPLOYMENT.but(*CONTAINER, "securityContext", {"privileged": True}),
        "containers[0].securityContext.privileged: it is root of the node",
    ),
    "container that becomes root": (
        k8s.DEPLOYMENT.but(*CONTAINER, "securityContext", {"allowPrivilegeEscalation": True}),
        "securityContext.allowPrivilegeEscalation: True",
        "allowed: False",
    ),
    "number for a truth": (
        k8s.DEPLOYMENT.but(*CONTAINER, "securityContext", {"allowPrivilegeEscalation": 0.0}),
        "allowPrivilegeEscalation: 0.0",
    ),
    "field nobody thought of": (k8s.DEPLOYMENT.but("spec", "paused", True), "spec.paused, which nobody has listed"),
    "annotation that an operator reads": (
        k8s.DEPLOYMENT.but("metadata", "annotations", {"sidecar.istio.io/inject": "true"}),
        "metadata.annotations.sidecar.istio.io/inject",
    ),
    "label that a controller reads": (
        k8s.NAMESPACE.but("metadata", "labels", "istio-injection", "enabled"),
        "istio-inj",
    ),
    "backup": (k8s.DATABASE.but("spec", "backup", {}), "spec.backup: a backup is a copy of everything"),
    "disk of the node": (
        k8s.DEPLOYMENT.but(*POD, "volumes", [{"name": "x", "hostPath": {"path": "/"}}]),
        "volumes[0].hostPath: it reads the node's disk",
    ),
    "provider's other fields": (k8s.PROVIDER.but("cluster", "ashburn"), "cluster, which nobody has listed"),
    "mapping in place of names": (k8s.SETTINGS.but("data", ["x"]), "data is a list"),
    "text in place of a mapping": (k8s.DEPLOYMENT.but("spec", "strategy", "fast"), "spec.strategy is a str"),
}
UNKNOWN_CASES = {
    "spec": (k8s.DEPLOYMENT.but("spec", UNKNOWN), "spec is not known"),
    "value of which few are allowed": (
        k8s.DEPLOYMENT.but(*CONTAINER, "securityContext", {"allowPrivilegeEscalation": UNKNOWN}),
        "allowPrivilegeEscalation is not known",
    ),
}
NOT_APPLICABLE = {"component": k8s.COMPONENT, "stack": of("pulumi:pulumi:Stack")}
