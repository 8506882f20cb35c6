"""Gives a volume of a site a size of its own, so that it can run full; without one it shares the machine's disk."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from lab.host import power
from lab.paths import disk_directory
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.process import run

MEBIBYTE = 2**20
SPARE = 32 * MEBIBYTE
"""Bytes that a file system needs for itself, and a little more."""
_COPY = 'mount -o loop,ro "$1" /mnt && cp -a /mnt/. "$2" && rm -rf "$2/lost+found"'


def limit_volume(site: str, volume: str, mebibytes: int) -> None:
    """Give a volume a size of its own from the next power-on; what is on it stays.

    Args:
        site: must be off.
        volume: its directory's name, as in `v1`.
        mebibytes: its size (MiB).

    Raises:
        ShopSphereError: the site is on, there is no such volume, it has a size already, or holds more than that.
        CommandError: no file system could be made.
    """
    directory, image = _at_rest(site, volume)
    size, held = mebibytes * MEBIBYTE, _bytes_in(directory)
    if image.exists():
        raise ShopSphereError.build(
            f"{site} {volume} has a size of its own already",
            expected="a volume without one",
            found=str(image),
            action=f"`shopsphere lab limit-volume {site} {volume} 0` takes it away",
        )
    if size < held + SPARE:
        raise ShopSphereError.build(
            f"{site} {volume} would be too small",
            expected=f"at least {-(-(held + SPARE) // MEBIBYTE)} MiB: what is on it, and {SPARE // MEBIBYTE} MiB",
            found=f"{mebibytes} MiB",
            action="give it more",
        )
    new = image.with_suffix(".new")
    with new.open("w") as sink:
        sink.truncate(size)
    run(["mkfs.ext4", "-q", "-F", "-m", "0", "-d", str(directory), str(new)], seconds=300)
    new.rename(image)
    _empty(directory)


def lift_limit(site: str, volume: str) -> None:
    """Undo `limit_volume`: the volume shares the machine's disk again, and what is on it stays.

    Raises:
        ShopSphereError: the site is on, or there is no such volume.
        CommandError: the content could not be copied; it is still on the volume.
    """
    directory, image = _at_rest(site, volume)
    if image.exists():
        _empty(directory)  # removes what an earlier, failed attempt copied
        run(["unshare", "--mount", "sh", "-ec", _COPY, "sh", str(image), str(directory)], seconds=300)
        image.unlink()


def _at_rest(site: str, volume: str) -> tuple[Path, Path]:
    """Return the directory and the image of a volume that nobody uses."""
    volumes = disk_directory(site) / "volumes"
    known = sorted(each.name for each in volumes.iterdir() if each.is_dir()) if volumes.is_dir() else []
    if volume not in known:
        raise ShopSphereError.build(
            f"{site} has no volume {volume}",
            expected=", ".join(known) or "a site that was started once",
            found=volume,
            action="name one of them",
        )
    if power.is_on(site):
        raise ShopSphereError.build(
            f"{site} {volume} is in use",
            expected=f"{site} to be off",
            found="it is on",
            action=f"`shopsphere lab power-off {site}`, and power-on afterwards",
        )
    return volumes / volume, volumes / f"{volume}.img"


def _bytes_in(directory: Path) -> int:
    files = (Path(folder) / name for folder, _, names in os.walk(directory) for name in names)
    return sum(each.lstat().st_blocks * 512 for each in files)


def _empty(directory: Path) -> None:
    for entry in directory.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
