"""The configuration of a site with an event log, as the lab's have one, or without."""

from __future__ import annotations

from typing import Any

from site_graph import complete_config

from shopsphere.estate.event_log_secrets import generate_event_log_secrets

OWN = {"size": "2Gi", "clickPartitions": 7}
"""A broker of the site's own."""
CLIENTS = {
    "collector": {"replicas": 1, "cpu": "50m", "memory": "128Mi"},
    "insight": {"replicas": 1, "cpu": "50m", "memory": "192Mi"},
    "recommend": {"replicas": 1, "cpu": "50m", "memory": "256Mi"},
}
BROKER = {"replicas": 1, "cpu": "100m", "memory": "288Mi"}
CLUSTER = {
    "bootstrapServers": "k1.example:9093,k2.example:9093",
    "networks": ["10.50.0.1/32", "10.50.0.2/32"],
    "authority": "certificate of its authority",
    "saslUser": "clicks",
}
"""One that its owner has."""


def config_with(kafka: dict[str, Any], brokers: int = 1) -> dict[str, Any]:
    """Return the configuration of Frankfurt in the lab with an event log.

    Args:
        kafka: what its file has under `shopsphere:kafka`.
        brokers: replicas of a broker of its own.
    """
    return with_event_log(without_event_log(complete_config("rdc-a", "lab-frankfurt")), kafka, brokers)


def with_event_log(config: dict[str, Any], kafka: dict[str, Any], brokers: int = 1) -> dict[str, Any]:
    """Return the configuration of a site of rdc-a in the lab, with an event log beside what it has."""
    config = {**config, "shopsphere:kafka": kafka}
    own = "size" in kafka
    wanted = {**CLIENTS, "kafka": {**BROKER, "replicas": brokers}} if own else CLIENTS
    config["shopsphere:workloads"] = {**config["shopsphere:workloads"], **wanted}
    if own:
        config["shopsphere:images"] = {**config["shopsphere:images"], "kafka": "localhost/shopsphere/kafka:4.4.0"}
        volume = {"name": "v5", "path": "/srv/volumes/v5", "capacity": "2Gi", "dataClass": "personal"}
        config["shopsphere:volumes"] = [*config["shopsphere:volumes"], volume]
        config |= {f"shopsphere:{name}": text for name, text in generate_event_log_secrets("rdc-a").items()}
    else:
        config["shopsphere:kafkaPassword"] = "password of the tests"
    return config


def without_event_log(config: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration of a site of the lab as if it had no event log."""
    kept = {key: value for key, value in config.items() if not key.startswith("shopsphere:kafka")}
    images, volumes, sizes = (kept[f"shopsphere:{name}"] for name in ("images", "volumes", "workloads"))
    return {
        **kept,
        "shopsphere:images": {name: image for name, image in images.items() if name != "kafka"},
        "shopsphere:volumes": [each for each in volumes if each["name"] != "v5"],
        "shopsphere:workloads": {name: size for name, size in sizes.items() if name not in {"kafka", *CLIENTS}},
    }
