"""Objects of a site's cluster, databases aside."""

from __future__ import annotations

from collections.abc import Mapping

from policies.listing.metadata import LABELS, POD_SECURITY, object_of
from policies.listing.pods import JOB, SELECTOR, TEMPLATE
from policies.listing.shape import ListedType, Named, Only, Shape
from shopsphere.estate.cluster_rights import BINDINGS
from shopsphere.estate.cluster_role import RBAC
from shopsphere.estate.placement import DATA_CLASS_LABEL, NAME_LABEL, SITE_LABEL, WATTS_RESOURCE

PEERS: tuple[Shape] = (
    {
        "ipBlock": {"cidr": "NET-002 judges it"},
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "a namespace of the same cluster"}},
    },
)
POLICY_PORTS: tuple[Shape] = ({"port": "port", "protocol": "protocol"},)
TERM: Mapping[str, Shape] = {"key": "RES-005 judges it", "operator": "RES-005 judges it", "values": "RES-005 judges it"}
WATTS: Mapping[str, Shape] = {WATTS_RESOURCE: "power; LIM rules judge it"}
DEPLOYMENT: Mapping[str, Shape] = {
    "replicas": "how many; LIM rules judge it",
    "selector": SELECTOR,
    "strategy": {
        "type": "how pods are replaced",
        "rollingUpdate": {"maxSurge": "LIM-006 judges it", "maxUnavailable": "count"},
    },
    "minReadySeconds": "time",
    "revisionHistoryLimit": "count",
    "template": TEMPLATE,
}
STATEFUL_SET: Mapping[str, Shape] = {
    **{key: DEPLOYMENT[key] for key in ("replicas", "selector", "revisionHistoryLimit", "template")},
    "serviceName": "a name for its pods inside the cluster",
    "volumeClaimTemplates": (
        {
            "metadata": {"name": "of the volume in the pod", "labels": LABELS},
            "spec": {
                "storageClassName": "RES-005 judges it",
                "accessModes": "how pods of the site mount it",
                "selector": {"matchLabels": {DATA_CLASS_LABEL: "volumes of one class; EVT-004 judges it"}},
                "resources": {"requests": {"storage": "size; LIM-007 judges it"}},
            },
        },
    ),
}
SERVICE: Mapping[str, Shape] = {
    "type": "NET-003 judges it",
    "externalTrafficPolicy": "keeps the customer's address for limits per source",
    "selector": {
        NAME_LABEL: "pods of the same namespace",
        "cnpg.io/cluster": "instances of one database",
        "cnpg.io/instanceRole": "which of them",
    },
    "ports": ({"name": "for people", "port": "port of the service", "targetPort": "port of the pods"},),
}
AUTOSCALER: Mapping[str, Shape] = {
    "scaleTargetRef": dict.fromkeys(("apiVersion", "kind", "name"), "workload of the same namespace"),
    "minReplicas": "count",
    "maxReplicas": "LIM-003 judges it",
    "metrics": (
        {
            "type": Only("other metrics are asked for outside the cluster", ("Resource",)),
            "resource": {
                "name": "resource of the pods",
                "target": {"type": "kind of target", "averageUtilization": "share (%)"},
            },
        },
    ),
}
VOLUME: Mapping[str, Shape] = {
    "storageClassName": "RES-005 judges it",
    "capacity": {"storage": "size; LIM-007 judges it"},
    "accessModes": "how pods of the site mount it",
    "volumeMode": "file system or blocks",
    "persistentVolumeReclaimPolicy": Only("data outlives its claim until a person has looked at it", ("Retain",)),
    "local": {"path": "directory of the node"},
    "nodeAffinity": {"required": {"nodeSelectorTerms": ({"matchExpressions": (TERM,)},)}},
}
NETWORK_POLICY: Mapping[str, Shape] = {
    "podSelector": {},
    "policyTypes": "both directions",
    "ingress": ({"from": PEERS, "ports": POLICY_PORTS},),
    "egress": ({"to": PEERS, "ports": POLICY_PORTS},),
}
OF_THE_GROUP = Only("roles of Kubernetes alone", (RBAC,))
BOUND_ROLE: Mapping[str, Shape] = {
    "apiGroup": OF_THE_GROUP,
    "kind": Only("the owner of the cluster says what the role may do", ("ClusterRole",)),
    "name": Only(
        "who may do more at the API server can make what is refused here",
        tuple(dict.fromkeys(each.role for each in BINDINGS)),
    ),
}
BOUND_GROUP: Mapping[str, Shape] = {
    "apiGroup": OF_THE_GROUP,
    "kind": Only("a pod's account is no agent and no program of an operator", ("Group",)),
    "name": Only(
        "agents, watchers, drift and operators, and nobody else", tuple(dict.fromkeys(each.group for each in BINDINGS))
    ),
}
LIMITS: tuple[Shape] = ({"type": "of what", "default": WATTS, "defaultRequest": WATTS, "min": WATTS, "max": WATTS},)
QUOTA: Mapping[str, Shape] = {
    f"requests.{WATTS_RESOURCE}": "LIM-005 judges it",
    **dict.fromkeys(("pods", "persistentvolumeclaims", "services.loadbalancers", "services.nodeports"), "count"),
}
CLUSTER_OBJECTS: Mapping[str, ListedType] = {
    "kubernetes:core/v1:Namespace": ListedType(
        "Holds everything of one class; NET-001 closes it.", object_of(labels={**LABELS, **POD_SECURITY})
    ),
    "kubernetes:apps/v1:Deployment": ListedType(
        "A workload; its pods reach what NetworkPolicies let them.", object_of(spec=DEPLOYMENT)
    ),
    "kubernetes:apps/v1:StatefulSet": ListedType(
        "The event log of the site; EVT rules judge where it keeps what, and who reaches it.",
        object_of(spec=STATEFUL_SET),
    ),
    "kubernetes:batch/v1:Job": ListedType(
        "The migration of a database, as its owner; it runs nothing else.", object_of(spec=JOB)
    ),
    "kubernetes:core/v1:Service": ListedType("A name for pods of the cluster.", object_of(spec=SERVICE)),
    "kubernetes:core/v1:ConfigMap": ListedType(
        "Files and settings of pods; RES-009 reads in them which data the pods read.",
        object_of(data=Named("files as the program that reads them names them")),
    ),
    "kubernetes:core/v1:Secret": ListedType(
        "Keys and passwords of pods; RES-009 reads in them which data the pods read.",
        object_of(
            labels={**LABELS, "cnpg.io/reload": "running instances take a changed secret"},
            type="what it is for",
            stringData=Named("keys as the program that reads them names them"),
            data=Named("the same in base64: so the provider itself writes it once the secret exists"),
        ),
    ),
    "kubernetes:autoscaling/v2:HorizontalPodAutoscaler": ListedType(
        "Changes how many pods run, and nothing else.", object_of(spec=AUTOSCALER)
    ),
    "kubernetes:policy/v1:PodDisruptionBudget": ListedType(
        "Keeps pods running; holds nothing.", object_of(spec={"maxUnavailable": "count", "selector": SELECTOR})
    ),
    "kubernetes:core/v1:ResourceQuota": ListedType("Only limits.", object_of(spec={"hard": QUOTA})),
    "kubernetes:core/v1:LimitRange": ListedType("Only limits.", object_of(spec={"limits": LIMITS})),
    "kubernetes:networking.k8s.io/v1:NetworkPolicy": ListedType(
        "Opens a way; NET-002 judges where it leads.", object_of(spec=NETWORK_POLICY)
    ),
    "kubernetes:scheduling.k8s.io/v1:PriorityClass": ListedType(
        "Who goes first when there is no room.", object_of(value="order", description="for people")
    ),
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding": ListedType(
        "Lets agents and programs into a namespace, each group with its own role; RES-007 knows which is where.",
        object_of(roleRef=BOUND_ROLE, subjects=(BOUND_GROUP,)),
    ),
    "kubernetes:core/v1:PersistentVolume": ListedType(
        "A directory of the site's node; RES-005 pins it.", object_of(spec=VOLUME)
    ),
    "kubernetes:storage.k8s.io/v1:StorageClass": ListedType(
        "Volumes of one site; RES-005 pins it.",
        object_of(
            provisioner="RES-005 judges it",
            volumeBindingMode="when a claim binds",
            reclaimPolicy=Only("data outlives its claim until a person has looked at it", ("Retain",)),
            allowedTopologies=({"matchLabelExpressions": ({"key": f"{SITE_LABEL} alone", "values": "the site"},)},),
        ),
    ),
}
