"""Volumes that a rebuild has kept: emptied and free again, once somebody has looked at them."""

from __future__ import annotations

import json
from typing import Any

from lab.cluster.addons import kubectl
from lab.enter import run_inside
from lab.hosts import Host
from shopsphere.foundation.progress import step

_FREE = json.dumps({"spec": {"claimRef": None}})


def free_volumes(site: Host) -> list[str]:
    """Empty every released volume of a site and offer it again; returns their names.

    Raises:
        HostOffError: the site has no power.
        CommandError: its API does not answer, or a directory could not be emptied.
    """
    volumes = json.loads(kubectl(site.name, "get", "persistentvolumes", "-o", "json", seconds=20))["items"]
    kept = [volume for volume in volumes if volume["status"].get("phase") == "Released"]
    for volume in kept:
        with step(f"{site.name}: {volume['metadata']['name']} emptied, was {_claim(volume)}"):
            run_inside(
                host_of(volume, site.name), ["find", volume["spec"]["local"]["path"], "-mindepth", "1", "-delete"]
            )
            kubectl(site.name, "patch", "persistentvolume", volume["metadata"]["name"], "-p", _FREE, seconds=20)
    return [volume["metadata"]["name"] for volume in kept]


def host_of(volume: dict[str, Any], site: str) -> str:
    """Return the host whose directory a volume is: the site's, unless the volume names a node."""
    terms = volume["spec"].get("nodeAffinity", {}).get("required", {}).get("nodeSelectorTerms", [])
    named = [each for term in terms for each in term["matchExpressions"] if each["key"] == "kubernetes.io/hostname"]
    return str(named[0]["values"][0]) if named else site


def _claim(volume: dict[str, Any]) -> str:
    claim = volume["spec"].get("claimRef", {})
    return f"{claim.get('namespace')}/{claim.get('name')}"
