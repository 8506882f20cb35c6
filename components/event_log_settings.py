"""The configuration of a site's broker as Kafka reads it, and the words that start it."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from shopsphere.estate.event_log import BROKER_HOST, BROKER_PORT, DATA_DIRECTORY, EVENT_LOG, LARGEST_RECORD, SERVER_FILE

PROGRAM_DIRECTORY = "/opt/kafka"
JAVA = "/opt/java/bin/java"
MEBIBYTE = 2**20
SMALL_SEGMENT = 8 * MEBIBYTE
"""Of the topics that Kafka keeps for itself: the default, 100 MiB to 1 GiB, would be most of a small volume."""
METADATA_BYTES = 32 * MEBIBYTE
HEAP_SHARE = (5, 9)
"""Of the memory of its pod: 160 MiB of 288; threads, classes, compiled code and buffers have the rest."""
FORMAT_HEAP_MIB = 64


@dataclass(frozen=True)
class BrokerPlace:
    """Where a broker finds its files, and where it answers.

    Attributes:
        data: folder of its volume that it keeps everything in; a new volume has others of its file system's.
        certificates: folder with `broker.pem` (its key, then its certificate) and `ca.crt`.
        configuration: folder with `server.properties`.
        host: name that clients are told; it is in the certificate.
        port: for clients.
        controller_port: for itself alone: of the controller, at loopback.
        inside_port: for itself and its keeper alone, at loopback.
    """

    data: str = f"{DATA_DIRECTORY}/log"
    certificates: str = "/etc/shopsphere/broker"
    configuration: str = "/etc/shopsphere/event-log"
    host: str = BROKER_HOST
    port: int = BROKER_PORT
    controller_port: int = 9093
    inside_port: int = 9094

    @property
    def server_file(self) -> str:
        """Path of its configuration."""
        return f"{self.configuration}/{SERVER_FILE}"


IN_POD = BrokerPlace()


def server_properties(place: BrokerPlace = IN_POD) -> str:
    """Return the broker's configuration.

    Every listener wants a certificate of the event log's authority, and the name in it says what its owner may do:
    nothing, unless it is declared. Only the broker itself may do all.
    """
    certificate, authority = f"{place.certificates}/broker.pem", f"{place.certificates}/ca.crt"
    settings = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@localhost:{place.controller_port}",
        "listeners": f"CLIENTS://:{place.port},INSIDE://127.0.0.1:{place.inside_port},"
        f"CONTROLLER://127.0.0.1:{place.controller_port}",
        "advertised.listeners": f"CLIENTS://{place.host}:{place.port},INSIDE://localhost:{place.inside_port}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "INSIDE",
        "listener.security.protocol.map": "CLIENTS:SSL,INSIDE:SSL,CONTROLLER:SSL",
        "ssl.client.auth": "required",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": certificate,
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": authority,
        "ssl.enabled.protocols": "TLSv1.3",
        "ssl.protocol": "TLSv1.3",
        "ssl.principal.mapping.rules": "RULE:^CN=([a-z0-9-]+)$/$1/",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "false",
        "super.users": f"User:{EVENT_LOG}",
        "log.dirs": place.data,
        "auto.create.topics.enable": "false",
        "delete.topic.enable": "false",
        "default.replication.factor": "1",
        "min.insync.replicas": "1",
        "message.max.bytes": str(LARGEST_RECORD),
        "log.retention.check.interval.ms": "60000",
        "log.cleaner.dedupe.buffer.size": "8388608",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "offsets.topic.segment.bytes": str(SMALL_SEGMENT),
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "4",
        "transaction.state.log.segment.bytes": str(SMALL_SEGMENT),
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "metadata.log.segment.bytes": str(SMALL_SEGMENT),
        "metadata.max.retention.bytes": str(METADATA_BYTES),
        # Each is a thread; and an idle controller that writes a record twice a second keeps a core warm.
        "metadata.max.idle.interval.ms": "5000",
        "num.network.threads": "2",
        "num.io.threads": "2",
        "num.recovery.threads.per.data.dir": "1",
        "background.threads": "2",
        "group.initial.rebalance.delay.ms": "0",
        # A worker that was killed holds its partitions for so long; by default 45 s.
        "group.consumer.min.session.timeout.ms": "6000",
        "group.consumer.session.timeout.ms": "10000",
        "group.consumer.min.heartbeat.interval.ms": "1000",
        "group.consumer.heartbeat.interval.ms": "3000",
        # What a stranger to the quotas of memory could open.
        "max.connections": "256",
        "socket.request.max.bytes": str(8 * MEBIBYTE),
        "queued.max.requests": "100",
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def cluster_id(environment: str, site: str) -> str:
    """Return the name of a site's cluster of one broker: 16 bytes in base64, the same at each deployment."""
    digest = hashlib.sha256(f"event log of {site} in {environment}".encode()).digest()[:16]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def format_command(
    cluster: str, place: BrokerPlace = IN_POD, *, java: str = JAVA, programs: str = PROGRAM_DIRECTORY
) -> list[str]:
    """Return the words that make an empty volume a broker's; one that is a broker's already is left as it is."""
    words = ["kafka.tools.StorageTool", "format", "--ignore-formatted", "-t", cluster, "-c", place.server_file]
    return [*_java(FORMAT_HEAP_MIB, java, programs), *words]


def start_command(
    memory_mib: int, place: BrokerPlace = IN_POD, *, java: str = JAVA, programs: str = PROGRAM_DIRECTORY
) -> list[str]:
    """Return the words that start a broker.

    Args:
        memory_mib: of its pod's container (MiB).
        place: where it runs.
        java: path of the runtime's program.
        programs: folder of Kafka's own files.
    """
    share, whole = HEAP_SHARE
    return [*_java(memory_mib * share // whole, java, programs), "kafka.Kafka", place.server_file]


def _java(heap_mib: int, java: str, programs: str) -> list[str]:
    return [
        java,
        f"-Xms{heap_mib}m",
        f"-Xmx{heap_mib}m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-Xss512k",
        "-XX:ReservedCodeCacheSize=48m",
        "-XX:MaxDirectMemorySize=32m",
        "-XX:+ExitOnOutOfMemoryError",
        "-XX:-UsePerfData",
        "-Djava.awt.headless=true",
        f"-Dlog4j2.configurationFile={programs}/log4j2.xml",
        "-cp",
        f"{programs}/libs/*",
    ]
