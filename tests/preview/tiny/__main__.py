"""A site in small: one resource of each kind that rules judge. Its configuration can spoil one fact at a time."""

from __future__ import annotations

from typing import Any, TypeAlias

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi.dynamic import CreateResult, Resource, ResourceProvider
from pulumi_kubernetes.apiextensions import CustomResource

CONFIG = pulumi.Config()
SITE_LABEL = "shopsphere.io/site"
Manifest: TypeAlias = Any
"""A part of a manifest that is put together from several places; the literal unions of the SDK cost a checker hours."""


def fact(name: str, default: str) -> str:
    return CONFIG.get(name) or default


class Outside(ResourceProvider):
    """Something whose outputs exist only after the update."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult("outside", {**props, "later": "personal"})


class Cdn(Resource, module="edge", name="CdnDistribution"):
    later: pulumi.Output[str]


def labels(data_class: pulumi.Input[str]) -> dict[str, pulumi.Input[str]]:
    return {
        "shopsphere.io/data-class": data_class,
        "shopsphere.io/jurisdiction": "eu",
        SITE_LABEL: "frankfurt",
        "shopsphere.io/owner": "storefront",
    }


provider = kubernetes.Provider(
    "site",
    render_yaml_to_directory=CONFIG.require("rendered"),
    cluster_identifier=fact("cluster", "frankfurt"),
)
here = pulumi.ResourceOptions(provider=provider)
cdn = Cdn(
    Outside(),
    "static",
    {"dataClass": fact("cdnClass", "public"), "paths": [fact("cdnPath", "/static/")], "later": None},
)
data_class = cdn.later if CONFIG.get_bool("unknownClass") else fact("dataClass", "personal")
kubernetes.core.v1.Namespace("shop", metadata={"name": "shop", "labels": labels(data_class)}, opts=here)
kubernetes.core.v1.ResourceQuota(
    "power",
    metadata={"name": "power", "namespace": "shop", "labels": labels("personal")},
    spec={"hard": {"requests.shopsphere.io/watts": fact("quota", "1000")}},
    opts=here,
)
pinned = fact("storageClass", "frankfurt-pinned")
at_site: Manifest = {"key": SITE_LABEL, "operator": "In", "values": [fact("volumeSite", "frankfurt")]}
kubernetes.storage.v1.StorageClass(
    "pinned",
    metadata={"name": "frankfurt-pinned", "labels": labels("personal")},
    provisioner="kubernetes.io/no-provisioner",
    allowed_topologies=[{"match_label_expressions": [{"key": SITE_LABEL, "values": ["frankfurt"]}]}],
    opts=here,
)
volume: Manifest = {
    "storage_class_name": "frankfurt-pinned",
    "capacity": {"storage": "1Gi"},
    "access_modes": ["ReadWriteOnce"],
    "local": {"path": "/srv/volumes/v1"},
    "node_affinity": {"required": {"node_selector_terms": [{"match_expressions": [at_site]}]}},
}
kubernetes.core.v1.PersistentVolume("v1", metadata={"name": "v1", "labels": labels("personal")}, spec=volume, opts=here)
kubernetes.core.v1.PersistentVolumeClaim(
    "data",
    metadata={"name": "data", "namespace": "shop", "labels": labels("personal")},
    spec={
        "storage_class_name": pinned,
        "access_modes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
    },
    opts=here,
)
for_payments: Manifest = {
    **volume,
    "capacity": {"storage": fact("capacity", "1Gi")},
    "local": {"path": "/srv/volumes/v2"},
}
kubernetes.core.v1.PersistentVolume(
    "v2", metadata={"name": "v2", "labels": labels("payment")}, spec=for_payments, opts=here
)
power = {"shopsphere.io/watts": fact("watts", "14")}
container: Manifest = {
    "name": "shop",
    "image": "localhost/shop:1",
    "resources": {"requests": {"cpu": "1", "memory": "1Gi", **power}, "limits": {"memory": "1Gi", **power}},
}
deployment: Manifest = {
    "replicas": int(fact("replicas", "2")),
    "selector": {"match_labels": {"app": "shop"}},
    "template": {
        "metadata": {"labels": {"app": "shop", **labels("personal")}},
        "spec": {"containers": [container], "node_selector": {"shopsphere.io/rack": fact("rack", "r8")}},
    },
}
kubernetes.apps.v1.Deployment(
    "shop",
    metadata={"name": "shop", "namespace": "shop", "labels": labels("personal")},
    spec=deployment,
    opts=here,
)
CustomResource(
    "ledger-frankfurt",
    api_version="postgresql.cnpg.io/v1",
    kind="Cluster",
    metadata={"name": "ledger-frankfurt", "namespace": "shop", "labels": labels("payment")},
    spec={
        "instances": 1,
        "inheritedMetadata": {"labels": labels("payment")},
        "resources": container["resources"],
        "storage": {"size": "1Gi", "storageClass": "frankfurt-pinned"},
        "externalClusters": [{"name": "ledger-dublin", "connectionParameters": {"host": fact("peer", "10.99.0.12")}}],
    },
    opts=here,
)
if CONFIG.get_bool("patch"):
    kubernetes.core.v1.ConfigMapPatch("hidden", metadata={"name": "hidden", "namespace": "shop"}, opts=here)
