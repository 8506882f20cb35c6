"""Shows the images: identity, age, packages, bill of materials, updates."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from rich.table import Table

from lab.images.build import MIB, images_directory
from lab.images.catalogue import Image
from lab.images.ensure import current, newest, packages_wanted, updates, updates_in_words
from lab.images.known_packages import KnownPackages, remembered
from lab.images.record import Archive
from shopsphere.foundation.progress import console, say

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def show_images(images: Sequence[Image], *, as_json: bool) -> None:
    """Print what there is of each image and what is known about updates; asks no archive."""
    seen = remembered(packages_wanted(images))
    found = {image.name: newest(image) for image in images}
    if as_json:
        shown = [facts(image, found[image.name], seen) for image in images]
        sys.stdout.write(json.dumps(shown, indent=2) + "\n")
        return
    table = Table(title=f"images in {images_directory()}", box=None, title_justify="left")
    for heading in ("image", "MiB", "digest", "age", "packages", "updates"):
        table.add_column(heading, no_wrap=heading != "updates")
    for image in images:
        table.add_row(*row(image, found[image.name], seen, datetime.now(UTC)))
    console.print(table)
    for image in images:
        held = seen.held(image.name)
        if held:
            say(f"{image.name} keeps back: {', '.join(f'{name} {version}' for name, version in held.items())}")
    say(f"bills of materials: {images_directory()}/*.cdx.json; package lists looked at: {when(seen)}")


def row(image: Image, archive: Archive | None, seen: KnownPackages, now: datetime) -> list[str]:
    """One line of the table."""
    if archive is None:
        return [f"{image.name}:{image.tag}", "-", "to build", "-", "-", "-"]
    debian = image.content != "scratch"
    known = seen.packages(image.name) is not None
    pending = updates_in_words(updates(archive, seen)) if known else "not known"
    return [
        f"{image.name}:{image.tag}", f"{archive.unpacked_bytes / MIB:.0f}", f"sha256:{archive.digest[:12]}",
        age(archive.built, now), str(len(archive.packages)) if debian else "-", pending if debian else "-",
    ]  # fmt: skip


def facts(image: Image, archive: Archive | None, seen: KnownPackages) -> dict[str, object]:
    """One image as plain values, for JSON; what is not known is null."""
    known = seen.packages(image.name) is not None
    shared: dict[str, object] = {"image": image.reference, "built": None}
    if archive is None:
        return shared
    return {
        "image": archive.reference, "built": archive.built.isoformat(), "archive": str(archive.path),
        "sbom": str(archive.sbom), "digest": f"sha256:{archive.digest}", "unpacked_bytes": archive.unpacked_bytes,
        "packages": archive.packages, "current": current(image, seen) is not None,
        "updates": updates(archive, seen) if known else None, "held_back": dict(seen.held(image.name)),
        "looked": seen.looked.isoformat() if seen.looked else None,
    }  # fmt: skip


def age(built: datetime, now: datetime) -> str:
    """Age in days, hours below two days."""
    passed = now - built
    return f"{passed / HOUR:.0f} h" if passed < 2 * DAY else f"{passed / DAY:.0f} d"


def when(seen: KnownPackages) -> str:
    """When the lists were fetched."""
    return f"{seen.looked:%Y-%m-%d %H:%M} UTC" if seen.looked else "never"
