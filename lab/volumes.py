"""Volumes that a rebuild has kept: emptied and free again, once somebody has looked at them."""

from __future__ import annotations

import json
from typing import Any

from lab.cluster.addons import kubectl
from lab.enter import run_inside
from lab.hosts import Host
from shopsphere.clients.free_volumes import node_of
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.progress import step

OFFERED_SECONDS = 180.0
"""Until a site's controllers have seen it (s); they start after its API when it gets power."""
_FREE = json.dumps({"spec": {"claimRef": None}})


def free_volumes(site: Host) -> list[str]:
    """Empty every released volume of a site and offer it again; returns their names.

    It returns when the site's cluster offers them: what is asked for before then, as by a rebuild, is not found.

    Raises:
        HostOffError: the site has no power.
        CommandError: its API does not answer, or a directory could not be emptied.
        WaitExpiredError: the cluster does not offer one again.
    """
    kept = [volume for volume in _volumes(site.name) if volume["status"].get("phase") == "Released"]
    for volume in kept:
        with step(f"{site.name}: {volume['metadata']['name']} emptied, was {_claim(volume)}"):
            run_inside(
                host_of(volume, site.name), ["find", volume["spec"]["local"]["path"], "-mindepth", "1", "-delete"]
            )
            kubectl(site.name, "patch", "persistentvolume", volume["metadata"]["name"], "-p", _FREE, seconds=20)
    names = [str(volume["metadata"]["name"]) for volume in kept]
    wait_until(
        lambda: not _not_offered(site.name, names),
        what=f"{site.name} to offer {', '.join(names)}",
        seconds=OFFERED_SECONDS,
        explain=lambda: f"still {', '.join(_not_offered(site.name, names))}",
    )
    return names


def _volumes(site: str) -> list[dict[str, Any]]:
    return list(json.loads(kubectl(site, "get", "persistentvolumes", "-o", "json", seconds=20))["items"])


def _not_offered(site: str, names: list[str]) -> list[str]:
    """Return those that are neither offered nor taken already."""
    phases = {volume["metadata"]["name"]: volume["status"].get("phase") for volume in _volumes(site)}
    return [f"{name} {phases.get(name)}" for name in names if phases.get(name) not in {"Available", "Bound"}]


def host_of(volume: dict[str, Any], site: str) -> str:
    """Return the host whose directory a volume is: the site's, unless the volume names a node."""
    return node_of(volume) or site


def _claim(volume: dict[str, Any]) -> str:
    claim = volume["spec"].get("claimRef", {})
    return f"{claim.get('namespace')}/{claim.get('name')}"
