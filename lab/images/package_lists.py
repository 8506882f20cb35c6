"""The package lists of the machine's archives, in a folder of our own: what would be installed now, asked of apt."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from lab.images.apt_sources import debian_sources, transport_options
from lab.images.rootfs import SYSTEM_PATH, pins_text
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.process import CommandError, run

UPDATE_SECONDS = 60  # 10 MB the first time; later only what changed
ASK_SECONDS = 60
# mmdebstrap installs this empty package before any other, so that none of them asks for `usrmerge` and all of Perl.
STATUS = """\
Package: usr-is-merged
Status: install ok installed
Maintainer: mmdebstrap
Architecture: all
Multi-Arch: foreign
Version: 1
Description: stands for the one that mmdebstrap makes
"""
SETTINGS = """\
Dir::Etc::main "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::Etc::sourcelist "{folder}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "{folder}/pins";
Dir::Etc::preferencesparts "/dev/null";
Dir::State "{folder}/state";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}/cache";
APT::Sandbox::User "root";
APT::Install-Recommends "false";
APT::Update::Error-Mode "any";
Acquire::Languages "none";
Acquire::GzipIndexes "true";
{transport}
Acquire::Retries "0";
Acquire::http::Timeout "10";
Acquire::https::Timeout "10";
"""


class ArchiveError(ShopSphereError):
    """An archive of packages did not answer, or not with what its key signed."""


def sources_text() -> str:
    """The machine's Debian sources, as apt reads them.

    Raises:
        AptSourcesError: it has none of the release that images are made of.
    """
    return "".join(f"{source.line()}\n" for source in debian_sources())


def fetch(folder: Path) -> None:
    """Fetch what changed in the lists; nothing of the machine's own apt is read or changed but its settings.

    Raises:
        AptSourcesError: see `sources_text`.
        ArchiveError: an archive did not answer within its time, or is not signed by its key.
    """
    for name in ("state/lists/partial", "cache"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    transport = "".join(f"{option};\n" for option in transport_options())
    (folder / "apt.conf").write_text(SETTINGS.format(folder=folder, transport=transport))
    (folder / "sources.list").write_text(sources_text())
    (folder / "status").write_text(STATUS)
    try:
        _apt(folder, ["apt-get", "update", "-qq"], {}, UPDATE_SECONDS)
    except CommandError as error:
        raise ArchiveError(first_error(str(error))) from error


def first_error(text: str) -> str:
    """The first of apt's many lines about one cause, else the last line."""
    lines = text.strip().splitlines()
    return next((line.removeprefix("E: ") for line in lines if line.startswith("E: ")), lines[-1])


def forget_cache(folder: Path) -> None:
    """Remove what apt computes from the lists (70 MiB); it is made again in a second."""
    shutil.rmtree(folder / "cache", ignore_errors=True)


def resolve(folder: Path, packages: Sequence[str], prefer: Mapping[str, str]) -> tuple[str, ...]:
    """Packages with all they depend on, as `name_version_architecture`, the way mmdebstrap would choose them; ~2 s.

    Raises:
        CommandError: a package is not in the lists, or there are no lists.
    """
    answer = _apt(folder, ["apt-get", "install", "-qq", "--simulate", *packages], prefer, ASK_SECONDS)
    return parse_simulation(answer)


def candidates(folder: Path, names: Iterable[str], prefer: Mapping[str, str]) -> dict[str, str]:
    """The version of each package that would be installed now; ~50 ms. A package that is gone is left out."""
    return parse_policy(_apt(folder, ["apt-cache", "policy", *names], prefer, ASK_SECONDS))


def _apt(folder: Path, command: Sequence[str], prefer: Mapping[str, str], seconds: float) -> str:
    (folder / "pins").write_text(pins_text(prefer))
    environment = {"APT_CONFIG": str(folder / "apt.conf"), "PATH": SYSTEM_PATH, "LC_ALL": "C"}
    return run(command, env=environment, seconds=seconds).stdout


def parse_simulation(text: str) -> tuple[str, ...]:
    """Read the lines `Inst name (version origins [architecture])`; the form is that of package files' names."""
    found = re.findall(r"^Inst (\S+) \((\S+) [^\[]*\[(\w+)\]\)", text, re.MULTILINE)
    return tuple(sorted(package_file(name, version, architecture) for name, version, architecture in found))


def parse_policy(text: str) -> dict[str, str]:
    """Read the paragraphs of `apt-cache policy`."""
    found = re.findall(r"^([^\s:]+):\n  Installed: .*\n  Candidate: (\S+)", text, re.MULTILINE)
    return {name: version for name, version in found if version != "(none)"}


def package_file(name: str, version: str, architecture: str) -> str:
    """Name of a package file in apt's cache, without `.deb`."""
    return f"{name}_{version.replace(':', '%3a')}_{architecture}"


def name_and_version(package: str) -> tuple[str, str]:
    """Take such a name apart."""
    name, version, _ = package.split("_")
    return name, version.replace("%3a", ":")
