"""Everything that a machine needs once before a lab can start: system packages, tools, images."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from lab.images.ensure import build_archives, missing_images
from lab.packages import ensure_packages, missing_packages, wanted_packages
from lab.preflight import BUILD_MEMORY_GIB, GIB, STATE_GIB, check_machine, disk_gib, existing
from lab.tools.catalogue import Tool, load_catalogue, of_the_lab
from lab.tools.ensure import ensure_tools, plan_tools
from shopsphere.foundation.paths import cache_directory, lab_directory
from shopsphere.foundation.progress import say

PACKAGES_SECONDS = 60
IMAGE_SECONDS = 30  # each; Debian's archive and two cores
START_SECONDS = 300  # a region's hosts, clusters, databases and shop, the first time


def prepare() -> None:
    """Install and build what is missing; a second or two when nothing is.

    Raises:
        MachineError: the machine lacks something; lists all of it before anything is changed.
        ToolBuildError, PackagesError, ImageTooLargeError: a part could not be made; run again to go on.
    """
    to_build = [plan.tool for plan in plan_tools(of_the_lab(load_catalogue())) if plan.state == "to build"]
    announce(to_build)
    # A lab that already runs has taken its memory.
    needed = 0.5 if (lab_directory() / "hosts").exists() and not to_build else BUILD_MEMORY_GIB
    check_machine(to_build, memory_gib=needed)
    ensure_packages()
    ensure_tools()
    build_archives()


def announce(to_build: Sequence[Tool]) -> None:
    """Say what the first run costs in time and disk, before it starts."""
    packages = missing_packages(wanted_packages())
    images = missing_images() if not to_build else ["all"] * 6
    seconds = sum(tool.seconds for tool in to_build) + PACKAGES_SECONDS * bool(packages) + IMAGE_SECONDS * len(images)
    if not seconds:
        say("system packages, tools and images are there: up to 2 min until the region answers")
        return
    free = shutil.disk_usage(existing(cache_directory())).free / GIB
    say(
        f"something has to be made once on this machine: about {(seconds + START_SECONDS) / 60:.0f} min on 2 cores, "
        f"and up to {disk_gib(to_build) + STATE_GIB:.0f} GiB of disk meanwhile "
        f"({free:.0f} GiB are free, about 4 GiB stay in {cache_directory()})"
    )
    parts = [
        (len(packages), "system packages"), (len(to_build), f"tools ({', '.join(tool.name for tool in to_build)})"),
        (len(images), "images"),
    ]  # fmt: skip
    say("to do: " + ", ".join(f"{count} {what}" for count, what in parts if count))
