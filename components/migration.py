"""Migration: the Job that brings a database's newest schema, as the database's owner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import TypedDict

import pulumi
from pulumi_kubernetes.batch.v1 import Job

from components.manifest import Manifest, name_of
from components.pod_template import CONTAINER_DEFAULTS, pod_defaults, requests_and_limits
from components.workload import AUTHORITY_VOLUME
from shopsphere.estate.databases import AUTHORITY_DIRECTORY, AUTHORITY_FILE, MIGRATION_RETRIES, DatabaseModel
from shopsphere.estate.placement import SKIP_AWAIT, Placement
from shopsphere.estate.site_config import WorkloadConfig


@dataclass(frozen=True)
class MigrationModel:
    """Static facts of a migration.

    Attributes:
        placement: its site.
        database: that is migrated; the Job is in its namespace, where the owner's password is already.
        command: what runs.
        config: size of a pod of the workload that the schema is for.
        watts: power of the pod (W).
        environment: plain settings.
    """

    placement: Placement
    database: DatabaseModel
    command: tuple[str, ...]
    config: WorkloadConfig
    watts: int
    environment: Mapping[str, str]

    @property
    def name(self) -> str:
        """Name of the Job."""
        return f"{self.database.name}-migration"

    @property
    def labels(self) -> dict[str, str]:
        """Labels of the Job and its pod."""
        return self.placement.labels(self.name, data_class=self.database.data_class, owner=self.database.owner)


class MigrationArgs(TypedDict):
    """What is known only at run time."""

    namespace: pulumi.Input[str]
    """Namespace of the database."""
    image: pulumi.Input[str]
    """Image of the workload that the schema is for."""
    priority_class: pulumi.Input[str]
    """Priority of its pods."""
    authority_secret: pulumi.Input[str]
    """Name of the secret with the certificate of the pair's authority, which vouches for the database."""
    owner_secret: pulumi.Input[str]
    """Name of the secret with the owner's password."""


class Migration(pulumi.ComponentResource):
    """A Job that is made anew with each image; pods of the workload wait for what it does, and `up` does not."""

    job: pulumi.Output[str]
    """Name of the Job."""

    def __init__(
        self, name: str, model: MigrationModel, args: MigrationArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("shopsphere:site:Migration", name, {}, opts)
        created = Job(
            model.name,
            metadata={
                "name": model.name,
                "namespace": args["namespace"],
                "labels": model.labels,
                "annotations": SKIP_AWAIT,
            },
            spec={
                "backoff_limit": MIGRATION_RETRIES,
                "template": {"metadata": {"labels": model.labels}, "spec": _pod(model, args)},
            },
            # What a Job runs cannot change, and its name stays: the old one goes first.
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        self.job = name_of(created)
        self.register_outputs({"job": self.job})


def _pod(model: MigrationModel, args: MigrationArgs) -> Manifest:
    file = PurePath(AUTHORITY_FILE).name
    plain = [{"name": name, "value": value} for name, value in sorted(model.environment.items())]
    password = {"secret_key_ref": {"name": args["owner_secret"], "key": "password"}}
    return {
        **pod_defaults(model.placement, model.name),
        "priority_class_name": args["priority_class"],
        "restart_policy": "OnFailure",
        "containers": [
            {
                **CONTAINER_DEFAULTS,
                "name": "migrate",
                "image": args["image"],
                "command": list(model.command),
                "resources": requests_and_limits(model.config.cpu, model.config.memory, model.watts),
                "env": [*plain, {"name": f"{model.database.name.upper()}_PASSWORD", "value_from": password}],
                "volume_mounts": [
                    {"name": "tmp", "mount_path": "/tmp"},  # noqa: S108 an emptyDir of this pod alone
                    {"name": AUTHORITY_VOLUME, "mount_path": AUTHORITY_DIRECTORY, "read_only": True},
                ],
            }
        ],
        "volumes": [
            {"name": "tmp", "empty_dir": {"size_limit": "64Mi"}},
            {
                "name": AUTHORITY_VOLUME,
                "secret": {"secret_name": args["authority_secret"], "items": [{"key": "ca.crt", "path": file}]},
            },
        ],
    }
