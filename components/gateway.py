"""Gateway: HAProxy at the site's address. TLS and limits for customers, static assets alone for the CDN."""

from __future__ import annotations

from typing import TypedDict

import pulumi
from pulumi_kubernetes.apps.v1 import Deployment
from pulumi_kubernetes.core.v1 import ConfigMap, Secret, Service
from pulumi_kubernetes.policy.v1 import PodDisruptionBudget

from components.gateway_configuration import (
    CDN_PORT,
    CERTIFICATE_DIRECTORY,
    CONFIG_DIRECTORY,
    DRAIN_SECONDS,
    HEALTH_PORT,
    HTTP_PORT,
    HTTPS_PORT,
    LIVE_PATH,
    READY_PATH,
    GatewayModel,
    gateway_files,
)
from components.manifest import Manifest, checksum, name_of
from components.pod_template import (
    CONTAINER_DEFAULTS,
    ENDPOINT_REMOVAL_SECONDS,
    on_each_node,
    pod_defaults,
    requests_and_limits,
    rolling_update,
    selector,
)
from components.settling import settled
from shopsphere.estate.cdn_origin import ORIGIN_PORT
from shopsphere.estate.placement import SKIP_AWAIT

READY_FOR_GOOD = 3600
"""Probes, one every 2 s, that must fail in a row before a gateway that was ready once counts as not ready.

A gateway first becomes ready when the shop answers through it. Later, while the shop is gone, it answers 503, which
tells a customer and the CDN more than a refused connection. The liveness probe restarts a gateway that hangs.
"""


class GatewayArgs(TypedDict):
    """What is known only at run time."""

    namespace: pulumi.Input[str]
    """Namespace of the gateway."""
    image: pulumi.Input[str]
    """HAProxy image."""
    priority_class: pulumi.Input[str]
    """Priority of its pods."""
    tls_certificate: pulumi.Input[str]
    """Certificate for the public names, with its chain (PEM)."""
    tls_key: pulumi.Input[str]
    """Its private key (PEM)."""
    bounds: pulumi.CustomResource
    """What bounds the ports of Services in the namespace."""


class Gateway(pulumi.ComponentResource):
    """HAProxy pods, their configuration and certificate, and the Service at the site's address."""

    service: pulumi.Output[str]
    """Name of the Service."""

    def __init__(
        self, name: str, model: GatewayModel, args: GatewayArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("shopsphere:site:Gateway", name, {}, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._model = model
        self._args = args
        self._deployment()
        PodDisruptionBudget(
            "gateway",
            metadata=self._metadata("gateway"),
            spec={"max_unavailable": 1, "selector": {"match_labels": selector("gateway")}},
            opts=self._child,
        )
        self.service = self._service()
        self.register_outputs({"service": self.service})

    def _metadata(self, name: str, annotations: dict[str, str] | None = None) -> Manifest:
        return {
            "name": name,
            "namespace": self._args["namespace"],
            "labels": self._model.labels,
            **({"annotations": annotations} if annotations else {}),
        }

    def _deployment(self) -> None:
        files = gateway_files(self._model)
        config_map = ConfigMap(
            "gateway-configuration",
            metadata=self._metadata("gateway-configuration"),
            data=files,
            opts=self._child,
        )
        certificate = Secret(
            "gateway-tls",
            metadata=self._metadata("gateway-tls"),
            type="kubernetes.io/tls",
            string_data={"tls.crt": self._args["tls_certificate"], "tls.key": self._args["tls_key"]},
            opts=self._child,
        )
        # HAProxy reads its files once: a change of either has to replace the pods.
        checksums = {
            "shopsphere.io/configuration": checksum(*(files[name] for name in sorted(files))),
            "shopsphere.io/certificate": checksum(self._args["tls_certificate"]),
        }
        spec: Manifest = {
            "replicas": self._model.replicas,
            "selector": {"match_labels": selector("gateway")},
            "strategy": rolling_update(),
            "min_ready_seconds": 2,
            "revision_history_limit": 3,
            "template": {
                "metadata": {"labels": self._model.labels, "annotations": checksums},
                "spec": self._pod(name_of(config_map), name_of(certificate)),
            },
        }
        Deployment("gateway", metadata=self._metadata("gateway", SKIP_AWAIT), spec=spec, opts=self._child)

    def _pod(self, config_map: pulumi.Output[str], certificate: pulumi.Output[str]) -> Manifest:
        config = self._model.config
        ready = {"http_get": {"path": READY_PATH, "port": HEALTH_PORT}, "timeout_seconds": 3}
        live = {"http_get": {"path": LIVE_PATH, "port": HEALTH_PORT}, "timeout_seconds": 3}
        # SIGTERM would cut connections; SIGUSR1 lets them end. The last sleep ends with the process.
        drain = f"sleep {ENDPOINT_REMOVAL_SECONDS}; kill -USR1 1; sleep {DRAIN_SECONDS}"
        place = on_each_node if self._model.nodes > 1 else pod_defaults
        return {
            **place(self._model.placement, "gateway"),
            "priority_class_name": self._args["priority_class"],
            "containers": [
                {
                    **CONTAINER_DEFAULTS,
                    "name": "haproxy",
                    "image": self._args["image"],
                    "command": ["haproxy", "-db", "-f", f"{CONFIG_DIRECTORY}/haproxy.cfg"],
                    "resources": requests_and_limits(config.cpu, config.memory, self._model.watts),
                    "ports": [
                        {"name": "https", "container_port": HTTPS_PORT},
                        {"name": "http", "container_port": HTTP_PORT},
                        {"name": "cdn", "container_port": CDN_PORT},
                        {"name": "health", "container_port": HEALTH_PORT},
                    ],
                    "readiness_probe": {**ready, "period_seconds": 2, "failure_threshold": READY_FOR_GOOD},
                    "liveness_probe": {**live, "period_seconds": 10, "failure_threshold": 3},
                    "lifecycle": {"pre_stop": {"exec_": {"command": ["sh", "-c", drain]}}},
                    "volume_mounts": [
                        {"name": "configuration", "mount_path": CONFIG_DIRECTORY, "read_only": True},
                        {"name": "certificate", "mount_path": CERTIFICATE_DIRECTORY, "read_only": True},
                    ],
                }
            ],
            "volumes": [
                {"name": "configuration", "config_map": {"name": config_map}},
                {
                    "name": "certificate",
                    "secret": {
                        "secret_name": certificate,
                        "items": [
                            {"key": "tls.crt", "path": "tls.pem"},
                            {"key": "tls.key", "path": "tls.pem.key"},  # where ssl-load-extra-files looks
                        ],
                    },
                },
            ],
        }

    def _service(self) -> pulumi.Output[str]:
        bounds = self._args["bounds"]
        # With one port more of it, the API server judges by the bounds that it has learned of.
        namespace = settled(self._args["namespace"], bounds.id)
        bounded: Manifest = {**self._metadata("gateway", SKIP_AWAIT), "namespace": namespace}
        created = Service(
            "gateway",
            metadata=bounded,
            spec={
                "type": "LoadBalancer",
                # Local keeps the customer's address, which limits per source need.
                "external_traffic_policy": "Local",
                "selector": selector("gateway"),
                "ports": [
                    {"name": "https", "port": 443, "target_port": HTTPS_PORT},
                    {"name": "http", "port": 80, "target_port": HTTP_PORT},
                    {"name": "cdn", "port": ORIGIN_PORT, "target_port": CDN_PORT},
                ],
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[bounds]),
        )
        return name_of(created)
