"""Workload: a stateless service that can be replaced without a failed request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NotRequired, TypedDict

import pulumi
from pulumi_kubernetes.apps.v1 import Deployment
from pulumi_kubernetes.autoscaling.v2 import HorizontalPodAutoscaler
from pulumi_kubernetes.core.v1 import ConfigMap, Secret, Service
from pulumi_kubernetes.policy.v1 import PodDisruptionBudget

from components.manifest import Manifest, checksum, name_of
from components.pod_template import (
    CONTAINER_DEFAULTS,
    ENDPOINT_REMOVAL_SECONDS,
    pod_defaults,
    requests_and_limits,
    rolling_update,
    selector,
)
from shopsphere.estate.placement import SKIP_AWAIT, Placement
from shopsphere.estate.site_config import WorkloadConfig

AUTHORITY_DIRECTORY = "/etc/shopsphere/pair"
AUTHORITY_FILE = f"{AUTHORITY_DIRECTORY}/ca.crt"
SERVICE_PORT = 80


@dataclass(frozen=True)
class WorkloadModel:
    """Static facts of a workload.

    Attributes:
        placement: its site.
        name: of the Deployment, Service and everything else of it.
        owner: team that answers for it.
        config: size and data class.
        watts: power of one pod (W).
        port: where the container listens.
        command: words that start it.
        migration: words of a command that has to succeed before it starts.
        environment: plain settings.
    """

    placement: Placement
    name: str
    owner: str
    config: WorkloadConfig
    watts: int
    port: int
    command: tuple[str, ...]
    migration: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def labels(self) -> dict[str, str]:
        """Labels of everything that belongs to the workload."""
        return self.placement.labels(self.name, data_class=self.config.data_class, owner=self.owner)


class WorkloadArgs(TypedDict):
    """What is known only at run time."""

    namespace: pulumi.Input[str]
    """Namespace of the workload."""
    image: pulumi.Input[str]
    """Image of the container and of its migration."""
    priority_class: pulumi.Input[str]
    """Priority of its pods."""
    authority: pulumi.Input[str]
    """Certificate of the pair's authority (PEM), to know its databases by."""
    secrets: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Secret settings by the name of their environment variable."""


class Workload(pulumi.ComponentResource):
    """Deployment, Service, disruption budget and, where configured, autoscaler."""

    deployment: pulumi.Output[str]
    """Name of the Deployment."""
    service: pulumi.Output[str]
    """Name of the Service."""

    def __init__(
        self, name: str, model: WorkloadModel, args: WorkloadArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("shopsphere:site:Workload", name, {}, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._model = model
        self._args = args
        self.deployment = self._deployment()
        self.service = self._service()
        PodDisruptionBudget(
            model.name,
            metadata=self._metadata(model.name),
            spec={"max_unavailable": 1, "selector": {"match_labels": selector(model.name)}},
            opts=self._child,
        )
        if model.config.autoscaling:
            self._autoscaler()
        self.register_outputs({"deployment": self.deployment, "service": self.service})

    def _metadata(self, name: str, annotations: Mapping[str, str] | None = None) -> Manifest:
        return {
            "name": name,
            "namespace": self._args["namespace"],
            "labels": self._model.labels,
            **({"annotations": annotations} if annotations else {}),
        }

    def _deployment(self) -> pulumi.Output[str]:
        model = self._model
        # An autoscaler owns the number of replicas; declaring it as well would undo its work at each `up`.
        replicas = {} if model.config.autoscaling else {"replicas": model.config.replicas}
        # The environment and the authority are read once, at the start of a pod.
        settings = checksum(self._args["authority"], *self._args.get("secrets", {}).values())
        spec: Manifest = {
            **replicas,
            "selector": {"match_labels": selector(model.name)},
            "strategy": rolling_update(),
            "min_ready_seconds": 2,
            "revision_history_limit": 3,
            "template": {
                "metadata": {"labels": model.labels, "annotations": {"shopsphere.io/settings": settings}},
                "spec": self._pod(),
            },
        }
        metadata = self._metadata(model.name, SKIP_AWAIT)
        created = Deployment(model.name, metadata=metadata, spec=spec, opts=self._child)
        return name_of(created)

    def _pod(self) -> Manifest:
        model = self._model
        authority = ConfigMap(
            f"{model.name}-pair-authority",
            metadata=self._metadata("pair-authority"),
            data={"ca.crt": self._args["authority"]},
            opts=self._child,
        )
        common = {
            **CONTAINER_DEFAULTS,
            "image": self._args["image"],
            "resources": requests_and_limits(model.config.cpu, model.config.memory, model.watts),
            "env": self._environment(),
            "volume_mounts": [
                {"name": "tmp", "mount_path": "/tmp"},  # noqa: S108 an emptyDir of this pod alone
                {"name": "pair-authority", "mount_path": AUTHORITY_DIRECTORY, "read_only": True},
            ],
        }
        return {
            **pod_defaults(model.placement, model.name),
            "priority_class_name": self._args["priority_class"],
            "init_containers": [{**common, "name": "migrate", "command": list(model.migration)}],
            "containers": [
                {
                    **common,
                    "name": model.name,
                    "command": list(model.command),
                    "ports": [{"name": "http", "container_port": model.port}],
                    "startup_probe": self._probe("/livez", period_seconds=1, failure_threshold=60),
                    "liveness_probe": self._probe("/livez", period_seconds=10, failure_threshold=3),
                    "readiness_probe": self._probe("/readyz", period_seconds=3, failure_threshold=2),
                    "lifecycle": {"pre_stop": {"sleep": {"seconds": ENDPOINT_REMOVAL_SECONDS}}},
                }
            ],
            "volumes": [
                {"name": "tmp", "empty_dir": {"size_limit": "64Mi"}},
                {
                    "name": "pair-authority",
                    "config_map": {"name": name_of(authority)},
                },
            ],
        }

    def _environment(self) -> list[Manifest]:
        model = self._model
        plain = [{"name": name, "value": value} for name, value in sorted(model.environment.items())]
        secrets = self._args.get("secrets")
        if not secrets:
            return plain
        created = Secret(
            f"{model.name}-settings",
            metadata=self._metadata(f"{model.name}-settings"),
            string_data=dict(secrets),
            opts=self._child,
        )
        holder = name_of(created)
        return plain + [
            {"name": name, "value_from": {"secret_key_ref": {"name": holder, "key": name}}} for name in sorted(secrets)
        ]

    def _probe(self, path: str, *, period_seconds: int, failure_threshold: int) -> Manifest:
        return {
            "http_get": {"path": path, "port": self._model.port},
            "period_seconds": period_seconds,
            "timeout_seconds": 3,
            "failure_threshold": failure_threshold,
        }

    def _service(self) -> pulumi.Output[str]:
        model = self._model
        created = Service(
            model.name,
            metadata=self._metadata(model.name, SKIP_AWAIT),
            spec={
                "selector": selector(model.name),
                "ports": [{"name": "http", "port": SERVICE_PORT, "target_port": model.port}],
            },
            opts=self._child,
        )
        return name_of(created)

    def _autoscaler(self) -> None:
        model, bounds = self._model, self._model.config.autoscaling
        if bounds is None:
            return
        target = {"type": "Utilization", "average_utilization": bounds.cpu_percent}
        spec: Manifest = {
            "scale_target_ref": {"api_version": "apps/v1", "kind": "Deployment", "name": self.deployment},
            "min_replicas": bounds.minimum,
            "max_replicas": bounds.maximum,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        }
        metadata = self._metadata(model.name, SKIP_AWAIT)
        HorizontalPodAutoscaler(model.name, metadata=metadata, spec=spec, opts=self._child)
