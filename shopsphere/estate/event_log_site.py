"""A regional site with an event log: what it runs beside what every one runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from shopsphere.estate.databases import COMMERCE, DATABASES
from shopsphere.estate.event_log import (
    AUTHORITY,
    BROKER_HOST,
    BROKER_PORT,
    COLLECTOR,
    EVENT_LOG,
    FILES_DIRECTORY,
    INSIGHT,
    PASSWORD,
    client_files,
)
from shopsphere.estate.event_log_config import KafkaConfig
from shopsphere.estate.site_declaration import REGIONAL_SITE, SiteDeclaration
from shopsphere.estate.workload_declaration import Process, Surroundings, WorkloadDeclaration
from shopsphere.estate.workloads import GATEWAY, SHOP
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


def _by_certificate(surroundings: Surroundings) -> Mapping[str, str]:
    return {
        **_reached(surroundings),
        "CLICKS_CERTIFICATE_FILE": f"{FILES_DIRECTORY}/tls.crt",
        "CLICKS_KEY_FILE": f"{FILES_DIRECTORY}/tls.key",
    }


def _by_password(surroundings: Surroundings) -> Mapping[str, str]:
    return {
        **_reached(surroundings),
        "CLICKS_SASL_MECHANISM": _config(surroundings).sasl_mechanism,
        "CLICKS_SASL_USER": _config(surroundings).sasl_user or "",
        "CLICKS_SASL_PASSWORD_FILE": f"{FILES_DIRECTORY}/password",
    }


def _elsewhere(workload: WorkloadDeclaration, process: Process) -> WorkloadDeclaration:
    """Return a client of the site's own broker as one of a cluster that its owner has."""
    files = {"ca.crt": AUTHORITY, "password": PASSWORD}
    process = replace(process, settings=_by_password, files=files)
    return replace(workload, calls=(), endpoints=("event-log",), process=process)


_COLLECT = Process(command=("shop", "collect"), settings=_by_certificate, files=client_files(COLLECTOR))
COLLECT = WorkloadDeclaration(
    name=COLLECTOR.name,
    data_class="personal",
    owner="insight",
    power_percent=2,
    ports=(8010,),
    calls=(KAFKA,),
    process=_COLLECT,
)
"""The collector of clicks, where the broker is the site's own."""
COLLECT_ELSEWHERE = _elsewhere(COLLECT, _COLLECT)
"""The same, where its owner has a cluster of brokers."""

_COUNT = Process(
    command=("shop", "insight"),
    schema=("shop", "await-schema", "commerce"),
    settings=_by_certificate,
    files=client_files(INSIGHT),
)
COUNT = WorkloadDeclaration(
    name=INSIGHT.name,
    data_class="personal",
    owner="insight",
    power_percent=1,
    priority="background",
    ports=(8012,),
    calls=(KAFKA,),
    databases=(COMMERCE,),
    login="insight",
    process=_COUNT,
)
"""The worker that counts clicks beside the orders; where that database only follows, it counts nothing and is ready."""
COUNT_ELSEWHERE = _elsewhere(COUNT, _COUNT)

INDEX_DIRECTORY = "/var/lib/recommend"
RECOMMEND = WorkloadDeclaration(
    name="recommend",
    data_class="personal",
    owner="insight",
    power_percent=1,
    priority="background",
    ports=(8011,),
    databases=(COMMERCE,),
    login="recommend",
    process=Process(
        command=("shop", "recommend"),
        schema=("shop", "await-schema", "commerce"),
        settings=lambda _: {"RECOMMEND_INDEX_FILE": f"{INDEX_DIRECTORY}/sessions.index"},
        # Two files of a million sessions: the one that is read, and the one that is made.
        scratch={INDEX_DIRECTORY: "512Mi"},
    ),
)
"""What pages ask for recommendations, and show themselves without."""


def _with_clicks(collect: WorkloadDeclaration, *others: WorkloadDeclaration) -> SiteDeclaration:
    """Return a regional site whose gateway leads clicks to a collector, and whose pages ask for recommendations."""
    usual = SHOP.process
    assert usual is not None  # noqa: S101 its entry in the table has one

    def settings(surroundings: Surroundings) -> Mapping[str, str]:
        own = {"SHOP_CLICKS": "1", "SHOP_RECOMMENDATIONS": RECOMMEND.url}
        return {**usual.settings(surroundings), **own}

    shop = replace(SHOP, calls=(*SHOP.calls, RECOMMEND), process=replace(usual, settings=settings))
    other = {SHOP.name: shop, GATEWAY.name: replace(GATEWAY, calls=(shop, collect))}
    usual_ones = (other.get(each.name, each) for each in REGIONAL_SITE.workloads)
    return SiteDeclaration((*usual_ones, collect, *others, RECOMMEND), DATABASES)


SITE_WITH_BROKER = _with_clicks(COLLECT, KAFKA, COUNT)
SITE_WITH_CLUSTER = _with_clicks(COLLECT_ELSEWHERE, COUNT_ELSEWHERE)
EVENT_NAMESPACES = tuple(each.namespace for each in (KAFKA, COLLECT, COUNT, RECOMMEND))
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
