"""Images into a site's container runtime, without a registry."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from lab.cluster.configuration import containerd_socket
from lab.paths import disk_directory
from shopsphere.foundation.files import write_whole
from shopsphere.foundation.process import run


def _record(site: str) -> Path:
    return disk_directory(site) / "images.json"


def missing(site: str, archives: Mapping[str, Path]) -> dict[str, Path]:
    """Return those of `archives` (by image reference) whose content the site does not hold yet."""
    record = _record(site)
    held = json.loads(record.read_text()) if record.exists() else {}
    return {reference: archive for reference, archive in archives.items() if held.get(reference) != archive.name}


def bring_in(site: str, archives: Mapping[str, Path]) -> list[str]:
    """Import what is missing and return the references that now mean another image than before.

    Archive names carry a hash of their content, so a rebuilt image is imported again.
    """
    record = _record(site)
    before = set(json.loads(record.read_text())) if record.exists() else set()
    replaced = []
    for reference, archive in missing(site, archives).items():
        run(
            [
                "ctr",
                "--address",
                containerd_socket(site),
                "--namespace",
                "k8s.io",
                "image",
                "import",
                "--digests=false",
                archive,
            ],
            seconds=300,
        )
        held = json.loads(record.read_text()) if record.exists() else {}
        write_whole(record, json.dumps({**held, reference: archive.name}, indent=2))
        if reference in before:
            replaced.append(reference)
    return replaced
