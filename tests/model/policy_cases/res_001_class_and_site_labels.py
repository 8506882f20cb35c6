from policy_cases import kubernetes as k8s
from policy_cases.declared import REMOVED, UNKNOWN
from shopsphere.estate.placement import DATA_CLASS_LABEL, JURISDICTION_LABEL, OWNER_LABEL, SITE_LABEL

OBJECT = ("metadata", "labels")
TEMPLATE = ("spec", "template", "metadata", "labels")
CRON_TEMPLATE = ("spec", "jobTemplate", "spec", "template", "metadata", "labels")

GOOD = {
    "namespace": k8s.NAMESPACE,
    "deployment": k8s.DEPLOYMENT,
    "stateful set": k8s.STATEFUL_SET,
    "cron job": k8s.CRON_JOB,
    "pod": k8s.POD,
    "volume": k8s.VOLUME,
    "claim": k8s.CLAIM,
    "database": k8s.DATABASE,
    "headquarters": k8s.NAMESPACE.but("metadata", "labels", k8s.labels("aggregate", "newyork", "headquarters")),
}
BAD = {
    "no metadata": (k8s.NAMESPACE.but("metadata", REMOVED), f"metadata.labels has no {DATA_CLASS_LABEL}"),
    "no labels": (k8s.CLAIM.but("metadata", "labels", REMOVED), f"has no {SITE_LABEL}"),
    "no class": (k8s.DEPLOYMENT.but(*OBJECT, DATA_CLASS_LABEL, REMOVED), DATA_CLASS_LABEL),
    "no jurisdiction": (k8s.DEPLOYMENT.but(*OBJECT, JURISDICTION_LABEL, REMOVED), "one of apac, eu, headquarters, us"),
    "no site": (k8s.VOLUME.but(*OBJECT, SITE_LABEL, REMOVED), "one of ashburn, chicago, dublin, frankfurt"),
    "no owner": (k8s.DATABASE.but(*OBJECT, OWNER_LABEL, REMOVED), "allowed: the team that answers for it"),
    "empty owner": (k8s.DATABASE.but(*OBJECT, OWNER_LABEL, ""), "has no shopsphere.io/owner"),
    "unknown class": (k8s.NAMESPACE.but(*OBJECT, DATA_CLASS_LABEL, "secret"), f"{DATA_CLASS_LABEL}: secret"),
    "unknown site": (k8s.NAMESPACE.but(*OBJECT, SITE_LABEL, "paris"), f"{SITE_LABEL}: paris"),
    "template without labels": (
        k8s.DEPLOYMENT.but(*TEMPLATE, REMOVED),
        f"spec.template.metadata.labels has no {DATA_CLASS_LABEL}",
    ),
    "cron template without class": (
        k8s.CRON_JOB.but(*CRON_TEMPLATE, DATA_CLASS_LABEL, REMOVED),
        "spec.jobTemplate.spec.template.metadata.labels has no",
    ),
    "claim template without labels": (
        k8s.STATEFUL_SET.but("spec", "volumeClaimTemplates", 0, "metadata", "labels", {}),
        "spec.volumeClaimTemplates[0].metadata.labels has no",
    ),
    "replica set whose template has no labels": (
        k8s.DEPLOYMENT.of("kubernetes:apps/v1:ReplicaSet").but(*TEMPLATE, REMOVED),
        "spec.template.metadata.labels has no",
    ),
    "replication controller whose template has no labels": (
        k8s.DEPLOYMENT.of("kubernetes:core/v1:ReplicationController").but(*TEMPLATE, REMOVED),
        "spec.template.metadata.labels has no",
    ),
    "job whose template has no labels": (
        k8s.DEPLOYMENT.of("kubernetes:batch/v1:Job").but(*TEMPLATE, REMOVED),
        "spec.template.metadata.labels has no",
    ),
    "deployment of the old group": (
        k8s.DEPLOYMENT.of("kubernetes:extensions/v1beta1:Deployment").but(*TEMPLATE, REMOVED),
        "spec.template.metadata.labels has no",
    ),
    "database that passes nothing on": (
        k8s.DATABASE.but("spec", "inheritedMetadata", REMOVED),
        "spec.inheritedMetadata.labels has no",
    ),
    "labels of the wrong shape": (k8s.NAMESPACE.but("metadata", "labels", "eu"), "metadata.labels is a str"),
    "label of the wrong shape": (k8s.NAMESPACE.but(*OBJECT, SITE_LABEL, 7.0), "is a float"),
    "patch without labels": (k8s.DEPLOYMENT.of("kubernetes:apps/v1:DeploymentPatch").but(*OBJECT, REMOVED), "has no"),
}
UNKNOWN_CASES = {
    "class": (k8s.DEPLOYMENT.but(*OBJECT, DATA_CLASS_LABEL, UNKNOWN), f"metadata.labels.{DATA_CLASS_LABEL}"),
    "labels": (k8s.DEPLOYMENT.but("metadata", "labels", UNKNOWN), "metadata.labels is not known"),
    "template": (k8s.DEPLOYMENT.but("spec", "template", UNKNOWN), "spec.template is not known"),
}
NOT_APPLICABLE = {"settings": k8s.SETTINGS, "storage class": k8s.STORAGE_CLASS, "dns": k8s.DNS, "cdn": k8s.CDN}
