"""Every door with its attempts, in the order in which they are tried: those that make the most noise come last."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import door_agents
import door_archive
import door_cdn
import door_clusters
import door_databases
import door_edge_apis
import door_hosts
import door_images
import door_names
import door_shop
import door_witness
from attacked import Scene
from attempt import Attempt

Door = Callable[[Scene], Iterator[Attempt]]
DOORS: Mapping[str, Door] = {
    "witness": door_witness.attempts,
    "agents": door_agents.attempts,
    "clusters": door_clusters.attempts,
    "own-cluster": door_clusters.inside,
    "images": door_images.attempts,
    "databases": door_databases.attempts,
    "edge-apis": door_edge_apis.attempts,
    "names": door_names.attempts,
    "cdn": door_cdn.attempts,
    "archive": door_archive.attempts,
    "shop": door_shop.attempts,
    "hosts": door_hosts.attempts,
}


def attempts_of(door: str, scene: Scene, *, every_port: bool = False) -> list[Attempt]:
    """Return the attempts at a door."""
    if every_port and door == "hosts":
        return list(door_hosts.attempts(scene, every_port=True))
    return list(DOORS[door](scene))
