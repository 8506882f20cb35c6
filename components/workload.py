"""Workload: a stateless service that can be replaced without a failed request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import TypedDict

import pulumi
from pulumi_kubernetes.apps.v1 import Deployment
from pulumi_kubernetes.autoscaling.v2 import HorizontalPodAutoscaler
from pulumi_kubernetes.core.v1 import ConfigMap, Secret, Service
from pulumi_kubernetes.policy.v1 import PodDisruptionBudget

from components.manifest import Manifest, checksum, name_of
from components.pod_template import (
    CONTAINER_DEFAULTS,
    ENDPOINT_REMOVAL_SECONDS,
    one_at_a_time,
    pod_defaults,
    requests_and_limits,
    rolling_update,
    selector,
)
from shopsphere.estate.databases import AUTHORITY_DIRECTORY, AUTHORITY_FILE
from shopsphere.estate.event_log import FILES_DIRECTORY
from shopsphere.estate.placement import SKIP_AWAIT, Placement
from shopsphere.estate.site_config import WorkloadConfig
from shopsphere.estate.workload_declaration import SERVICE_PORT, Process, WorkloadDeclaration

AUTHORITY_VOLUME = "pair-authority"
READY_EVERY, UNREADY_AFTER = 3, 6
"""Seconds between two readiness probes, and how many must fail in a row before a pod leaves its Service.

A database that changes its role is away for up to 15 s. Pods that left their Service for that would be missed when it
is back, and a Service without any refuses connections by ICMP, at which HAProxy connects again and again without a
pause.
"""


@dataclass(frozen=True)
class WorkloadModel:
    """Static facts of a workload.

    Attributes:
        placement: its site.
        declaration: what it is at every site.
        process: what runs in its pods.
        config: its size at this site.
        watts: power of one pod (W).
        environment: plain settings.
    """

    placement: Placement
    declaration: WorkloadDeclaration
    process: Process
    config: WorkloadConfig
    watts: int
    environment: Mapping[str, str]

    @property
    def name(self) -> str:
        """Name of the Deployment, Service and everything else of it."""
        return self.declaration.name

    @property
    def port(self) -> int:
        """Where its process listens."""
        return self.declaration.ports[0]

    @property
    def labels(self) -> dict[str, str]:
        """Labels of everything that belongs to the workload."""
        declared = self.declaration
        return self.placement.labels(declared.name, data_class=declared.data_class, owner=declared.owner)


class WorkloadArgs(TypedDict):
    """What is known only at run time."""

    namespace: pulumi.Input[str]
    """Namespace of the workload."""
    image: pulumi.Input[str]
    """Image of the container and of what it waits for."""
    priority_class: pulumi.Input[str]
    """Priority of its pods."""
    authority: pulumi.Input[str]
    """Certificate of the pair's authority (PEM), which vouches for databases; not used by a workload without any."""
    secrets: Mapping[str, pulumi.Input[str]]
    """Secret settings by the name of their environment variable."""
    files: Mapping[str, pulumi.Input[str]]
    """Secret files by their names; none for most."""


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
        authority = [self._args["authority"]] if model.declaration.databases else []
        settings = checksum(*authority, *self._args["secrets"].values(), *self._args["files"].values())
        spec: Manifest = {
            **replicas,
            "selector": {"match_labels": selector(model.name)},
            # Two collectors at once would send two streams into one bucket, and each take a base backup.
            "strategy": one_at_a_time() if model.declaration.replicates else rolling_update(),
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
        model, process = self._model, self._model.process
        authority, files = self._authority_volumes(), self._file_volumes()
        common = {
            **CONTAINER_DEFAULTS,
            "image": self._args["image"],
            "resources": requests_and_limits(model.config.cpu, model.config.memory, model.watts),
            "env": self._environment(),
            "volume_mounts": [
                {"name": "tmp", "mount_path": "/tmp"},  # noqa: S108 an emptyDir of this pod alone
                *({"name": each["name"], "mount_path": AUTHORITY_DIRECTORY, "read_only": True} for each in authority),
                *({"name": each["name"], "mount_path": FILES_DIRECTORY, "read_only": True} for each in files),
                *({"name": f"scratch-{at}", "mount_path": path} for at, path in enumerate(process.scratch)),
            ],
        }
        schema = {**common, "name": "await-schema", "command": list(process.schema)}
        return {
            **pod_defaults(model.placement, model.name),
            "priority_class_name": self._args["priority_class"],
            **({"init_containers": [schema]} if process.schema else {}),
            "containers": [
                {
                    **common,
                    "name": model.name,
                    "command": list(process.command),
                    "ports": [{"name": "http", "container_port": model.port}],
                    "startup_probe": self._probe(
                        process.live_path, period_seconds=1, failure_threshold=process.startup_seconds
                    ),
                    "liveness_probe": self._probe(process.live_path, period_seconds=10, failure_threshold=3),
                    "readiness_probe": self._probe(
                        process.ready_path, period_seconds=READY_EVERY, failure_threshold=UNREADY_AFTER
                    ),
                    "lifecycle": {"pre_stop": {"sleep": {"seconds": ENDPOINT_REMOVAL_SECONDS}}},
                }
            ],
            "volumes": [
                {"name": "tmp", "empty_dir": {"size_limit": "64Mi"}},
                *authority,
                *files,
                *(
                    {"name": f"scratch-{at}", "empty_dir": {"size_limit": size}}
                    for at, size in enumerate(process.scratch.values())
                ),
            ],
        }

    def _authority_volumes(self) -> list[Manifest]:
        """Return the volume that tells the databases' certificates from others; none without a database."""
        if not self._model.declaration.databases:
            return []
        authority = ConfigMap(
            f"{self._model.name}-{AUTHORITY_VOLUME}",
            metadata=self._metadata(AUTHORITY_VOLUME),
            data={PurePath(AUTHORITY_FILE).name: self._args["authority"]},
            opts=self._child,
        )
        return [{"name": AUTHORITY_VOLUME, "config_map": {"name": name_of(authority)}}]

    def _file_volumes(self) -> list[Manifest]:
        """Return the volume with the process's own secret files; none where it has none."""
        if not self._args["files"]:
            return []
        created = Secret(
            f"{self._model.name}-files",
            metadata=self._metadata(f"{self._model.name}-files"),
            string_data=dict(self._args["files"]),
            opts=self._child,
        )
        return [{"name": "files", "secret": {"secret_name": name_of(created)}}]

    def _environment(self) -> list[Manifest]:
        model = self._model
        plain = [{"name": name, "value": value} for name, value in sorted(model.environment.items())]
        secrets = self._args["secrets"]
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
