"""Makes every image available: as it was built, or built anew when it or a package in it has changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from lab.exclusive import exclusive
from lab.images import record
from lab.images.build import BASE, build, form_of, images_directory, packages_of
from lab.images.catalogue import IMAGES, Image
from lab.images.known_packages import KnownPackages, look, oldest_lists, remembered
from lab.images.package_lists import name_and_version
from lab.images.record import Archive
from lab.images.rootfs import Packages
from lab.images.wanted import wanted_images
from shopsphere.foundation.errors import UsageError, told
from shopsphere.foundation.process import CommandError
from shopsphere.foundation.progress import say

JUST_NOW = timedelta(minutes=10)  # before an image that is in use is built anew, its archives have to answer
SHOWN = 3  # updates named in a line


def choose(names: Iterable[str] | None) -> list[Image]:
    """The named images; all that every lab needs, and those that its stacks have, when none is named.

    Raises:
        UsageError: a name is unknown.
    """
    chosen = wanted_images() if names is None else list(names)
    unknown = [name for name in chosen if name not in IMAGES]
    if unknown:
        raise UsageError.build(
            "unknown image", expected=", ".join(IMAGES), found=", ".join(unknown), action="name one of these"
        )
    return [IMAGES[name] for name in chosen]


def build_archives(names: Iterable[str] | None = None, *, refresh: bool = False) -> list[Archive]:
    """Return the named images (all when none is named), building those that are missing or outdated.

    Archives of packages that do not answer leave every image that there is in use, and that is said.

    Args:
        names: short names.
        refresh: look at the package lists now, however young they are.

    Raises:
        UsageError: a name is unknown.
        ImageTooLargeError: a built image exceeds its limit.
        CommandError: an image that is not there could not be built.
    """
    chosen = choose(names)
    wanted = packages_wanted(chosen)
    seen = look(wanted, oldest=timedelta(0) if refresh else oldest_lists()) if wanted else KnownPackages()
    done = [current(image, seen) for image in chosen]
    if all(done):
        tell(seen)
        return [archive for archive in done if archive]
    with exclusive(images_directory() / "lock", "building images"):
        if any(newest(image) for image in chosen if not current(image, seen)):
            seen = look(wanted, oldest=JUST_NOW)
        tell(seen)
        return [current(image, seen) or renew(image, seen) for image in chosen]


def renew(image: Image, seen: KnownPackages) -> Archive:
    """Build an image; keep the one that is there when that cannot be done now."""
    have = newest(image)
    if have is None:
        return build(image, seen)
    if seen.problem:
        return have
    say(f"{image.name}: {updates_in_words(updates(have, seen))}; it is built anew")
    try:
        return build(image, seen)
    except CommandError as error:
        say(f"{image.name} stays as it is, of {have.built:%Y-%m-%d}: it could not be built anew: {told(error)}")
        return have


def missing_images(names: Iterable[str] | None = None) -> list[str]:
    """Names of images that are not built in their present form, by what is known; needs the tools that go into them."""
    chosen = choose(names)
    seen = remembered(packages_wanted(chosen))
    return [image.name for image in chosen if current(image, seen) is None]


def packages_wanted(images: Iterable[Image]) -> dict[str, Packages]:
    """The packages of those images that have any, and of the layer below them."""
    found = {image.name: packages_of(image.name, image) for image in images if image.content != "scratch"}
    return {BASE: packages_of(BASE), **found} if found else {}


def current(image: Image, seen: KnownPackages) -> Archive | None:
    """The archive of this very content, if it was built."""
    have = newest(image)
    return have if have and have.holds(seen.packages(image.name)) else None


def newest(image: Image) -> Archive | None:
    """The last archive of this form, whatever versions its packages have."""
    found = record.read(images_directory(), image.name, form_of(image))
    return found[-1] if found else None


def updates(archive: Archive, seen: KnownPackages) -> dict[str, tuple[str, str]]:
    """Packages that would differ: name → version in the image, version now; empty for a package that is not there."""
    now = seen.packages(archive.name)
    if archive.holds(now):
        return {}
    have, will = (dict(map(name_and_version, each)) for each in (archive.packages, now or ()))
    return {
        name: (have.get(name, ""), will.get(name, ""))
        for name in sorted(have.keys() | will.keys())
        if have.get(name) != will.get(name)
    }


def updates_in_words(found: Mapping[str, tuple[str, str]]) -> str:
    """How many, and the first of them."""
    named = [f"{name} {old or 'new'} -> {new or 'gone'}" for name, (old, new) in found.items()]
    more = ", …" if len(named) > SHOWN else ""
    return f"{len(named)} with updates ({', '.join(named[:SHOWN])}{more})" if named else "none"


def tell(seen: KnownPackages) -> None:
    """Say that the lists of packages are old, and why."""
    if seen.problem:
        last = f"last looked at {seen.looked:%Y-%m-%d %H:%M} UTC" if seen.looked else "never looked at"
        say(f"updates of packages in images are not known ({last}); images that are there stay in use: "
            f"{seen.problem}")  # fmt: skip
