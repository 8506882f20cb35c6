"""The spec of a CloudNativePG cluster that is one of the two members of a pair's database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from components.pinned_storage import storage_class_name
from shopsphere.estate.databases import POSTGRESQL_PORT, DatabaseModel, Login, synchronous_with
from shopsphere.estate.pair_secrets import REPLICATION_USER
from shopsphere.estate.placement import (
    DATA_CLASS_LABEL,
    HOSTNAME_LABEL,
    LOST_NODE_TAINTS,
    SITE_LABEL,
    WATTS_RESOURCE,
    Placement,
)
from shopsphere.estate.site_config import DatabaseConfig
from shopsphere.topology.quantities import parse_quantity

SHARED_BUFFERS_SHARE = 4  # a quarter of memory: PostgreSQL's own starting point for a server of its own
MEBIBYTE = 2**20
LEFT_AFTER = 1
"""Seconds after which an instance whose node is lost is given up, where the site has another (ADR 58).

CloudNativePG asks each instance that is not given up, one after the other, before it tells the Services who leads, and
waits 2 s for one whose node does not answer.
"""
NO_ARCHIVE = "ALTER SYSTEM SET restore_command = 'false'"
"""Without a WAL archive PostgreSQL still asks for files, and waits for a no several times in a promotion.

CloudNativePG's own command takes 0.2 s to say no, and a cluster's document cannot name another command. This setting
is part of the data, so a copy has it too. To add an archive later, undo it: ALTER SYSTEM RESET at every instance.
"""
NOT_IN_CLEAR = "hostnossl all all all reject"
"""CloudNativePG ends pg_hba.conf with `host all all all scram-sha-256`, which takes passwords without TLS too."""


@dataclass(frozen=True)
class PostgresMemberModel:
    """Static facts of one member.

    Attributes:
        placement: site of this member.
        database: what it is at both sites.
        config: its size at this one.
        peer: name of the other site of the pair.
        initial_primary: site that takes writes when the pair is created; later roles are run-time state.
        addresses: of each of the two sites, by name: those of its nodes, with commas between, as libpq tries them.
        watts: power of one instance (W).
        instances: at this site, each on a node of its own.
    """

    placement: Placement
    database: DatabaseModel
    config: DatabaseConfig
    peer: str
    initial_primary: str
    addresses: Mapping[str, str]
    watts: int
    instances: int = 1

    @property
    def cluster(self) -> str:
        """Name of this member's cluster, and its name in replication."""
        return self.database.cluster(self.placement.site)

    @property
    def peer_cluster(self) -> str:
        """Name of the other member's cluster."""
        return self.database.cluster(self.peer)

    @property
    def starts_as_primary(self) -> bool:
        """Whether this member is created as the one that takes writes."""
        return self.placement.site == self.initial_primary

    @property
    def labels(self) -> dict[str, str]:
        """Labels of the cluster and of all that belongs to it."""
        return self.placement.labels(self.database.name, data_class=self.database.data_class, owner=self.database.owner)

    @property
    def server_secret(self) -> str:
        """Name of the secret with the server's certificate."""
        return self.database.server_secret


def cluster_spec(
    model: PostgresMemberModel,
    image: pulumi.Input[str],
    priority_class: pulumi.Input[str],
    secrets: Mapping[str, pulumi.Input[str]],
) -> dict[str, Any]:
    """Return `spec` of the Cluster; `secrets` names those of authority, server, replication, owner and each login."""
    config = model.config
    requests = {"cpu": config.cpu, "memory": config.memory, WATTS_RESOURCE: str(model.watts)}
    return {
        "instances": model.instances,
        "imageName": image,
        "imagePullPolicy": "IfNotPresent",
        "priorityClassName": priority_class,
        "enableSuperuserAccess": False,
        "inheritedMetadata": {"labels": model.labels},
        "affinity": _affinity(model),
        "resources": {
            "requests": requests,
            "limits": {"memory": config.memory, WATTS_RESOURCE: str(model.watts)},
        },
        "storage": {
            "size": config.size,
            "storageClass": storage_class_name(model.placement.site),
            # Only a volume that was set aside for this class of data.
            "pvcTemplate": {
                "accessModes": ["ReadWriteOnce"],
                "selector": {"matchLabels": {DATA_CLASS_LABEL: model.database.data_class}},
            },
        },
        # Seconds; a failover waits for the first two, whose defaults are an hour and three minutes.
        "switchoverDelay": 20,
        "smartShutdownTimeout": 1,
        "stopDelay": 60,
        "primaryLease": {
            "leaseDurationSeconds": 15,
            "renewDeadlineSeconds": 10,
            "retryPeriodSeconds": 1,
            "releasedLeaseDurationSeconds": 1,
        },
        "certificates": {
            "serverCASecret": secrets["authority"],
            "serverTLSSecret": secrets["server"],
            "clientCASecret": secrets["authority"],
            "replicationTLSSecret": secrets["replication"],
        },
        "postgresql": _postgresql(model),
        "bootstrap": _bootstrap(model, secrets["owner"]),
        "replica": {
            "self": model.cluster,
            "primary": model.database.cluster(model.initial_primary),
            "source": model.peer_cluster,
        },
        "externalClusters": [
            _external_cluster(model, site, secrets) for site in sorted((model.placement.site, model.peer))
        ],
        "managed": {
            "roles": [_managed_role(each, secrets[each.name]) for each in model.database.logins],
            "services": {"additional": [_replication_service(model)]},
        },
    }


