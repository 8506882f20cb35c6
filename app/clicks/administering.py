"""The keeper's way to a broker, by Kafka's own client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its documented names, which it does not list
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)

from app.clicks.broker_log import kafka_log
from app.clicks.keeping import DeclaredTopic, Right

ASK_SECONDS = 10.0


class KafkaBroker:
    """A broker, asked with a certificate that may do all.

    Args:
        connection: how it is reached, in librdkafka's words.
    """

    def __init__(self, connection: Mapping[str, str]) -> None:
        settings: dict[str, str | int | float | bool] = {
            **connection,
            "client.id": "keeper",
            "reconnect.backoff.max.ms": 1_000,
        }
        self._admin = AdminClient(settings, logger=kafka_log())

    def partitions(self) -> dict[str, int]:
        """Return the number of partitions of each topic."""
        found = self._admin.list_topics(timeout=ASK_SECONDS)
        return {name: len(topic.partitions) for name, topic in found.topics.items()}

    def create(self, topic: DeclaredTopic) -> None:
        """Create a topic."""
        new = NewTopic(topic.name, topic.partitions, 1, config=dict(topic.settings))
        for done in self._admin.create_topics([new], request_timeout=ASK_SECONDS).values():
            done.result(ASK_SECONDS)

    def add_partitions(self, topic: DeclaredTopic) -> None:
        """Give a topic its number of partitions."""
        wanted = [NewPartitions(topic.name, topic.partitions)]
        for done in self._admin.create_partitions(wanted, request_timeout=ASK_SECONDS).values():
            done.result(ASK_SECONDS)

    def settings(self, name: str) -> dict[str, str]:
        """Return the settings of a topic."""
        asked = self._admin.describe_configs([ConfigResource(ResourceType.TOPIC, name)], request_timeout=ASK_SECONDS)
        return {key: str(entry.value) for done in asked.values() for key, entry in done.result(ASK_SECONDS).items()}

    def set(self, name: str, settings: Mapping[str, str]) -> None:
        """Change settings of a topic."""
        entries = [
            ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET) for key, value in settings.items()
        ]
        changed = ConfigResource(ResourceType.TOPIC, name, incremental_configs=entries)
        for done in self._admin.incremental_alter_configs([changed], request_timeout=ASK_SECONDS).values():
            done.result(ASK_SECONDS)

    def rights(self) -> frozenset[Right]:
        """Return all rights."""
        every = _filter(ResourceType.ANY, None, None, AclOperation.ANY)
        found = self._admin.describe_acls(every, request_timeout=ASK_SECONDS).result(ASK_SECONDS)
        return frozenset((each.principal, each.restype.name, each.name, each.operation.name) for each in found)

    def grant(self, right: Right) -> None:
        """Add a right."""
        principal, kind, name, operation = right
        binding = AclBinding(
            ResourceType[kind], name, ResourcePatternType.LITERAL, principal, "*", AclOperation[operation],
            AclPermissionType.ALLOW,
        )  # fmt: skip
        for done in self._admin.create_acls([binding], request_timeout=ASK_SECONDS).values():
            done.result(ASK_SECONDS)

    def revoke(self, right: Right) -> None:
        """Take a right away, whatever its pattern and its host are."""
        principal, kind, name, operation = right
        wanted = _filter(ResourceType[kind], name, principal, AclOperation[operation])
        for done in self._admin.delete_acls([wanted], request_timeout=ASK_SECONDS).values():
            done.result(ASK_SECONDS)


def _filter(kind: ResourceType, name: str | None, principal: str | None, operation: AclOperation) -> AclBindingFilter:
    """Return what finds rights, whatever their pattern and host are; None is any name, or any program."""
    any_host = None
    # The client takes None where its types want a text.
    parts: list[Any] = [kind, name, ResourcePatternType.ANY, principal, any_host, operation, AclPermissionType.ANY]
    return AclBindingFilter(*parts)
