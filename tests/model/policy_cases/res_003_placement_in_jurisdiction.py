from policy_cases import kubernetes as k8s
from policy_cases.declared import UNKNOWN
from shopsphere.estate.placement import DATA_CLASS_LABEL, JURISDICTION_LABEL, SITE_LABEL

OBJECT = ("metadata", "labels")
TEMPLATE = ("spec", "template", "metadata", "labels")
NODES = ("spec", "template", "spec", "nodeSelector")
DATABASE_NODES = ("spec", "affinity", "nodeSelector")

GOOD = {
    "personal at home": k8s.DEPLOYMENT,
    "payment at home": k8s.DATABASE,
    "at the recovery site": k8s.NAMESPACE.but(*OBJECT, k8s.labels("fulfilment", "dublin")),
    "public anywhere": k8s.NAMESPACE.but(*OBJECT, k8s.labels("public", "sydney", "apac")),
    "aggregate at headquarters": k8s.NAMESPACE.but(*OBJECT, k8s.labels("aggregate", "newyork", "headquarters")),
    "pods on the site's nodes": k8s.DEPLOYMENT.but(*NODES, {SITE_LABEL: "frankfurt"}),
    "pods in a rack": k8s.DEPLOYMENT.but(*NODES, {"shopsphere.io/rack": "r1"}),
    "instances on the site's nodes": k8s.DATABASE.but(*DATABASE_NODES, {SITE_LABEL: "frankfurt"}),
    "label missing, which another rule refuses": k8s.NAMESPACE.but(*OBJECT, {}),
    "site unknown to the topology, which another rule refuses": k8s.NAMESPACE.but(*OBJECT, SITE_LABEL, "paris"),
}
BAD = {
    "aggregate outside headquarters": (
        k8s.NAMESPACE.but(*OBJECT, DATA_CLASS_LABEL, "aggregate"),
        "class aggregate of jurisdiction eu at site frankfurt",
        "aggregate of eu at newyork",
    ),
    "personal at another jurisdiction's site": (
        k8s.VOLUME.but(*OBJECT, SITE_LABEL, "ashburn"),
        "class personal of jurisdiction eu at site ashburn",
        "dublin, frankfurt",
    ),
    "personal at headquarters": (
        k8s.NAMESPACE.but(*OBJECT, k8s.labels("personal", "newyork", "headquarters")),
        "class personal of jurisdiction headquarters at site newyork",
        "at no site",
    ),
    "regional data at headquarters": (
        k8s.NAMESPACE.but(*OBJECT, k8s.labels("payment", "newyork", "us")),
        "class payment of jurisdiction us at site newyork",
        "ashburn, chicago",
    ),
    "public under another's law": (
        k8s.NAMESPACE.but(*OBJECT, k8s.labels("public", "frankfurt", "us")),
        "jurisdiction us at site frankfurt",
        "jurisdiction eu at frankfurt",
    ),
    "template unlike its object": (
        k8s.DEPLOYMENT.but(*TEMPLATE, JURISDICTION_LABEL, "us"),
        "spec.template.metadata.labels",
    ),
    "claim template unlike its object": (
        k8s.STATEFUL_SET.but("spec", "volumeClaimTemplates", 0, *OBJECT, SITE_LABEL, "chicago"),
        "spec.volumeClaimTemplates[0]",
    ),
    "pods of a database unlike it": (
        k8s.DATABASE.but("spec", "inheritedMetadata", "labels", SITE_LABEL, "sydney"),
        "spec.inheritedMetadata.labels",
        "dublin, frankfurt",
    ),
    "pods on another site's nodes": (
        k8s.DEPLOYMENT.but(*NODES, {SITE_LABEL: "ashburn"}),
        "spec.template.spec.nodeSelector: nodes of ashburn for a workload of frankfurt",
        "nodes of frankfurt",
    ),
    "a job's pods on the peer's nodes": (
        k8s.CRON_JOB.but("spec", "jobTemplate", "spec", "template", "spec", "nodeSelector", {SITE_LABEL: "dublin"}),
        "spec.jobTemplate.spec.template.spec.nodeSelector: nodes of dublin",
    ),
    "instances on another site's nodes": (
        k8s.DATABASE.but(*DATABASE_NODES, {SITE_LABEL: "sydney"}),
        "found:   spec.affinity.nodeSelector: nodes of sydney",
    ),
    "template elsewhere of an object without labels": (
        k8s.DEPLOYMENT.but(*OBJECT, {}).but(*TEMPLATE, JURISDICTION_LABEL, "us"),
        "spec.template.metadata.labels",
    ),
}
UNKNOWN_CASES = {
    "class": (k8s.DEPLOYMENT.but(*OBJECT, DATA_CLASS_LABEL, UNKNOWN), f"metadata.labels.{DATA_CLASS_LABEL}"),
    "nodes": (k8s.DEPLOYMENT.but(*NODES, {SITE_LABEL: UNKNOWN}), f"nodeSelector.{SITE_LABEL}"),
    "site": (k8s.DATABASE.but("spec", "inheritedMetadata", "labels", SITE_LABEL, UNKNOWN), "inheritedMetadata"),
}
NOT_APPLICABLE = {"settings": k8s.SETTINGS, "quota": k8s.QUOTA, "dns": k8s.DNS}
