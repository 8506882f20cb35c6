"""EventLog: a site's own Kafka, one broker that is its own controller, on a volume of the site (ADR 63)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, TypedDict

import pulumi
from pulumi_kubernetes.apps.v1 import StatefulSet
from pulumi_kubernetes.core.v1 import ConfigMap, Secret, Service
from pulumi_kubernetes.policy.v1 import PodDisruptionBudget

from components.event_log_settings import (
    IN_POD,
    MEBIBYTE,
    cluster_id,
    format_command,
    server_properties,
    start_command,
)
from components.manifest import Manifest, checksum, name_of
from components.pinned_storage import storage_class_name
from components.pod_template import CONTAINER_DEFAULTS, POD_SECURITY, pod_defaults, requests_and_limits, selector
from components.regional_pair import RegionalPair
from shopsphere.estate.event_log import (
    BROKER_PORT,
    DATA_DIRECTORY,
    DECLARATION,
    DECLARATION_FILE,
    EVENT_LOG,
    SERVER_FILE,
    declaration,
)
from shopsphere.estate.event_log_config import KafkaConfig
from shopsphere.estate.event_log_site import KAFKA
from shopsphere.estate.placement import DATA_CLASS_LABEL, SKIP_AWAIT, Placement
from shopsphere.estate.site_config import WorkloadConfig
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.topology.quantities import parse_quantity

IMAGE_GROUP = 10001
"""Group of the image's account, to which files of its volume belong."""
KEEPER_PORT = 8013
KEEPER_CPU, KEEPER_MEMORY = "20m", "96Mi"
STARTUP_SECONDS = 600
"""After a power loss a broker reads what it had not closed: 4 GB took 16 s, and a volume may be larger."""
PROBE_SECONDS = 10
FAILURES = 6


class EventLogError(ShopSphereError):
    """A stack describes a broker that cannot be."""


