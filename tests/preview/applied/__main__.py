"""A namespace, a secret and a deployment on a real API: for what Pulumi writes to a state about them."""

import pulumi
import pulumi_kubernetes as kubernetes

config = pulumi.Config()
provider = kubernetes.Provider(
    "site",
    kubeconfig=config.require("kubeconfig"),
    context=config.require("context"),
    enable_server_side_apply=True,
    enable_secret_mutable=True,
)
options = pulumi.ResourceOptions(provider=provider)
namespace = kubernetes.core.v1.Namespace("shop", metadata={"name": "shop"}, opts=options)
metadata = {"namespace": namespace.metadata.name, "annotations": {"pulumi.com/skipAwait": "true"}}
kubernetes.core.v1.Secret(
    "settings",
    metadata={**metadata, "name": "settings"},
    string_data={"KEY": pulumi.Output.secret("a key that is secret")},
    opts=options,
)
kubernetes.networking.v1.NetworkPolicy(
    "to-dns",
    metadata={**metadata, "name": "to-dns"},
    spec={"pod_selector": {}, "policy_types": ["Egress"], "egress": [{"ports": [{"port": 53, "protocol": "UDP"}]}]},
    opts=options,
)
kubernetes.apps.v1.Deployment(
    "shop",
    metadata={**metadata, "name": "shop"},
    spec={
        "replicas": 2,
        "selector": {"match_labels": {"app": "shop"}},
        "template": {
            "metadata": {"labels": {"app": "shop"}},
            "spec": {"containers": [{"name": "shop", "image": "registry.eu/shop@sha256:1"}]},
        },
    },
    opts=pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(ignore_changes=["spec.replicas"])),
)
