from typing import Any

from policy_cases import kubernetes as k8s
from policy_cases.declared import REMOVED, UNKNOWN, Declared
from policy_cases.event_log import LOG
from shopsphere.estate.placement import LOST_NODE_TAINTS
from shopsphere.estate.region_facts import region_facts
from shopsphere.topology import load_topology

CONTAINER = ("spec", "template", "spec", "containers", 0)
POD = ("spec", "template", "spec")


def of(token: str) -> Declared:
    """A resource of another type, without properties."""
    return Declared(token, {})


AUTHORITY = "/etc/shopsphere/pair"
REGION = region_facts(load_topology(environment="lab"), "rdc-a")
ADDRESS = "ledger@ledger.data-ledger.svc.cluster.local:5432/ledger"
MIGRATE = {
    "name": "migrate",
    "image": "registry.example/shop:1",
    "imagePullPolicy": "IfNotPresent",
    "terminationMessagePolicy": "FallbackToLogsOnError",
    "command": ["shop", "migrate", "ledger"],
    "securityContext": {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    },
    "env": [
        {"name": "LEDGER_DSN", "value": f"postgresql://{ADDRESS}?sslmode=verify-full&sslrootcert={AUTHORITY}/ca.crt"},
        {"name": "SHOP_ENVIRONMENT", "value": "lab"},
        {"name": "SHOP_REGION_FACTS", "value": REGION},
        {"name": "SHOP_SITE", "value": "frankfurt"},
        {"name": "LEDGER_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "ledger-owner", "key": "password"}}},
    ],
    "volumeMounts": [
        {"name": "tmp", "mountPath": "/tmp"},
        {"name": "pair-authority", "mountPath": AUTHORITY, "readOnly": True},
    ],
}
JOB_POD: dict[str, Any] = {
    "priorityClassName": "shopsphere-storefront",
    "topologySpreadConstraints": [
        {
            "maxSkew": 1.0,
            "topologyKey": "shopsphere.io/rack",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": {"app.kubernetes.io/name": "ledger-migration"}},
            "matchLabelKeys": ["pod-template-hash"],
        }
    ],
    "restartPolicy": "OnFailure",
    "nodeSelector": {"shopsphere.io/site": "frankfurt"},
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "automountServiceAccountToken": False,
    "enableServiceLinks": False,
    "terminationGracePeriodSeconds": 30.0,
    "containers": [MIGRATE],
    "volumes": [
        {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}},
        {"name": "pair-authority", "secret": {"secretName": "pair-ca", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
    ],
}
RBAC = "rbac.authorization.k8s.io"
JOB_LABELS = {**k8s.labels("payment"), "app.kubernetes.io/name": "ledger-migration"}
JOB = Declared(
    "kubernetes:batch/v1:Job",
    {
        "metadata": {"name": "ledger-migration", "namespace": "data-ledger", "labels": JOB_LABELS},
        "spec": {"backoffLimit": 1000.0, "template": {"metadata": {"labels": JOB_LABELS}, "spec": JOB_POD}},
    },
    "ledger-migration",
)

AGENTS_RIGHT = Declared(
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
    {
        "metadata": {"name": "site-agent", "namespace": "data-commerce", "labels": k8s.labels("personal")},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": "shopsphere:agent-in-databases"},
        "subjects": [{"apiGroup": RBAC, "kind": "Group", "name": "shopsphere:agents"}],
    },
    "site-agent",
)

GOOD = {
    "the event log": LOG,
    "right of the site's agent": AGENTS_RIGHT,
    "the same, where the namespace is yet to be made": AGENTS_RIGHT.but("metadata", "namespace", UNKNOWN),
    "migration": JOB,
    "migration whose secret and namespace are yet to be made": JOB.but("metadata", "namespace", UNKNOWN).but(
        *CONTAINER, "env", 4, "valueFrom", "secretKeyRef", "name", UNKNOWN
    ),
    "namespace": k8s.NAMESPACE,
    "deployment": k8s.DEPLOYMENT,
    "database": k8s.DATABASE,
    "database that leaves lost nodes": k8s.DATABASE.but(
        "spec",
        "affinity",
        {
            "tolerations": [
                {"key": each, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 1.0}
                for each in LOST_NODE_TAINTS
            ]
        },
    ),
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
    "another StatefulSet": (LOG.but("metadata", "name", "redis"), "StatefulSet redis", "the event log"),
    "elsewhere": (LOG.but("metadata", "namespace", "shop"), "StatefulSet kafka in namespace shop"),
    "database of a cloud": (of("aws:rds/instance:Instance"), "type aws:rds/instance:Instance, which nobody has listed"),
    "command of the shell": (of("command:local:Command"), "may send anything anywhere"),
    "provider of one's own": (of("pulumi-python:dynamic:Resource"), "a provider of one's own may send"),
    "rights in the cluster": (
        of("kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding"),
        "can make what is refused",
    ),
    "right of the agent for somebody": (
        AGENTS_RIGHT.but("subjects", 0, "name", "mallory"),
        "subjects[0].name: mallory",
    ),
    "right of the agent for a pod's account": (
        AGENTS_RIGHT.but("subjects", 0, "kind", "ServiceAccount"),
        "subjects[0].kind: ServiceAccount",
        "Group",
    ),
    "another role for the agent": (AGENTS_RIGHT.but("roleRef", "name", "admin"), "roleRef.name: admin"),
    "right of the agent where no database is": (
        AGENTS_RIGHT.but("metadata", "namespace", "shop"),
        "metadata.namespace: shop; shopsphere:agent-in-databases is not for there",
        "data-commerce or data-ledger",
    ),
    "right of the agent for two groups": (
        AGENTS_RIGHT.but("subjects", [{"kind": "Group", "name": "shopsphere:agents"}] * 2),
        "subjects: 2",
    ),
    "right of the agent under a program's name": (
        AGENTS_RIGHT.but("metadata", "name", "site-operate"),
        "metadata.name: site-operate, with shopsphere:agent-in-databases for shopsphere:agents",
    ),
    "right of the agent for operators": (
        AGENTS_RIGHT.but("subjects", 0, "name", "shopsphere:operators"),
        "shopsphere:agent-in-databases for shopsphere:operators",
    ),
    "right of the agent for nobody": (AGENTS_RIGHT.but("subjects", []), "subjects: 0, so that nobody can ask there"),
    "right of the agent in no namespace": (
        AGENTS_RIGHT.but("metadata", "namespace", REMOVED),
        "metadata.namespace: missing",
    ),
    "kind of an operator": (
        of("kubernetes:example.com/v1:Mirror"),
        "which nobody has listed",
        "policies/listing/table.py",
    ),
    "another version of a kind": (of("kubernetes:apps/v1beta1:Deployment"), "apps/v1beta1:Deployment"),
    "component of somebody else": (of("acme:site:Mirror"), "acme:site:Mirror"),
    "job that copies": (
        JOB.but(*CONTAINER, "command", ["pg_dump", "ledger"]),
        "containers[0].command: pg_dump ledger; a job reads and sends",
        "shop migrate commerce or shop migrate ledger",
    ),
    "job that runs what its image says": (JOB.but(*CONTAINER, "command", REMOVED), "command: what the image says"),
    "job with words of its own": (JOB.but(*CONTAINER, "args", ["ledger"]), "containers[0].args"),
    "job under another name": (
        JOB.but("metadata", "name", "ledger-copy"),
        "metadata.name: ledger-copy, a job of no database",
        "commerce-migration or ledger-migration",
    ),
    "job elsewhere": (JOB.but("metadata", "namespace", "shop"), "metadata.namespace: shop, in a pod that has the own"),
    "job with a path of its own": (
        JOB.but(*CONTAINER, "env", [{"name": "PATH", "value": "/tmp"}, *MIGRATE["env"]]),
        "containers[0].env: 6, in a pod that has the owner's password",
    ),
    "job at another server": (
        JOB.but(*CONTAINER, "env", 0, "value", "postgresql://ledger@elsewhere/ledger"),
        "env[0].value: postgresql://ledger@elsewhere/ledger",
    ),
    "job with another secret": (
        JOB.but(*POD, "volumes", 1, "secret", "secretName", "ledger-server"),
        "volumes[1].secret.secretName: ledger-server",
    ),
    "job without its authority": (JOB.but(*POD, "volumes", [JOB_POD["volumes"][0]]), "spec.volumes: 1"),
    "job with a null in place of what is wanted": (JOB.but(*POD, "restartPolicy", None), "restartPolicy: missing"),
    "job without an end": (JOB.but(*POD, "terminationGracePeriodSeconds", REMOVED), "PeriodSeconds: missing"),
    "job with one in place of a truth": (JOB.but(*POD, "enableServiceLinks", 0.0), "enableServiceLinks: 0.0"),
    "job before everything": (
        JOB.but(*POD, "priorityClassName", "system-node-critical"),
        "priorityClassName: system-node-critical",
        "shopsphere-storefront",
    ),
    "job that has to be elsewhere": (
        JOB.but(*POD, "topologySpreadConstraints", 0, "whenUnsatisfiable", "DoNotSchedule"),
        "topologySpreadConstraints[0].whenUnsatisfiable: DoNotSchedule",
    ),
    "job of another region": (JOB.but(*CONTAINER, "env", 2, "value", "{}"), "env[2].value: {}"),
    "workload beside a database": (
        k8s.DEPLOYMENT.but("metadata", "namespace", "data-ledger"),
        "metadata.namespace: data-ledger; a pod beside a database can take its owner's password",
        "the workload's own namespace",
    ),
    "job that does something before": (
        JOB.but(*POD, "initContainers", [{"name": "x"}]),
        "spec.template.spec.initContainers",
    ),
    "job at the node's network": (JOB.but(*POD, "hostNetwork", True), "spec.template.spec.hostNetwork: its packets"),
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
    "toleration of every taint": (
        k8s.DATABASE.but("spec", "affinity", {"tolerations": [{"operator": "Exists", "effect": "NoExecute"}]}),
        "spec.affinity.tolerations[0]: without a key",
    ),
    "toleration of a taint that sets nodes apart": (
        k8s.DATABASE.but("spec", "affinity", {"tolerations": [{"key": "other", "effect": "NoExecute"}]}),
        "spec.affinity.tolerations[0].key: other",
    ),
    "toleration of nodes that are set apart for others": (
        k8s.DATABASE.but("spec", "affinity", {"tolerations": [{"key": LOST_NODE_TAINTS[0], "effect": "NoSchedule"}]}),
        "spec.affinity.tolerations[0].effect: NoSchedule",
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
