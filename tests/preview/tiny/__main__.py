"""A site in small: one resource of each kind that rules judge. Its configuration can spoil one fact at a time."""

from __future__ import annotations

import json
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
        return CreateResult("outside", {**props, "live": "personal"})


class Cdn(Resource, module="edge", name="CdnDistribution"):
    live: pulumi.Output[str]


def labels(data_class: pulumi.Input[str]) -> dict[str, pulumi.Input[str]]:
    return {
        "shopsphere.io/data-class": data_class,
        "shopsphere.io/jurisdiction": "eu",
        SITE_LABEL: "frankfurt",
        "shopsphere.io/owner": "storefront",
    }


def in_kafka(name: str) -> Manifest:
    return {"name": name, "namespace": "kafka", "labels": labels("personal")}


if CONFIG.get_bool("protected"):
    # As the programs of the stacks do; only with a configuration that says so, since not all here may import it.
    from components.protection import protect_what_holds_data

    protect_what_holds_data()
provider = kubernetes.Provider(
    "site",
    render_yaml_to_directory=CONFIG.require("rendered"),
    cluster_identifier=fact("cluster", "frankfurt"),
)
here = pulumi.ResourceOptions(provider=provider)
cdn = Cdn(
    Outside(),
    "static",
    {
        "dataClass": fact("cdnClass", "public"),
        "paths": [fact("cdnPath", "/static/")],
        "hostNames": [fact("cdnHost", "static.shopsphere.test")],
        "live": None,
    },
)
data_class = cdn.live if CONFIG.get_bool("unknownClass") else fact("dataClass", "personal")
security = {"pod-security.kubernetes.io/enforce": fact("podSecurity", "restricted")}
kubernetes.core.v1.Namespace("shop", metadata={"name": "shop", "labels": {**labels(data_class), **security}}, opts=here)
kubernetes.networking.v1.NetworkPolicy(
    "default-deny",
    metadata={"name": "default-deny", "namespace": "shop", "labels": labels("personal")},
    spec={"pod_selector": {}, "policy_types": fact("closed", "Ingress,Egress").split(",")},
    opts=here,
)
to_peer: Manifest = {
    "pod_selector": {},
    "policy_types": ["Egress"],
    "egress": [{"to": [{"ip_block": {"cidr": fact("egress", "10.99.0.12/32")}}]}],
}
kubernetes.networking.v1.NetworkPolicy(
    "to-peer",
    metadata={"name": "to-peer", "namespace": "shop", "labels": labels("personal")},
    spec=to_peer,
    opts=here,
)
service: Manifest = {
    "type": fact("serviceType", "ClusterIP"),
    "selector": {"app.kubernetes.io/name": "shop"},
    "ports": [{"name": "http", "port": 80, "target_port": 8000}],
}
kubernetes.core.v1.Service(
    "shop",
    metadata={"name": "shop", "namespace": "shop", "labels": labels("personal")},
    spec=service,
    opts=here,
)
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
for_payments: Manifest = {
    **volume,
    "capacity": {"storage": fact("capacity", "1Gi")},
    "local": {"path": "/srv/volumes/v2"},
}
if not CONFIG.get_bool("withoutV2"):
    kubernetes.core.v1.PersistentVolume(
        "v2", metadata={"name": fact("v2", "v2"), "labels": labels("payment")}, spec=for_payments, opts=here
    )
power = {"shopsphere.io/watts": fact("watts", "14")}
container: Manifest = {
    "name": "shop",
    "image": fact("image", "localhost/shop:1"),
    "resources": {"requests": {"cpu": "1", "memory": "1Gi", **power}, "limits": {"memory": "1Gi", **power}},
}
deployment: Manifest = {
    "replicas": int(fact("replicas", "2")),
    "selector": {"match_labels": {"app.kubernetes.io/name": "shop"}},
    "template": {
        "metadata": {"labels": {"app.kubernetes.io/name": "shop", **labels(fact("podClass", "personal"))}},
        "spec": {
            "containers": [container],
            "node_selector": {"shopsphere.io/rack": fact("rack", "r8")},
            **({"host_network": True} if CONFIG.get_bool("hostNetwork") else {}),
        },
    },
}
kubernetes.apps.v1.Deployment(
    "shop",
    metadata={"name": "shop", "namespace": "shop", "labels": labels("personal")},
    spec=deployment,
    opts=here,
)
if not CONFIG.get_bool("withoutLedger"):
    CustomResource(
        "ledger-frankfurt",
        api_version="postgresql.cnpg.io/v1",
        kind="Cluster",
        metadata={"name": "ledger-frankfurt", "namespace": "shop", "labels": labels("payment")},
        spec={
            "instances": 1,
            "inheritedMetadata": {"labels": labels("payment")},
            "resources": container["resources"],
            "imageName": "localhost/postgresql:15",
            "storage": {"size": "1Gi", "storageClass": pinned},
            "externalClusters": [
                {
                    "name": "ledger-dublin",
                    "connectionParameters": {
                        "host": fact("peer", "10.99.0.12"),
                        "sslmode": fact("sslmode", "verify-ca"),
                    },
                    "sslRootCert": {"name": "pair-ca", "key": "ca.crt"},
                }
            ],
        },
        opts=here,
    )
