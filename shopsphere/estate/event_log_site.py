"""A regional site with an event log: what it runs beside what every one runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from shopsphere.estate.event_log import (
    AUTHORITY,
    BROKER_HOST,
    BROKER_PORT,
    COLLECTOR,
    EVENT_LOG,
    FILES_DIRECTORY,
    PASSWORD,
    client_files,
)
from shopsphere.estate.event_log_config import KafkaConfig
from shopsphere.estate.site_declaration import REGIONAL_SITE, SiteDeclaration
from shopsphere.estate.workload_declaration import Process, Surroundings, WorkloadDeclaration
from shopsphere.foundation.errors import ShopSphereError

KAFKA = WorkloadDeclaration(
    name=EVENT_LOG,
    data_class="personal",
    owner="insight",
    power_percent=3,
    priority="background",
    ports=(BROKER_PORT,),
    image=EVENT_LOG,
    claims=2,
)
"""The site's own broker. One claim, and one of a volume that takes its place."""


def _config(surroundings: Surroundings) -> KafkaConfig:
    config = surroundings.config.kafka
    if config is None:
        raise ShopSphereError.build(
            f"{surroundings.site}: a collector without an event log",
            expected="shopsphere:kafka, with size or bootstrapServers",
            found="nothing",
            action="add it to the stack's file, or leave the collector out of the site's declaration",
        )
    return config


def _reached(surroundings: Surroundings) -> Mapping[str, str]:
    config = _config(surroundings)
    return {
        "CLICKS_BOOTSTRAP": config.bootstrap_servers or f"{BROKER_HOST}:{BROKER_PORT}",
        "CLICKS_PARTITIONS": str(config.click_partitions),
        "CLICKS_AUTHORITY_FILE": f"{FILES_DIRECTORY}/ca.crt",
    }


_BY_CERTIFICATE = Process(
    command=("shop", "collect"),
    settings=lambda surroundings: {
        **_reached(surroundings),
        "CLICKS_CERTIFICATE_FILE": f"{FILES_DIRECTORY}/tls.crt",
        "CLICKS_KEY_FILE": f"{FILES_DIRECTORY}/tls.key",
    },
    files=client_files(COLLECTOR),
)
_BY_PASSWORD = Process(
    command=("shop", "collect"),
    settings=lambda surroundings: {
        **_reached(surroundings),
        "CLICKS_SASL_MECHANISM": _config(surroundings).sasl_mechanism,
        "CLICKS_SASL_USER": _config(surroundings).sasl_user or "",
        "CLICKS_SASL_PASSWORD_FILE": f"{FILES_DIRECTORY}/password",
    },
    files={"ca.crt": AUTHORITY, "password": PASSWORD},
)
COLLECT = WorkloadDeclaration(
    name=COLLECTOR.name,
    data_class="personal",
    owner="insight",
    power_percent=2,
    ports=(8010,),
    calls=(KAFKA,),
    process=_BY_CERTIFICATE,
)
"""The collector of clicks, where the broker is the site's own."""
COLLECT_ELSEWHERE = replace(COLLECT, calls=(), endpoints=("event-log",), process=_BY_PASSWORD)
"""The same, where its owner has a cluster of brokers."""

SITE_WITH_BROKER = SiteDeclaration((*REGIONAL_SITE.workloads, KAFKA, COLLECT), REGIONAL_SITE.databases)
SITE_WITH_CLUSTER = SiteDeclaration((*REGIONAL_SITE.workloads, COLLECT_ELSEWHERE), REGIONAL_SITE.databases)
EVENT_NAMESPACES = (KAFKA.namespace, COLLECT.namespace)
"""Namespaces that a site has with an event log alone."""


def with_event_log(site: SiteDeclaration, kafka: object) -> SiteDeclaration:
    """Return what a site runs by what its stack has under `kafka`; a site of another kind stays as it is.

    Args:
        site: without it.
        kafka: value of the configuration, whatever it is.
    """
    if site is not REGIONAL_SITE or not isinstance(kafka, Mapping):
        return site
    return SITE_WITH_CLUSTER if "bootstrapServers" in kafka else SITE_WITH_BROKER


def declared_site(config: Mapping[str, Any]) -> SiteDeclaration:
    """Return what a pair's site runs by its stack's configuration, whose keys have no prefix."""
    return with_event_log(REGIONAL_SITE, config.get("kafka"))
