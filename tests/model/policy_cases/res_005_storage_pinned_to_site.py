from policy_cases import kubernetes as k8s
from policy_cases.declared import REMOVED, UNKNOWN
from shopsphere.estate.placement import RACK_LABEL, SITE_LABEL

TERMS = ("spec", "nodeAffinity", "required", "nodeSelectorTerms")
VALUES = (*TERMS, 0, "matchExpressions", 0, "values")
TOPOLOGIES = ("allowedTopologies", 0, "matchLabelExpressions", 0)
VOLUMES = ("spec", "template", "spec", "volumes")
EPHEMERAL = {
    "name": "scratch",
    "ephemeral": {"volumeClaimTemplate": {"spec": {"storageClassName": "frankfurt-pinned"}}},
}
ANYWHERE = {"matchExpressions": [{"key": RACK_LABEL, "operator": "In", "values": ["r1"]}]}

GOOD = {
    "storage class": k8s.STORAGE_CLASS,
    "storage class known by its provider": k8s.STORAGE_CLASS.but("metadata", "labels", REMOVED),
    "volume": k8s.VOLUME,
    "volume in a rack": k8s.VOLUME.but(*TERMS, 0, "matchExpressions", [k8s.at_site(), ANYWHERE["matchExpressions"][0]]),
    "claim": k8s.CLAIM,
    "stateful set": k8s.STATEFUL_SET,
    "database": k8s.DATABASE,
    "ephemeral volume": k8s.DEPLOYMENT.but(*VOLUMES, [EPHEMERAL]),
    "pod without volumes": k8s.DEPLOYMENT.but(*VOLUMES, REMOVED),
    "sources that stay at the node or go through a claim": k8s.DEPLOYMENT.but(
        *VOLUMES,
        [
            {"name": each.lower(), each: {}}
            for each in ("configMap", "secret", "projected", "downwardAPI", "persistentVolumeClaim", "image")
        ],
    ),
    "volume with every field that names no source": k8s.VOLUME.but("spec", "accessModes", ["ReadWriteOnce"])
    .but("spec", "volumeMode", "Filesystem")
    .but("spec", "persistentVolumeReclaimPolicy", "Retain")
    .but("spec", "claimRef", {"name": "data", "namespace": "shop"})
    .but("spec", "mountOptions", ["noatime"])
    .but("spec", "volumeAttributesClassName", "fast"),
}
BAD = {
    "storage class for anywhere": (
        k8s.STORAGE_CLASS.but("allowedTopologies", REMOVED),
        "found:   no allowedTopologies",
    ),
    "storage class for two sites": (
        k8s.STORAGE_CLASS.but(*TOPOLOGIES, "values", ["frankfurt", "dublin"]),
        "found:   allowedTopologies with a term for another place",
    ),
    "storage class for another site": (
        k8s.STORAGE_CLASS.but(*TOPOLOGIES, "values", ["ashburn"]),
        "found:   allowedTopologies with a term for another place",
    ),
    "storage class by another label": (k8s.STORAGE_CLASS.but(*TOPOLOGIES, "key", "zone"), "in [frankfurt]"),
    "storage class named otherwise": (k8s.STORAGE_CLASS.but("metadata", "name", "fast"), "metadata.name: fast"),
    "storage class of a driver": (
        k8s.STORAGE_CLASS.but("provisioner", "nfs.csi.k8s.io"),
        "provisioner: nfs.csi.k8s.io",
    ),
    "storage class without a provisioner": (k8s.STORAGE_CLASS.but("provisioner", REMOVED), "provisioner: missing"),
    "storage class with a driver's parameters": (
        k8s.STORAGE_CLASS.but("parameters", {"server": "x"}),
        "parameters, which",
    ),
    "storage class of no site": (
        k8s.STORAGE_CLASS.but("metadata", "labels", REMOVED).by(None),
        "neither a site label nor a site's provider",
    ),
    "volume for anywhere": (k8s.VOLUME.but("spec", "nodeAffinity", REMOVED), "found:   no spec.nodeAffinity"),
    "volume at another site": (
        k8s.VOLUME.but(*VALUES, ["ashburn"]),
        "found:   spec.nodeAffinity with a term for another place",
    ),
    "volume at two sites": (k8s.VOLUME.but(*VALUES, ["frankfurt", "ashburn"]), "In [frankfurt]"),
    "volume with an alternative": (
        k8s.VOLUME.but(*TERMS, [{"matchExpressions": [k8s.at_site()]}, ANYWHERE]),
        "found:   spec.nodeAffinity with a term for another place",
    ),
    "volume anywhere but here": (
        k8s.VOLUME.but(*TERMS, 0, "matchExpressions", 0, "operator", "NotIn"),
        "found:   spec.nodeAffinity with a term for another place",
    ),
    "volume over a network": (
        k8s.VOLUME.but("spec", "nfs", {"server": "10.99.0.21", "path": "/"}).but("spec", "local", REMOVED),
        "source nfs",
        "allowed: local",
    ),
    "volume of a driver": (
        k8s.VOLUME.but("spec", "csi", {"driver": "efs.csi.aws.com"}).but("spec", "local", REMOVED),
        "source csi",
    ),
    "volume of another class": (
        k8s.VOLUME.but("spec", "storageClassName", "ashburn-pinned"),
        "found:   spec.storageClassName: ashburn-pinned",
    ),
    "claim of another site": (k8s.CLAIM.but("spec", "storageClassName", "ashburn-pinned"), "frankfurt-pinned"),
    "claim of the default class": (
        k8s.CLAIM.but("spec", {}),
        "found:   spec.storageClassName: none, so the cluster chooses",
    ),
    "claim template of another site": (
        k8s.STATEFUL_SET.but("spec", "volumeClaimTemplates", 0, "spec", "storageClassName", "sydney-pinned"),
        "spec.volumeClaimTemplates[0].spec.storageClassName: sydney-pinned",
    ),
    "database at another site": (
        k8s.DATABASE.but("spec", "storage", "storageClass", "ashburn-pinned"),
        "found:   spec.storage.storageClass: ashburn-pinned",
    ),
    "database without a class": (k8s.DATABASE.but("spec", "storage", {"size": "1Gi"}), "none, so the cluster chooses"),
    "log at another site": (
        k8s.DATABASE.but("spec", "walStorage", {"storageClass": "chicago-pinned"}),
        "found:   spec.walStorage.storageClass: chicago-pinned",
    ),
    "claim template that says otherwise": (
        k8s.DATABASE.but("spec", "storage", "pvcTemplate", {"storageClassName": "ashburn-pinned"}),
        "spec.storage.pvcTemplate.storageClassName: ashburn-pinned",
    ),
    "tablespace at another site": (
        k8s.DATABASE.but("spec", "tablespaces", [{"name": "t", "storage": {"storageClass": "ashburn-pinned"}}]),
        "spec.tablespaces[0].storage.storageClass: ashburn-pinned",
    ),
    "pod with a network volume": (
        k8s.DEPLOYMENT.but(*VOLUMES, [{"name": "x", "nfs": {"server": "10.99.0.21"}}]),
        "volumes[0] from nfs",
    ),
    "ephemeral volume of another site": (
        k8s.DEPLOYMENT.but(*VOLUMES, [{"name": "x", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}}]),
        "volume 'x': ephemeral storageClassName: none",
    ),
}
UNKNOWN_CASES = {
    "class of a claim": (k8s.CLAIM.but("spec", "storageClassName", UNKNOWN), "spec.storageClassName is not known"),
    "site of a volume": (k8s.VOLUME.but(*VALUES, 0, UNKNOWN), "nodeSelectorTerms"),
    "topologies": (k8s.STORAGE_CLASS.but("allowedTopologies", UNKNOWN), "allowedTopologies is not known"),
    "site label": (k8s.VOLUME.but("metadata", "labels", SITE_LABEL, UNKNOWN), SITE_LABEL),
}
NOT_APPLICABLE = {
    "settings": k8s.SETTINGS,
    "namespace": k8s.NAMESPACE,
    "dns": k8s.DNS,
    "kind of another group with the name": k8s.STORAGE_CLASS.of("kubernetes:example.com/v1:StorageClass"),
    "another kind of the group": k8s.SETTINGS.of("kubernetes:storage.k8s.io/v1:CSIDriver"),
}