if CONFIG.get_bool("eventLog"):
    kubernetes.core.v1.Namespace(
        "kafka", metadata={"name": "kafka", "labels": {**labels("personal"), **security}}, opts=here
    )
    kubernetes.networking.v1.NetworkPolicy(
        "kafka-default-deny",
        metadata=in_kafka("default-deny"),
        spec={"pod_selector": {}, "policy_types": ["Ingress", "Egress"]},
        opts=here,
    )
    kubernetes.core.v1.ResourceQuota(
        "kafka-power",
        metadata=in_kafka("power"),
        spec={"hard": {"requests.shopsphere.io/watts": "100"}},
        opts=here,
    )
    writer = {"namespace_selector": {"match_labels": {"kubernetes.io/metadata.name": fact("writer", "collector")}}}
    from_writer: Manifest = {
        "pod_selector": {},
        "policy_types": ["Ingress"],
        "ingress": [{"from": [writer], "ports": [{"port": 9092, "protocol": "TCP"}]}],
    }
    kubernetes.networking.v1.NetworkPolicy(
        "kafka-from-writer", metadata=in_kafka("from-writer"), spec=from_writer, opts=here
    )
    settings = {"retention.ms": fact("retention", "86400000"), "retention.bytes": "1048576", "segment.bytes": "262144"}
    topic: Manifest = {"name": "clicks", "class": fact("topicClass", "personal"), "partitions": 1, "settings": settings}
    kubernetes.core.v1.ConfigMap(
        "event-log-declaration",
        metadata=in_kafka("event-log-declaration"),
        data={"declaration.json": json.dumps({"topics": [topic], "rights": []})},
        opts=here,
    )
    claimed: Manifest = {
        "storage_class_name": "frankfurt-pinned",
        "access_modes": ["ReadWriteOnce"],
        "selector": {"match_labels": {"shopsphere.io/data-class": fact("volumesOf", "personal")}},
        "resources": {"requests": {"storage": "1Gi"}},
    }
    broker: Manifest = {
        **container,
        "name": "kafka",
        "image": "localhost/kafka:4",
        "volume_mounts": [{"name": "log", "mount_path": "/var/lib/kafka"}],
    }
    stateful_set: Manifest = {
        "service_name": "kafka",
        "replicas": 1,
        "selector": {"match_labels": {"app.kubernetes.io/name": "kafka"}},
        "template": {
            "metadata": {"labels": {"app.kubernetes.io/name": "kafka", **labels("personal")}},
            "spec": {"containers": [broker]},
        },
        "volume_claim_templates": [{"metadata": {"name": "log", "labels": labels("personal")}, "spec": claimed}],
    }
    kubernetes.apps.v1.StatefulSet("kafka", metadata=in_kafka("kafka"), spec=stateful_set, opts=here)
if server := CONFIG.get("server"):
    beyond = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": {}}],
    }
    elsewhere = kubernetes.Provider(
        "elsewhere", kubeconfig=json.dumps(beyond), context="c", cluster_identifier="frankfurt"
    )
    kubernetes.core.v1.ConfigMap(
        "beyond",
        metadata={"name": "beyond", "namespace": "shop", "labels": labels("personal")},
        opts=pulumi.ResourceOptions(provider=elsewhere),
    )
if CONFIG.get_bool("patch"):
    kubernetes.core.v1.ConfigMapPatch("hidden", metadata={"name": "hidden", "namespace": "shop"}, opts=here)
