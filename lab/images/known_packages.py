"""Whether packages of the images have updates: asked of the archives once a day, remembered between."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lab.exclusive import exclusive
from lab.images import package_lists
from lab.images.rootfs import Packages
from shopsphere.foundation.errors import ShopSphereError, UsageError, told
from shopsphere.foundation.files import write_whole
from shopsphere.foundation.paths import cache_directory

HOURS_VARIABLE = "SHOPSPHERE_PACKAGES_HOURS"
HOURS = 24.0
AGAIN = timedelta(hours=1)  # after archives that did not answer: a start must not wait for them each time


class PackageHoursError(UsageError):
    """The bound on the age of package lists is not a number of hours."""


@dataclass(frozen=True)
class Choice:
    """What apt would choose for one image.

    Attributes:
        asked: packages and preferences that were asked for.
        packages: as `name_version_architecture`.
        held: name → newer version that the image's preferences keep back.
    """

    asked: str
    packages: tuple[str, ...]
    held: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class KnownPackages:
    """What is known about the archives' packages.

    Attributes:
        choices: by image; one is missing while nothing is known.
        looked: when the lists were fetched; None for never.
        failed: when they could last not be fetched, after `looked`.
        problem: why not.
        sources: the archives that were asked.
    """

    choices: Mapping[str, Choice] = field(default_factory=dict)
    looked: datetime | None = None
    failed: datetime | None = None
    problem: str = ""
    sources: str = ""

    def packages(self, image: str) -> tuple[str, ...] | None:
        """What would be installed in an image now; None when that is not known."""
        return self.choices[image].packages if image in self.choices else None

    def held(self, image: str) -> Mapping[str, str]:
        """Updates that an image's preferences keep back."""
        return self.choices[image].held if image in self.choices else {}


def lists_directory() -> Path:
    """Where the lists and what came out of them are kept (20 MiB)."""
    return cache_directory() / "packages"


def oldest_lists() -> timedelta:
    """How old the lists may become before a start fetches them again.

    Raises:
        PackageHoursError: the variable does not hold a number of hours.
    """
    text = os.environ.get(HOURS_VARIABLE, str(HOURS))
    try:
        return timedelta(hours=float(text))
    except (ValueError, OverflowError) as error:
        raise PackageHoursError.build(
            f"{HOURS_VARIABLE} is no number of hours", expected=f"such as {HOURS:g}", found=text, action="correct it"
        ) from error


def remembered(wanted: Mapping[str, Packages]) -> KnownPackages:
    """What was known last, as far as it is about what the images want today; asks nobody."""
    file = lists_directory() / "known.json"
    try:
        found = parse(file.read_text())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return KnownPackages()  # never looked, or written by another version: the next look writes it again
    choices = {name: choice for name, choice in found.choices.items()
               if name in wanted and choice.asked == question(wanted[name])}  # fmt: skip
    return KnownPackages(choices, found.looked, found.failed, found.problem, found.sources)


def look(
    wanted: Mapping[str, Packages], *, oldest: timedelta, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> KnownPackages:
    """What would be installed in each image now, by lists that are at most `oldest` old.

    Archives that do not answer change nothing: what was known stays, and `problem` says why it is not newer.
    """
    with exclusive(lists_directory() / "lock", "looking at package lists"):
        before = remembered(wanted)
        try:
            sources = package_lists.sources_text()
            # A clock that was set back makes lists of the future: they are fetched again too.
            young = before.looked is not None and timedelta(0) <= now() - before.looked < oldest
            current = young and before.sources == sources
            if current and before.choices.keys() == wanted.keys():
                return before
            if before.failed and oldest and timedelta(0) <= now() - before.failed < AGAIN:
                return before
            if not current:
                package_lists.fetch(lists_directory())
            known = before.choices if before.sources == sources else {}
            choices = {name: choose(packages, known.get(name)) for name, packages in wanted.items()}
            package_lists.forget_cache(lists_directory())
            found = KnownPackages(choices, before.looked if current else now(), sources=sources)
        except ShopSphereError as error:
            found = KnownPackages(before.choices, before.looked, now(), told(error), before.sources)
        write_whole(lists_directory() / "known.json", text_of(found))
        return found


def choose(packages: Packages, before: Choice | None) -> Choice:
    """Ask apt what an image would get; the slow answer is asked for only when a version of the last one changed."""
    folder, asked = lists_directory(), question(packages)
    if before is None or before.asked != asked or changed(before.packages, packages.prefer):
        chosen = package_lists.resolve(folder, packages.include, packages.prefer)
    else:
        chosen = before.packages
    held = newer(chosen, {}) if packages.prefer else {}
    return Choice(asked, chosen, held)


def changed(known: tuple[str, ...], prefer: Mapping[str, str]) -> bool:
    """Whether an archive has another version of a package, or none any more."""
    versions = dict(map(package_lists.name_and_version, known))
    return package_lists.candidates(lists_directory(), versions, prefer) != versions


def newer(known: tuple[str, ...], prefer: Mapping[str, str]) -> dict[str, str]:
    """The packages of which an archive has another version."""
    versions = dict(map(package_lists.name_and_version, known))
    found = package_lists.candidates(lists_directory(), versions, prefer)
    return {name: version for name, version in sorted(found.items()) if version != versions[name]}


def question(packages: Packages) -> str:
    """What is asked of apt for an image, as text."""
    return json.dumps([list(packages.include), dict(packages.prefer)])


def parse(text: str) -> KnownPackages:
    """Read what `text_of` wrote."""
    facts = json.loads(text)
    choices = {name: Choice(each["asked"], tuple(each["packages"]), each["held"])
               for name, each in facts["choices"].items()}  # fmt: skip
    times = [datetime.fromisoformat(facts[name]) if facts[name] else None for name in ("looked", "failed")]
    return KnownPackages(choices, times[0], times[1], facts["problem"], facts["sources"])


def text_of(seen: KnownPackages) -> str:
    """What is known, as JSON."""
    choices = {name: {"asked": each.asked, "packages": each.packages, "held": dict(each.held)}
               for name, each in seen.choices.items()}  # fmt: skip
    times = {"looked": seen.looked, "failed": seen.failed}
    facts = {name: time.isoformat() if time else None for name, time in times.items()}
    return json.dumps({**facts, "problem": seen.problem, "sources": seen.sources, "choices": choices}, indent=1)
