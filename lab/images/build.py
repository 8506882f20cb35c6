"""Builds one image: layers, archive, bill of materials, record; and checks that it is small."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from lab.images import archive, debian_package, go_modules, rootfs, shop
from lab.images.archive import Layer, file_digest, read_layer, write_archive, write_layer
from lab.images.catalogue import BASE_EXCLUDES, BASE_PACKAGES, Image
from lab.images.known_packages import KnownPackages
from lab.images.record import SBOM_SUFFIX, Archive, remove_others, write
from lab.images.rootfs import Extracted, Packages, add_own_files, extract_debian
from lab.tools import program
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.files import write_whole
from shopsphere.foundation.paths import cache_directory
from shopsphere.foundation.progress import step

MIB = 1 << 20
BASE = "base"
NOTHING = Extracted((), ())


class ImageTooLargeError(ShopSphereError):
    """An image is larger than its limit."""


def images_directory() -> Path:
    """Where archives are kept."""
    return cache_directory() / "images"


def packages_of(name: str, image: Image | None = None) -> Packages:
    """The Debian packages of an image, or of the base layer below all of them."""
    if image is None or name == BASE:
        return Packages(BASE_PACKAGES, BASE_EXCLUDES, {})
    return Packages((*BASE_PACKAGES, *image.packages), (*BASE_EXCLUDES, *image.excludes), image.prefer)


def form_of(image: Image) -> str:
    """Hash of all that goes into an image but its packages' versions.

    That is its entry, the code that makes it, its programs and the shop's sources.
    """
    digest = hashlib.sha256(image.model_dump_json(exclude={"on_demand"}).encode())
    for module in (archive, rootfs, shop, debian_package, go_modules):
        digest.update(Path(str(module.__file__)).read_bytes())
    digest.update(Path(__file__).with_name("sbom.py").read_bytes())
    for tool in image.programs.values():
        digest.update(file_digest(program(tool)).encode())
    if image.content != "scratch":
        digest.update(base_form().encode())
    if image.content in {"shop", "collector"}:
        digest.update(shop.sources_digest().encode())
    if image.content == "java":
        digest.update(java_sources_digest().encode())
    return digest.hexdigest()


def java_sources_digest() -> str:
    """What Java's image is made from; asked only for it."""
    from lab.images import java  # noqa: PLC0415 - its library takes 0.2 s, which each command of the lab would wait for

    return java.sources_digest()


def base_form() -> str:
    """The same for the base layer."""
    digest = hashlib.sha256(json.dumps([BASE_PACKAGES, BASE_EXCLUDES]).encode())
    for module in (archive, rootfs, debian_package):
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()


def key(form: str, packages: Sequence[str]) -> str:
    """What decides whether two images are the same: the form and every package with its version."""
    return hashlib.sha256(json.dumps([form, list(packages)]).encode()).hexdigest()[:16]


def build(image: Image, seen: KnownPackages) -> Archive:
    """Build one image in a work folder and put the archive in place.

    Raises:
        ImageTooLargeError: it exceeds its limit.
        CommandError: an archive of packages did not answer, or the shop could not be installed.
    """
    folder = images_directory()
    work = folder / "work" / image.name
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    with step(f"image {image.reference}"):
        form = form_of(image)
        layers, extracted = make_layers(image, work, seen)
        names = extracted.names
        unpacked = check_size(image, layers)
        target = folder / f"{image.name}-{key(form, names)}.tar"
        digest = write_archive(target, reference=image.reference, layers=layers, config=configuration(image, names))
        document = bill_of_materials(image, digest, layers, work / "root", extracted)
        write_whole(target.with_suffix(SBOM_SUFFIX), document)
    shutil.rmtree(work)
    expected = seen.packages(image.name)
    made = Archive(
        image.name, image.reference, target, digest, unpacked, names, names if expected is None else expected,
        datetime.now(UTC),
    )  # fmt: skip
    write(made, form)
    remove_others(image.name, target)
    return made


def bill_of_materials(image: Image, digest: str, layers: Sequence[Layer], root: Path, extracted: Extracted) -> str:
    """The document about what is in an image's file system."""
    from lab.images import (  # noqa: PLC0415 - its library takes 0.2 s, which each command of the lab would wait for
        java,
        sbom,
    )

    found = [*sbom.operating_system(root), *map(sbom.debian, extracted.present)]
    for place in image.programs:
        found += map(sbom.go_module, go_modules.read_modules(root / place.lstrip("/")))
    if image.content == "shop":
        found += sbom.python_distributions(root / shop.PLACE)
    if image.content == "java":
        found += java.components()
    return sbom.document(sbom.Subject(image.reference, digest, [layer.digest for layer in layers]), found)


def make_layers(image: Image, work: Path, seen: KnownPackages) -> tuple[list[Layer], Extracted]:
    """Make the image's layers: Debian images stand on one shared base."""
    root = work / "root"
    programs = {tool: program(tool) for tool in image.programs.values()}
    if image.content == "scratch":
        root.mkdir()
        add_own_files(root, image, programs)
        return [write_layer(root, work / "own.tar")], NOTHING
    base = base_layer(seen.packages(BASE))
    log = work / "log"
    extracted = extract_debian(root, packages_of(image.name, image), log)
    if image.content == "shop":
        shop.install(root, log)
    if image.content == "collector":
        shop.install_collector(root, log)
    if image.content == "java":
        from lab.images import java  # noqa: PLC0415 - as above

        java.install(root, log)
    add_own_files(root, image, programs)
    return [base, write_layer(root, work / "own.tar", below=base)], extracted


def base_layer(expected: tuple[str, ...] | None) -> Layer:
    """The layer below all Debian images: built once for its packages, so that nodes hold it once."""
    form = base_form()
    if expected is not None and (kept := images_directory() / f"{BASE}-{key(form, expected)}.tar").exists():
        return read_layer(kept)
    folder = images_directory() / "work" / BASE
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    extracted = extract_debian(folder / "root", packages_of(BASE), folder / "log")
    target = images_directory() / f"{BASE}-{key(form, extracted.names if expected is None else expected)}.tar"
    layer = write_layer(folder / "root", folder / "base.tar")
    layer.path.replace(target)
    shutil.rmtree(folder)
    remove_others(BASE, target)
    return replace(layer, path=target)


def configuration(image: Image, packages: Sequence[str]) -> dict[str, object]:
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
