"""Builds images that are not in the cache yet, and checks that they are small."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from lab.exclusive import exclusive
from lab.images import archive, rootfs, shop
from lab.images.archive import Layer, file_digest, read_layer, write_archive, write_layer
from lab.images.catalogue import BASE_EXCLUDES, BASE_PACKAGES, IMAGES, Image
from lab.images.rootfs import Packages, add_own_files, extract_debian
from lab.tools import program
from shopsphere.foundation.errors import ShopSphereError, UsageError
from shopsphere.foundation.paths import cache_directory
from shopsphere.foundation.progress import step

MIB = 1 << 20


class ImageTooLargeError(ShopSphereError):
    """An image is larger than its limit."""


@dataclass(frozen=True)
class Archive:
    """A built image, ready for `ctr --namespace k8s.io images import`.

    Attributes:
        name: short name in the catalogue.
        reference: name and tag after the import.
        path: the docker archive.
        digest: SHA-256 of the image's configuration; differs whenever the content does.
        unpacked_bytes: what its layers take on a disk.
        packages: the Debian packages in it.
    """

    name: str
    reference: str
    path: Path
    digest: str
    unpacked_bytes: int
    packages: tuple[str, ...]


def images_directory() -> Path:
    """Where archives are kept."""
    return cache_directory() / "images"


def build_images(names: Iterable[str] | None = None) -> dict[str, Path]:
    """Return the archive of each named image by its reference (see `build_archives`)."""
    return {archive.reference: archive.path for archive in build_archives(names)}


def build_archives(names: Iterable[str] | None = None) -> list[Archive]:
    """Return the named images (all when none is named), building those that are missing or outdated.

    Raises:
        UsageError: a name is unknown.
        ImageTooLargeError: a built image exceeds its limit.
    """
    chosen = list(IMAGES) if names is None else list(names)
    unknown = [name for name in chosen if name not in IMAGES]
    if unknown:
        raise UsageError.build(
            "unknown image", expected=", ".join(IMAGES), found=", ".join(unknown), action="name one of these"
        )
    done = {name: read_record(IMAGES[name]) for name in chosen}
    if all(done.values()):
        return [archive for archive in done.values() if archive]
    with exclusive(images_directory() / "lock", "building images"):
        return [read_record(IMAGES[name]) or build(IMAGES[name]) for name in chosen]


def missing_images(names: Iterable[str] = tuple(IMAGES)) -> list[str]:
    """Names of images that are not built in their present form; needs the tools that go into them."""
    return [name for name in names if read_record(IMAGES[name]) is None]


def key(image: Image) -> str:
    """Hash of all that goes into an image: its entry, the code that makes it, its programs, the shop's sources."""
    digest = hashlib.sha256(image.model_dump_json().encode())
    for module in (archive, rootfs, shop):
        digest.update(Path(str(module.__file__)).read_bytes())
    for tool in image.programs.values():
        digest.update(file_digest(program(tool)).encode())
    if image.content == "shop":
        digest.update(shop.sources_digest().encode())
    return digest.hexdigest()[:16]


def read_record(image: Image) -> Archive | None:
    """The archive of this very content, if it was built."""
    record = images_directory() / f"{image.name}-{key(image)}.json"
    path = record.with_suffix(".tar")
    if not (record.exists() and path.exists()):
        return None
    facts = json.loads(record.read_text())
    return Archive(
        image.name, facts["reference"], path, facts["digest"], facts["unpacked_bytes"], tuple(facts["packages"])
    )


def build(image: Image) -> Archive:
    """Build one image in a work folder and put the archive in place."""
    folder = images_directory()
    work = folder / "work" / image.name
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    target = folder / f"{image.name}-{key(image)}.tar"
    with step(f"image {image.reference}"):
        layers, packages = make_layers(image, work)
        unpacked = check_size(image, layers)
        digest = write_archive(target, reference=image.reference, layers=layers, config=configuration(image, packages))
    shutil.rmtree(work)
    record = {"reference": image.reference, "digest": digest, "unpacked_bytes": unpacked, "packages": packages}
    target.with_suffix(".json").write_text(json.dumps(record, indent=1))
    remove_others(image.name, target)
    return Archive(image.name, image.reference, target, digest, unpacked, tuple(packages))


def make_layers(image: Image, work: Path) -> tuple[list[Layer], list[str]]:
    """Make the image's layers: Debian images stand on one shared base."""
    root = work / "root"
    programs = {tool: program(tool) for tool in image.programs.values()}
    if image.content == "scratch":
        root.mkdir()
        add_own_files(root, image, programs)
        return [write_layer(root, work / "own.tar")], []
    base = base_layer()
    wanted = Packages((*BASE_PACKAGES, *image.packages), (*BASE_EXCLUDES, *image.excludes), image.prefer)
    log = work / "log"
    packages = extract_debian(root, wanted, log)
    if image.content == "shop":
        shop.install(root, log)
    add_own_files(root, image, programs)
    return [base, write_layer(root, work / "own.tar", below=base)], packages


def base_layer() -> Layer:
    """The layer below all Debian images: built once, so that nodes hold it once."""
    digest = hashlib.sha256(json.dumps([BASE_PACKAGES, BASE_EXCLUDES]).encode()).hexdigest()[:16]
    target = images_directory() / f"base-{digest}.tar"
    if target.exists():
        return read_layer(target)
    folder = images_directory() / "work" / "base"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    extract_debian(folder / "root", Packages(BASE_PACKAGES, BASE_EXCLUDES, {}), folder / "log")
    layer = write_layer(folder / "root", folder / "base.tar")
    layer.path.replace(target)
    shutil.rmtree(folder)
    remove_others("base", target)
    return replace(layer, path=target)


def configuration(image: Image, packages: list[str]) -> dict[str, object]:
    """The image's run configuration."""
    return {
        "Entrypoint": list(image.entrypoint) or None,
        "Cmd": list(image.arguments) or None,
        "Env": [f"{name}={value}" for name, value in sorted(image.environment.items())],
        "User": f"{image.user.uid}:{image.user.uid}",
        "WorkingDir": "/",
        "Labels": {"shopsphere.io/packages": " ".join(packages)},
    }


def check_size(image: Image, layers: list[Layer]) -> int:
    """Return the unpacked size.

    Raises:
        ImageTooLargeError: it exceeds the limit.
    """
    unpacked = sum(layer.unpacked_bytes for layer in layers)
    if unpacked > image.limit_mib * MIB:
        raise ImageTooLargeError.build(
            f"image {image.reference} is too large",
            expected=f"at most {image.limit_mib} MiB unpacked",
            found=f"{unpacked / MIB:.0f} MiB",
            action=f"look at {images_directory() / 'work' / image.name / 'root'} and leave out what it does not need",
        )
    return unpacked


def remove_others(name: str, kept: Path) -> None:
    """Delete earlier forms of a file whose name ends in a hash."""
    for file in kept.parent.glob(f"{name}-????????????????.*"):
        if file.stem != kept.stem:
            file.unlink()