def _affinity(model: PostgresMemberModel) -> dict[str, Any]:
    affinity: dict[str, Any] = {"nodeSelector": {SITE_LABEL: model.placement.site}}
    if model.instances > 1:  # a second instance on the same node would be lost with the first
        affinity |= {
            "enablePodAntiAffinity": True,
            "podAntiAffinityType": "required",
            "topologyKey": HOSTNAME_LABEL,
            "tolerations": [
                {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": LEFT_AFTER}
                for key in LOST_NODE_TAINTS
            ],
        }
    return affinity


def _postgresql(model: PostgresMemberModel) -> dict[str, Any]:
    buffers = int(parse_quantity(model.config.memory)) // SHARED_BUFFERS_SHARE // MEBIBYTE
    settings: dict[str, Any] = {
        "parameters": {
            "shared_buffers": f"{buffers}MB",
            # There are no slots between clusters: this is what a peer may miss and still catch up.
            "wal_keep_size": model.config.wal_keep_size,
            # A query on the standby must not hold up its promotion.
            "max_standby_streaming_delay": "1s",
            # Agents reckon with both: for so long a follower that is gone is still taken for one.
            "wal_sender_timeout": "5s",
            "wal_receiver_timeout": "5s",
            # Until a follower tries again: payments wait for the other site while it looks for a new leader.
            "wal_retrieve_retry_interval": "1s",
        },
        "pg_hba": [NOT_IN_CLEAR],
    }
    # The recovery site names no synchronous standby: promoted in a disaster, it would wait for a dead peer.
    if model.database.synchronous and model.starts_as_primary:
        settings["synchronous"] = synchronous_with(model.peer_cluster)
    return settings


def _bootstrap(model: PostgresMemberModel, owner_secret: pulumi.Input[str]) -> dict[str, Any]:
    name = model.database.name
    database = {"database": name, "owner": name, "secret": {"name": owner_secret}}
    if model.starts_as_primary:
        # The owner has no CREATEROLE: the superuser makes the roles that its migrations need, once. The logins come
        # with `managed.roles`, which also makes those of a database that is older than they are.
        statements = [f"CREATE ROLE {each.role} NOLOGIN" for each in model.database.logins]
        statements.append(f"GRANT {model.database.application_role} TO {name}")
        settings = {"dataChecksums": True, "encoding": "UTF8", "postInitApplicationSQL": statements}
        if model.config.skip_wal_archiving:
            settings["postInitSQL"] = [NO_ARCHIVE]
        return {"initdb": {**database, **settings}}
    return {"pg_basebackup": {"source": model.peer_cluster, **database}}


def _managed_role(login: Login, secret: pulumi.Input[str]) -> dict[str, Any]:
    """Return the role that a program logs in as: it owns nothing, and is a member of nothing.

    The operator sets it where writes are taken; the other site gets it by replication.
    """
    return {
        "name": login.role,
        "ensure": "present",
        "login": True,
        "inherit": True,
        "connectionLimit": -1,
        "passwordSecret": {"name": secret},
    }


def _external_cluster(
    model: PostgresMemberModel, site: str, secrets: Mapping[str, pulumi.Input[str]]
) -> dict[str, Any]:
    return {
        "name": model.database.cluster(site),
        "connectionParameters": {
            "host": model.addresses[site],
            "port": str(model.database.replication_port),
            "user": REPLICATION_USER,
            "dbname": "postgres",
            "sslmode": "verify-ca",
            # No keepalives_* or tcp_user_timeout: the first copy is taken by a Go client, which knows none of them
            # and hands them to the server, which refuses. wal_receiver_timeout notices a silent peer.
            "connect_timeout": "5",
        },
        "sslCert": {"name": secrets["replication"], "key": "tls.crt"},
        "sslKey": {"name": secrets["replication"], "key": "tls.key"},
        "sslRootCert": {"name": secrets["authority"], "key": "ca.crt"},
    }


def _replication_service(model: PostgresMemberModel) -> dict[str, Any]:
    port = {
        "name": "postgres",
        "port": POSTGRESQL_PORT,
        "targetPort": POSTGRESQL_PORT,
        "nodePort": model.database.replication_port,
        "protocol": "TCP",
    }
    return {
        "selectorType": "rw",
        "serviceTemplate": {
            "metadata": {"name": f"{model.database.name}-replication"},
            # Local keeps the peer's address as the source, and the network policy judges that.
            "spec": {"type": "NodePort", "externalTrafficPolicy": "Local", "ports": [port]},
        },
    }
