"""Go as this project uses it: local toolchain, committed sums, own caches where the machine had none."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.paths import cache_directory
from shopsphere.foundation.process import run

# -modcacherw: files of a module cache are read-only otherwise, and could not be deleted by a user who is not root.
BUILD_FLAGS = ("-mod=readonly", "-trimpath", "-buildvcs=false", "-modcacherw")
# No download of another toolchain, no workspace of the owner's, static programs.
SETTINGS = {"GOTOOLCHAIN": "local", "GOWORK": "off", "CGO_ENABLED": "0", "GOOS": "linux", "GOARCH": "amd64"}


class GoError(ShopSphereError):
    """Go is missing or cannot be asked."""


@dataclass(frozen=True)
class GoCaches:
    """Where Go keeps compiled packages and downloaded modules during our builds.

    Attributes:
        environment: variables for the go command.
        ours: folders made for the builds, to be deleted after the last one.
    """

    environment: Mapping[str, str]
    ours: tuple[Path, ...]

    def trim(self) -> None:
        """Delete what was made for the builds; the owner's caches stay."""
        for folder in self.ours:
            shutil.rmtree(folder, ignore_errors=True)


def find_caches() -> GoCaches:
    """Use the machine's Go caches where they exist and folders of our own where they do not."""
    environment = {**SETTINGS, "GOFLAGS": " ".join(BUILD_FLAGS)}
    ours = []
    for variable in ("GOCACHE", "GOMODCACHE"):
        usual = run(["go", "env", variable], env=SETTINGS, seconds=30).stdout.strip()
        if usual and Path(usual).is_dir():
            environment[variable] = usual
        else:
            folder = cache_directory() / "go" / variable.lower()
            folder.mkdir(parents=True, exist_ok=True)
            environment[variable] = str(folder)
            ours.append(folder)
    return GoCaches(environment, tuple(ours))


def go_version() -> tuple[int, ...] | None:
    """The version of `go` on PATH, such as (1, 26, 8); None when there is none."""
    if shutil.which("go") is None:
        return None
    answer = run(["go", "env", "GOVERSION"], check=False, env={"GOTOOLCHAIN": "local"}, seconds=30).stdout
    match = re.search(r"go(\d+(?:\.\d+)*)", answer)
    return tuple(int(part) for part in match[1].split(".")) if match else None
