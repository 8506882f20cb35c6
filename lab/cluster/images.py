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
    """Import what is missing and return the references that mean another image since what ran them was done again.

    Archive names carry a hash of their content, so a rebuilt image is imported again. That it will mean another image
    is on the disk before it does: what breaks off then is known the next time, until `forget_replaced`.
    """
    record = _record(site)
    before = set(json.loads(record.read_text())) if record.exists() else set()
    wanted = missing(site, archives)
    replaced = sorted({*_replaced(site), *(before & set(wanted))})
    if replaced:
        write_whole(_note(site), json.dumps(replaced))
    for reference, archive in wanted.items():
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
    return replaced


def forget_replaced(site: str) -> None:
    """Note that whatever runs a replaced image was done again."""
    _note(site).unlink(missing_ok=True)


def _note(site: str) -> Path:
    return disk_directory(site) / "images-replaced.json"


def _replaced(site: str) -> list[str]:
    note = _note(site)
    found: list[str] = json.loads(note.read_text()) if note.exists() else []
    return found
