from policy_cases import kubernetes as k8s
from policy_cases.declared import UNKNOWN
from policy_cases.event_log import CLAIM, LOG
from shopsphere.estate.placement import DATA_CLASS_LABEL

CLAIMS = ("spec", "volumeClaimTemplates")
SPEC = (*CLAIMS, 0, "spec")
MOUNTS = ("spec", "template", "spec", "containers", 0, "volumeMounts")
GOOD = {"the event log": LOG}
BAD = {
    "two brokers": (LOG.but("spec", "replicas", 2.0), "spec.replicas: 2"),
    "no volume": (LOG.but(*CLAIMS, []), "spec.volumeClaimTemplates: 0"),
    "two volumes": (LOG.but(*CLAIMS, [CLAIM, CLAIM]), "spec.volumeClaimTemplates: 2"),
    "volumes of any class": (LOG.but(*SPEC, "selector", {}), "volumes of any class"),
    "of another class": (
        LOG.but(*SPEC, "selector", {"matchLabels": {DATA_CLASS_LABEL: "public"}}),
        "volumes of public",
        "volumes of its own class, personal",
    ),
    "another site's": (LOG.but(*SPEC, "storageClassName", "ashburn-pinned"), "storageClassName: ashburn-pinned"),
    "the pod's own disk": (LOG.but(*MOUNTS, [{"name": "tmp", "mountPath": "/var/lib/kafka"}]), "no container has"),
    "elsewhere in the pod": (LOG.but(*MOUNTS, [{"name": "log", "mountPath": "/srv"}]), "no container has the volume"),
}
UNKNOWN_CASES = {"claims": (LOG.but(*CLAIMS, UNKNOWN), "spec.volumeClaimTemplates is not known")}
NOT_APPLICABLE = {"workload": k8s.DEPLOYMENT, "claim": k8s.CLAIM, "database": k8s.DATABASE}
