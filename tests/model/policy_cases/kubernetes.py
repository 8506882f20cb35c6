"""One good resource of each kind that rules look at, all of Frankfurt."""

from __future__ import annotations

from typing import Any

from policy_cases.declared import Declared
from shopsphere.estate.placement import (
    DATA_CLASS_LABEL,
    JURISDICTION_LABEL,
    OWNER_LABEL,
    SITE_LABEL,
    WATTS_RESOURCE,
)


def labels(data_class: str = "personal", site: str = "frankfurt", jurisdiction: str = "eu") -> dict[str, str]:
    return {
        DATA_CLASS_LABEL: data_class,
        JURISDICTION_LABEL: jurisdiction,
        SITE_LABEL: site,
        OWNER_LABEL: "storefront",
    }


def resources(watts: int = 14, cpu: str = "1", memory: str = "1Gi") -> dict[str, Any]:
    power = {WATTS_RESOURCE: str(watts)}
    return {"requests": {"cpu": cpu, "memory": memory, **power}, "limits": {"memory": memory, **power}}


def pod(watts: int = 14) -> dict[str, Any]:
    container = {"name": "shop", "image": "registry.example/shop:1.0", "resources": resources(watts)}
    return {"containers": [container], "volumes": [{"name": "tmp", "emptyDir": {}}]}


def at_site(site: str = "frankfurt") -> dict[str, Any]:
    return {"key": SITE_LABEL, "operator": "In", "values": [site]}


def external(site: str, host: str, database: str = "ledger") -> dict[str, Any]:
    return {
        "name": f"{database}-{site}",
        "connectionParameters": {"host": host, "port": "30033", "sslmode": "verify-ca"},
        "sslRootCert": {"name": "pair-ca", "key": "ca.crt"},
    }


NAMESPACE = Declared(
    "kubernetes:core/v1:Namespace",
    {"metadata": {"name": "shop", "labels": {**labels(), "pod-security.kubernetes.io/enforce": "restricted"}}},
    "shop",
)
DEPLOYMENT = Declared(
    "kubernetes:apps/v1:Deployment",
    {
        "metadata": {"name": "shop", "namespace": "shop", "labels": labels()},
        "spec": {"replicas": 2.0, "template": {"metadata": {"labels": labels()}, "spec": pod()}},
    },
    "shop",
)
STATEFUL_SET = DEPLOYMENT.of("kubernetes:apps/v1:StatefulSet").but(
    "spec",
    "volumeClaimTemplates",
    [{"metadata": {"name": "data", "labels": labels()}, "spec": {"storageClassName": "frankfurt-pinned"}}],
)
CRON_JOB = Declared(
    "kubernetes:batch/v1:CronJob",
    {
        "metadata": {"name": "report", "namespace": "shop", "labels": labels()},
        "spec": {"jobTemplate": {"spec": {"template": {"metadata": {"labels": labels()}, "spec": pod()}}}},
    },
    "report",
)
POD = Declared("kubernetes:core/v1:Pod", {"metadata": {"name": "one", "labels": labels()}, "spec": pod()}, "one")
VOLUME = Declared(
    "kubernetes:core/v1:PersistentVolume",
    {
        "metadata": {"name": "frankfurt-v1", "labels": labels()},
        "spec": {
            "storageClassName": "frankfurt-pinned",
            "capacity": {"storage": "2Gi"},
            "local": {"path": "/srv/volumes/v1"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [at_site()]}]}},
        },
    },
    "frankfurt-v1",
)
CLAIM = Declared(
    "kubernetes:core/v1:PersistentVolumeClaim",
    {"metadata": {"name": "data", "labels": labels()}, "spec": {"storageClassName": "frankfurt-pinned"}},
    "data",
)
STORAGE_CLASS = Declared(
    "kubernetes:storage.k8s.io/v1:StorageClass",
    {
        "metadata": {"name": "frankfurt-pinned", "labels": {SITE_LABEL: "frankfurt"}},
        "provisioner": "kubernetes.io/no-provisioner",
        "allowedTopologies": [{"matchLabelExpressions": [{"key": SITE_LABEL, "values": ["frankfurt"]}]}],
    },
    "frankfurt-pinned",
)
DATABASE = Declared(
    "kubernetes:postgresql.cnpg.io/v1:Cluster",
    {
        "metadata": {"name": "ledger-frankfurt", "namespace": "data-ledger", "labels": labels("payment")},
        "spec": {
            "instances": 1.0,
            "imageName": "registry.example/postgresql:15.18",
            "inheritedMetadata": {"labels": labels("payment")},
            "resources": resources(),
            "storage": {"size": "1Gi", "storageClass": "frankfurt-pinned"},
            "bootstrap": {"pg_basebackup": {"source": "ledger-dublin"}},
            "replica": {"self": "ledger-frankfurt", "primary": "ledger-frankfurt", "source": "ledger-dublin"},
            "postgresql": {"synchronous": {"standbyNamesPre": ["ledger-dublin"]}},
            "externalClusters": [external("frankfurt", "10.99.0.11"), external("dublin", "10.99.0.12")],
        },
    },
    "ledger-frankfurt",
)
QUOTA = Declared(
    "kubernetes:core/v1:ResourceQuota",
    {
        "metadata": {"name": "power", "namespace": "shop", "labels": {SITE_LABEL: "frankfurt"}},
        "spec": {"hard": {f"requests.{WATTS_RESOURCE}": "100000"}},
    },
    "shop-power",
)
AUTOSCALER = Declared(
    "kubernetes:autoscaling/v2:HorizontalPodAutoscaler",
    {
        "metadata": {"name": "shop", "namespace": "shop"},
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "shop"}, "maxReplicas": 10.0},
    },
    "shop",
)
SETTINGS = Declared(
    "kubernetes:core/v1:ConfigMap", {"metadata": {"name": "settings", "labels": labels()}, "data": {}}, "settings"
)
CLOSED = Declared(
    "kubernetes:networking.k8s.io/v1:NetworkPolicy",
    {
        "metadata": {"name": "default-deny", "namespace": "shop", "labels": labels()},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
    },
    "shop-default-deny",
)
SERVICE = Declared(
    "kubernetes:core/v1:Service",
    {
        "metadata": {"name": "shop", "namespace": "shop", "labels": labels()},
        "spec": {"selector": {"app.kubernetes.io/name": "shop"}, "ports": [{"name": "http", "port": 80.0}]},
    },
    "shop",
)
PROVIDER = Declared(
    "pulumi:providers:kubernetes",
    {"clusterIdentifier": "frankfurt", "context": "frankfurt", "kubeconfig": "/none/such"},
    "frankfurt",
    provider=None,
)
CDN = Declared(
    "pulumi-python:dynamic/edge:CdnDistribution",
    {
        "dataClass": "public",
        "paths": ["/static/", "/media/"],
        "hostNames": ["static.shopsphere.test"],
        "origins": [{"name": "frankfurt", "address": "10.99.0.11", "port": 8443.0}],
        "originName": "www.shopsphere.test",
    },
    "static",
    "lab",
    None,
)
DNS = Declared(
    "pulumi-python:dynamic/edge:DnsRRset",
    {
        "zone": "shopsphere.test.",
        "name": "dublin.shopsphere.test.",
        "type": "A",
        "ttl": 60.0,
        "records": ["10.99.0.12"],
    },
    "dublin",
    "lab",
    None,
)
COMPONENT = Declared("shopsphere:edge:CdnOrigin", {}, "cdn", "lab", None)
