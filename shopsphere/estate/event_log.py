"""The event log of a site: its topics, who may write and read each, and where its broker answers (ADR 63)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shopsphere.estate.event_log_config import KafkaConfig

EVENT_LOG = "kafka"
"""Name of the workload, its namespace, its image and the principal of the broker."""
BROKER_PORT = 9092
"""Where it answers its clients, by mutual TLS."""
FILES_DIRECTORY = "/etc/shopsphere/files"
"""Where the pods of a workload find the files that its process is given."""
DATA_DIRECTORY = "/var/lib/kafka"
"""Where its volume is in its pod."""
DECLARATION = "event-log-declaration"
"""Name of the ConfigMap that says which topics there are, and who may do what with them."""
DECLARATION_FILE = "declaration.json"
SERVER_FILE = "server.properties"
LARGEST_RECORD = 524_288
"""Bytes of one batch of records on the wire; app/clicks/producing.py has the same number."""
CLICKS = "clicks"
REJECTED = "clicks.rejected"
SESSIONS = "sessions"
MEBIBYTE = 2**20
SEGMENTS = 4
"""Parts of what a partition keeps: only a whole one is given up, so a partition has up to one part more."""
HOUR_MS = 3_600_000
CLICK_HOURS = 24
"""After which a click is given up, counted or not (h)."""


@dataclass(frozen=True)
class Topic:
    """One topic.

    Attributes:
        name: of it.
        data_class: class of what its records hold.
        partitions: in number.
        hours: after which a record is given up (h).
        mib: of a partition beyond which its oldest records are given up (MiB).
        compacted: whether of each key only the newest record is of use.
    """

    name: str
    data_class: str
    partitions: int
    hours: int
    mib: int
    compacted: bool = False

    @property
    def settings(self) -> dict[str, str]:
        """Its configuration, in Kafka's words."""
        return {
            "cleanup.policy": "compact,delete" if self.compacted else "delete",
            "retention.ms": str(self.hours * HOUR_MS),
            "retention.bytes": str(self.mib * MEBIBYTE),
            "segment.bytes": str(self.mib * MEBIBYTE // SEGMENTS),
            "max.message.bytes": str(LARGEST_RECORD),
        }


@dataclass(frozen=True)
class Client:
    """A program that speaks to the broker; its name is the one in its certificate.

    Attributes:
        name: of its workload.
        writes: topics that it may write to.
        reads: topics that it may read.
        group: of consumers that it may be one of; empty for none.
    """

    name: str
    writes: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    group: str = ""

    @property
    def rights(self) -> list[dict[str, str]]:
        """All that it may do, in Kafka's words."""
        found = [("TOPIC", name, "WRITE") for name in self.writes]
        found += [("TOPIC", name, "READ") for name in self.reads]
        found += [("GROUP", self.group, "READ")] if self.group else []
        return [
            {"principal": f"User:{self.name}", "kind": kind, "name": name, "operation": operation}
            for kind, name, operation in found
        ]


COLLECTOR = Client("collector", writes=(CLICKS, REJECTED))
INSIGHT = Client("insight", reads=(CLICKS, SESSIONS), writes=(SESSIONS,), group="insight")
CLIENTS = (COLLECTOR, INSIGHT)
"""Who may reach the broker: NetworkPolicies, its own rights and EVT-003 follow from it."""


def topics(config: KafkaConfig) -> tuple[Topic, ...]:
    """Return the topics of a site; the collector is told the number of partitions of the first from the same place."""
    mib = config.click_retention_mib
    return (
        Topic(CLICKS, "personal", config.click_partitions, hours=CLICK_HOURS, mib=mib),
        Topic(REJECTED, "operational", 1, hours=7 * 24, mib=max(4, mib // 4)),
        Topic(SESSIONS, "personal", config.click_partitions, hours=30 * 24, mib=max(4, mib // 2), compacted=True),
    )


def declaration(config: KafkaConfig) -> dict[str, Any]:
    """Return what a broker is to have: its keeper makes it so, and policies judge it."""
    return {
        "topics": [
            {"name": each.name, "class": each.data_class, "partitions": each.partitions, "settings": each.settings}
            for each in topics(config)
        ],
        "rights": [right for client in CLIENTS for right in client.rights],
    }


def client_files(client: Client) -> Mapping[str, str]:
    """Return the files of a client of the site's own broker, each with the secret that it holds."""
    certificate, key = client_secrets(client)
    return {"ca.crt": AUTHORITY, "tls.crt": certificate, "tls.key": key}


def client_secrets(client: Client) -> tuple[str, str]:
    """Return the names of the secrets with a client's certificate and its key."""
    return (f"kafka{client.name.capitalize()}Certificate", f"kafka{client.name.capitalize()}Key")


AUTHORITY = "kafkaAuthority"
"""Certificate of the authority that vouches for the broker and its clients."""
SERVER_SECRETS = ("kafkaServerCertificate", "kafkaServerKey")
PASSWORD = "kafkaPassword"  # noqa: S105 the name of a secret is no secret
"""Of the collector at a cluster that exists; nothing here can make it."""
EVENT_LOG_SECRET_NAMES = (
    AUTHORITY,
    *SERVER_SECRETS,
    *(name for client in CLIENTS for name in client_secrets(client)),
)
"""Keys of the configuration of stacks with a broker of their own; `up` makes them, the same for both of a pair."""


def wanted_secrets(kafka: object) -> tuple[str, ...]:
    """Return the names of secrets that follow from what a stack's configuration has under `kafka`.

    Args:
        kafka: its value, whatever it is; a shape that is wrong is its model's business.
    """
    if not isinstance(kafka, Mapping):
        return ()
    return (PASSWORD,) if "bootstrapServers" in kafka else EVENT_LOG_SECRET_NAMES


def broker_names() -> list[str]:
    """Return every name under which a broker is addressed: the same at both sites, for it is inside each cluster."""
    short = f"{EVENT_LOG}.{EVENT_LOG}"
    return [f"{short}.svc.cluster.local", f"{short}.svc", short, EVENT_LOG, "localhost"]


BROKER_HOST = f"{EVENT_LOG}.{EVENT_LOG}.svc.cluster.local"
