"""Root file systems: Debian packages extracted by mmdebstrap, or nothing but our own programs."""

from __future__ import annotations

import fnmatch
import os
import re
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.images.apt_sources import SUPPORTED_CODENAME, debian_sources, transport_options
from lab.images.catalogue import Image, User
from lab.images.debian_package import DebianPackage, present, read_package, write_status
from shopsphere.foundation.process import run

MMDEBSTRAP_SECONDS = 900
SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"  # Debian's own Python and dpkg, not a user's wrappers
# Left by mmdebstrap or packages: what belongs to this machine, to dpkg and apt, or to a booting system.
LEFTOVERS = (
    "etc/hostname", "etc/resolv.conf", "etc/fstab", "etc/apt", "etc/dpkg", "etc/cron.daily", "etc/cron.d",
    "etc/logrotate.d", "var/lib/dpkg", "var/lib/apt", "var/cache", "var/log", "boot", "media", "srv",
    "usr/share/debconf",
)  # fmt: skip
EMPTY = ("dev", "proc", "sys", "run", "tmp", "var/tmp")


@dataclass(frozen=True)
class Packages:
    """What is extracted and what is left out."""

    include: Sequence[str]
    exclude: Sequence[str]
    prefer: Mapping[str, str]


@dataclass(frozen=True)
class Extracted:
    """What was extracted.

    Attributes:
        names: all package files, as `name_version_architecture`.
        present: the packages of which something is left after what the image does not need was removed.
    """

    names: tuple[str, ...]
    present: tuple[DebianPackage, ...]


def extract_debian(root: Path, packages: Packages, log: Path) -> Extracted:
    """Extract packages with all they depend on into `root`, and write the list of those that are in it.

    No maintainer script runs (variant `extract`): images need no dpkg, no shell of the installer and no Perl.

    Raises:
        CommandError: an archive did not answer, or has no such package.
    """
    # mmdebstrap leaves its folder behind when it is interrupted, and refuses one that is not empty.
    shutil.rmtree(root, ignore_errors=True)
    fetched = root.with_suffix(".packages")
    shutil.rmtree(fetched, ignore_errors=True)
    fetched.mkdir()
    pins = root.with_suffix(".pins")
    pins.write_text(pins_text(packages.prefer))
    command = [
        "mmdebstrap", "--mode=root", "--variant=extract", "--format=directory",
        "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
        f"--include={','.join(packages.include)}",
        '--aptopt=APT::Install-Recommends "false"',
        *(f"--aptopt={option}" for option in transport_options()),
        f'--setup-hook=cp {shlex.quote(str(pins))} "$1"/etc/apt/preferences.d/shopsphere',
        f'--extract-hook=cp "$1"/var/cache/apt/archives/*.deb {shlex.quote(str(fetched))}',
        SUPPORTED_CODENAME, str(root), "-",
    ]  # fmt: skip
    sources = "\n".join(source.line() for source in debian_sources()) + "\n"
    run(
        command, stdin=sources, env={"SOURCE_DATE_EPOCH": "0", "PATH": SYSTEM_PATH}, seconds=MMDEBSTRAP_SECONDS, log=log
    )
    files = sorted(fetched.glob("*.deb"))
    # Before the tree is pruned: it still has the copyright files.
    everything = [read_package(file, root) for file in files]
    shutil.rmtree(fetched)
    pins.unlink()
    prune(root, packages.exclude)
    tidy(root)
    left = tuple(present(everything, root))
    write_status(root, left)
    return Extracted(tuple(sorted(file.stem for file in files)), left)


def pins_text(prefer: Mapping[str, str]) -> str:
    """Apt's preferences: packages → version pattern to take while an archive has it."""
    return "\n".join(
        f"Package: {name}\nPin: version {version}\nPin-Priority: 900\n" for name, version in prefer.items()
    )


def prune(root: Path, patterns: Sequence[str]) -> None:
    """Remove every path that a pattern matches; `*` also matches `/`, as in dpkg's path-exclude.

    Done after the extraction: dpkg's own filter starts a Python interpreter per package and takes twice as long.
    """
    if not patterns:
        return  # an empty expression would match everything
    unwanted = re.compile("|".join(fnmatch.translate(pattern) for pattern in patterns))
    for folder, folders, files in os.walk(root, topdown=False):
        for name in files:
            path = Path(folder) / name
            if unwanted.match(f"/{path.relative_to(root)}"):
                path.unlink()
        for name in folders:
            path = Path(folder) / name
            if unwanted.match(f"/{path.relative_to(root)}"):
                shutil.rmtree(path) if not path.is_symlink() else path.unlink()


def tidy(root: Path) -> None:
    """Remove what belongs to a machine, and set up what base packages' installers would have."""
    for name in LEFTOVERS:
        path = root / name
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)
    for name in EMPTY:
        shutil.rmtree(root / name, ignore_errors=True)
        (root / name).mkdir(parents=True)
    for name in ("tmp", "var/tmp"):
        (root / name).chmod(0o1777)
    for name in ("run", "lock"):
        shutil.rmtree(root / "var" / name, ignore_errors=True)
        (root / "var" / name).unlink(missing_ok=True)
        (root / "var" / name).symlink_to("/run" if name == "run" else "/run/lock")
    (root / "etc" / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files dns\n")


def add_own_files(root: Path, image: Image, programs: Mapping[str, Path]) -> None:
    """Put accounts, folders, programs and links of the image in place."""
    write_accounts(root, image.user)
    for folder in image.directories:
        path = root / folder.lstrip("/")
        path.mkdir(parents=True, exist_ok=True)
        os.chown(path, image.user.uid, image.user.uid)
        path.chmod(0o700)
    for place, tool in image.programs.items():
        path = root / place.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(programs[tool], path)
        path.chmod(0o755)
    for place, target in image.links.items():
        path = root / place.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)


def write_accounts(root: Path, user: User) -> None:
    """Write passwd and group with root, nobody and the image's own user."""
    etc = root / "etc"
    etc.mkdir(parents=True, exist_ok=True)
    (etc / "passwd").write_text(
        "root:x:0:0:root:/root:/bin/sh\n"
        f"{user.name}:x:{user.uid}:{user.uid}::{user.home}:/bin/sh\n"
        "nobody:x:65534:65534:nobody:/nonexistent:/bin/false\n"
    )
    (etc / "group").write_text(f"root:x:0:\n{user.name}:x:{user.uid}:\nnogroup:x:65534:\n")
