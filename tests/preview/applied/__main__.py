"""A namespace, a secret and a deployment on a real API: for what Pulumi writes to a state about them."""

from __future__ import annotations

from typing import Any, TypeAlias

import pulumi
import pulumi_kubernetes as kubernetes

Manifest: TypeAlias = Any
"""A part of a manifest; the literal unions of the SDK cost a checker hours."""

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


def metadata(name: str) -> Manifest:
    return {
        "name": name,
        "namespace": namespace.metadata.name,
        "annotations": {"pulumi.com/skipAwait": "true"},
    }


kubernetes.core.v1.Secret(
    "settings",
    metadata=metadata("settings"),
    string_data={"KEY": pulumi.Output.secret("a key that is secret")},
    opts=options,
)
to_dns: Manifest = {
    "pod_selector": {},
    "policy_types": ["Egress"],
    "egress": [{"ports": [{"port": 53, "protocol": "UDP"}]}],
}
kubernetes.networking.v1.NetworkPolicy("to-dns", metadata=metadata("to-dns"), spec=to_dns, opts=options)
shop: Manifest = {
    "replicas": 2,
    "selector": {"match_labels": {"app": "shop"}},
    "template": {
        "metadata": {"labels": {"app": "shop"}},
        "spec": {"containers": [{"name": "shop", "image": "registry.eu/shop@sha256:1"}]},
    },
}
kubernetes.apps.v1.Deployment(
    "shop",
    metadata=metadata("shop"),
    spec=shop,
    opts=pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(ignore_changes=["spec.replicas"])),
)
