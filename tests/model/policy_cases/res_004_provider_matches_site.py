from policy_cases import kubernetes as k8s
from policy_cases.declared import UNKNOWN
from shopsphere.estate.placement import SITE_LABEL

GOOD = {
    "labelled": k8s.DEPLOYMENT,
    "without labels": k8s.SETTINGS.but("metadata", {"name": "settings"}),
    "stack named after no site": k8s.DEPLOYMENT.in_stack("dev"),
    "production": k8s.DEPLOYMENT.in_stack("prod-frankfurt"),
}
BAD = {
    "default provider": (k8s.SETTINGS.by(None), "provider 'by default'", "explicit provider"),
    "provider that names no cluster": (k8s.SETTINGS.by({}), "cluster_identifier 'missing'", "one of ashburn"),
    "provider of an unknown cluster": (k8s.SETTINGS.by({"clusterIdentifier": "paris"}), "'paris'"),
    "another site's cluster": (
        k8s.DEPLOYMENT.by({"clusterIdentifier": "ashburn"}),
        "the cluster of ashburn from stack lab-frankfurt",
        "the label of site frankfurt in the cluster of ashburn",
    ),
    "another site's label": (
        k8s.VOLUME.but("metadata", "labels", SITE_LABEL, "dublin"),
        "the label of site dublin in the cluster of frankfurt",
    ),
    "template with another site's label": (
        k8s.DEPLOYMENT.but("spec", "template", "metadata", "labels", SITE_LABEL, "dublin"),
        "spec.template.metadata.labels: the label of site dublin in the cluster of frankfurt",
    ),
    "instances with another site's label": (
        k8s.DATABASE.but("spec", "inheritedMetadata", "labels", SITE_LABEL, "dublin"),
        "spec.inheritedMetadata.labels: the label of site dublin",
    ),
    "secret in another site's cluster": (
        k8s.SETTINGS.of("kubernetes:core/v1:Secret").but("metadata", {}).by({"clusterIdentifier": "chicago"}),
        "the cluster of chicago from stack lab-frankfurt",
    ),
}
UNKNOWN_CASES = {
    "cluster": (k8s.SETTINGS.by({"clusterIdentifier": UNKNOWN}), "clusterIdentifier is not known"),
    "label": (k8s.VOLUME.but("metadata", "labels", SITE_LABEL, UNKNOWN), f"metadata.labels.{SITE_LABEL}"),
}
NOT_APPLICABLE = {
    "dns": k8s.DNS,
    "component": k8s.COMPONENT,
    "group": k8s.SETTINGS.of("kubernetes:yaml/v2:ConfigGroup"),
    "chart": k8s.SETTINGS.of("kubernetes:helm.sh/v4:Chart"),
    "folder of kustomize": k8s.SETTINGS.of("kubernetes:kustomize/v2:Directory"),
}