@dataclass(frozen=True)
class EventLogModel:
    """Static facts of a site's broker.

    Attributes:
        placement: its site.
        environment: that its stack is of.
        kafka: what its stack says of it.
        config: size of its pod, the keeper aside.
        watts: power of its container (W).
        keeper_watts: power of the keeper's (W).
    """

    placement: Placement
    environment: str
    kafka: KafkaConfig
    config: WorkloadConfig
    watts: int
    keeper_watts: int

    @property
    def labels(self) -> dict[str, str]:
        """Labels of everything that belongs to it."""
        return self.placement.labels(EVENT_LOG, data_class=KAFKA.data_class, owner=KAFKA.owner)

    @property
    def memory_mib(self) -> int:
        """Of its container (MiB)."""
        return int(parse_quantity(self.config.memory) // MEBIBYTE)


class EventLogArgs(TypedDict):
    """What is known only at run time."""

    namespace: pulumi.Input[str]
    """Namespace of the broker."""
    admission: pulumi.Input[list[pulumi.Resource]]
    """The policies of the site's API server, of which older ones refuse a StatefulSet."""
    image: pulumi.Input[str]
    """Image of the broker."""
    keeper_image: pulumi.Input[str]
    """Image of the shop, whose `keep-log` runs beside it."""
    priority_class: pulumi.Input[str]
    """Priority of its pod."""
    authority: pulumi.Input[str]
    """Certificate of the authority that vouches for it and its clients (PEM)."""
    certificate: pulumi.Input[str]
    """Its certificate (PEM)."""
    key: pulumi.Input[str]
    """Its private key (PEM, PKCS #8)."""


class EventLog(pulumi.ComponentResource):
    """StatefulSet with one claim, its configuration, its certificate, Service and disruption budget."""

    service: pulumi.Output[str]
    """Name of the Service."""

    def __init__(
        self, name: str, model: EventLogModel, args: EventLogArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("shopsphere:site:EventLog", name, {}, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._model = model
        self._args = args
        self.service = self._service()
        self._stateful_set()
        PodDisruptionBudget(
            name,
            metadata=self._metadata(name),
            # An append that waits is sent again: a node may be emptied, and clicks wait in the browsers meanwhile.
            spec={"max_unavailable": 1, "selector": {"match_labels": selector(EVENT_LOG)}},
            opts=self._child,
        )
        self.register_outputs({"service": self.service})

    def _metadata(self, name: str, annotations: dict[str, str] | None = None) -> Manifest:
        return {
            "name": name,
            "namespace": self._args["namespace"],
            "labels": self._model.labels,
            **({"annotations": annotations} if annotations else {}),
        }

    def _service(self) -> pulumi.Output[str]:
        created = Service(
            EVENT_LOG,
            metadata=self._metadata(EVENT_LOG, SKIP_AWAIT),
            spec={
                "selector": selector(EVENT_LOG),
                "ports": [{"name": "clients", "port": BROKER_PORT, "target_port": BROKER_PORT}],
            },
            opts=self._child,
        )
        return name_of(created)

    def _stateful_set(self) -> None:
        files = {
            SERVER_FILE: server_properties(),
            DECLARATION_FILE: json.dumps(declaration(self._model.kafka), indent=1),
        }
        configuration = ConfigMap(DECLARATION, metadata=self._metadata(DECLARATION), data=files, opts=self._child)
        broker_pem = pulumi.Output.concat(self._args["key"], self._args["certificate"])
        certificate = Secret(
            f"{EVENT_LOG}-tls",
            metadata=self._metadata(f"{EVENT_LOG}-tls"),
            type="Opaque",
            string_data={"broker.pem": broker_pem, "ca.crt": self._args["authority"]},
            opts=self._child,
        )
        # Broker and keeper read their files once.
        checksums = {
            "shopsphere.io/configuration": checksum(*(files[name] for name in sorted(files))),
            "shopsphere.io/certificate": checksum(self._args["authority"], self._args["certificate"]),
        }
        spec: Manifest = {
            "service_name": self.service,
            "replicas": 1,
            "selector": {"match_labels": selector(EVENT_LOG)},
            "revision_history_limit": 3,
            "template": {
                "metadata": {"labels": self._model.labels, "annotations": checksums},
                "spec": self._pod(name_of(configuration), name_of(certificate)),
            },
            "volume_claim_templates": [self._claim()],
        }
        options = pulumi.ResourceOptions(parent=self, depends_on=self._args["admission"])
        StatefulSet(EVENT_LOG, metadata=self._metadata(EVENT_LOG, SKIP_AWAIT), spec=spec, opts=options)

    def _claim(self) -> Manifest:
        """Return a claim that binds to a volume of the site, of the class of its data."""
        model = self._model
        return {
            "metadata": {"name": "log", "labels": model.labels},
            "spec": {
                "storage_class_name": storage_class_name(model.placement.site),
                "access_modes": ["ReadWriteOnce"],
                "selector": {"match_labels": {DATA_CLASS_LABEL: KAFKA.data_class}},
                "resources": {"requests": {"storage": model.kafka.size}},
            },
        }

    def _pod(self, configuration: pulumi.Output[str], certificate: pulumi.Output[str]) -> Manifest:
        model = self._model
        defaults = pod_defaults(model.placement, EVENT_LOG)
        defaults.pop("topology_spread_constraints")  # there is one pod
        format_volume = {
            **self._broker("format"),
            "command": format_command(cluster_id(model.environment, model.placement.site)),
        }
        broker = {
            **self._broker(EVENT_LOG),
            "command": start_command(model.memory_mib),
            "ports": [{"name": "clients", "container_port": BROKER_PORT}],
            "startup_probe": _probe("/livez", period=1, failures=STARTUP_SECONDS),
            "liveness_probe": _probe("/livez", period=PROBE_SECONDS, failures=FAILURES),
            "readiness_probe": _probe("/readyz", period=3, failures=3),
        }
        return {
            **defaults,
            "security_context": {**POD_SECURITY, "fs_group": IMAGE_GROUP},
            "priority_class_name": self._args["priority_class"],
            "init_containers": [format_volume],
            "containers": [broker, self._keeper()],
            "volumes": [
                {"name": "tmp", "empty_dir": {"size_limit": "64Mi"}},
                {"name": "configuration", "config_map": {"name": configuration}},
                {"name": "certificate", "secret": {"secret_name": certificate}},
            ],
        }

    def _broker(self, name: str) -> dict[str, Any]:
        model = self._model
        return {
            **CONTAINER_DEFAULTS,
            "name": name,
            "image": self._args["image"],
            "resources": requests_and_limits(model.config.cpu, model.config.memory, model.watts),
            "volume_mounts": [*_files(), {"name": "log", "mount_path": DATA_DIRECTORY}],
        }

    def _keeper(self) -> Manifest:
        model, certificates = self._model, IN_POD.certificates
        settings = {
            "CLICKS_AUTHORITY_FILE": f"{certificates}/ca.crt",
            "CLICKS_BOOTSTRAP": f"localhost:{IN_POD.inside_port}",
            "CLICKS_CERTIFICATE_FILE": f"{certificates}/broker.pem",
            "CLICKS_DECLARATION_FILE": f"{IN_POD.configuration}/{DECLARATION_FILE}",
            "CLICKS_KEY_FILE": f"{certificates}/broker.pem",
            "SHOP_SITE": model.placement.site,
        }
        return {
            **CONTAINER_DEFAULTS,
            "name": "keeper",
            "image": self._args["keeper_image"],
            "command": ["shop", "keep-log"],
            "env": [{"name": name, "value": value} for name, value in sorted(settings.items())],
            "resources": requests_and_limits(KEEPER_CPU, KEEPER_MEMORY, model.keeper_watts),
            "ports": [{"name": "probes", "container_port": KEEPER_PORT}],
            "liveness_probe": _probe("/keeperz", period=PROBE_SECONDS, failures=3),
            "volume_mounts": _files(),
        }


def event_log_of(pair: RegionalPair) -> EventLogModel:
    """Return the broker of a pair's site.

    Raises:
        EventLogError: its stack says of it what cannot be.
    """
    kafka, sizes = pair.config.kafka, pair.config.workloads[EVENT_LOG]
    if kafka is None or kafka.size is None or sizes.replicas != 1 or sizes.autoscaling:
        raise EventLogError.build(
            f"{pair.placement.site}: the site's own broker is one node",
            expected=f"shopsphere:kafka with size, and shopsphere:workloads.{EVENT_LOG} with replicas: 1",
            found=f"size {kafka.size if kafka else None}, replicas {sizes.replicas}",
            action="correct the stack's file; for several nodes name a cluster by kafka.bootstrapServers",
        )
    keeper = WorkloadConfig(replicas=1, cpu=KEEPER_CPU, memory=KEEPER_MEMORY)
    return EventLogModel(
        pair.placement, pair.environment, kafka, sizes, watts=pair.watts(sizes), keeper_watts=pair.watts(keeper)
    )


def _files() -> list[Manifest]:
    return [
        {"name": "tmp", "mount_path": "/tmp"},  # noqa: S108 an emptyDir of this pod alone
        {"name": "configuration", "mount_path": IN_POD.configuration, "read_only": True},
        {"name": "certificate", "mount_path": IN_POD.certificates, "read_only": True},
    ]


def _probe(path: str, *, period: int, failures: int) -> Manifest:
    """Ask the keeper, which asks the broker: Kafka has no HTTP, and a port that is open says little."""
    return {
        "http_get": {"path": path, "port": KEEPER_PORT},
        "period_seconds": period,
        "timeout_seconds": 3,
        "failure_threshold": failures,
    }
