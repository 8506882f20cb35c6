"""What a Debian package says about itself, and the list of installed packages that scanners read."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from shopsphere.foundation.process import run

# What scanners and people ask of an installed package. The rest (long descriptions, tags, homepages) serves installers.
KEPT_FIELDS = (
    "Package", "Status", "Section", "Maintainer", "Architecture", "Multi-Arch", "Source", "Version", "Pre-Depends",
    "Depends", "Description",
)  # fmt: skip
# Debian's short names of licences (its copyright format 1.0) that SPDX calls differently.
SPDX_NAMES = {
    "Expat": "MIT", "GPL-1": "GPL-1.0-only", "GPL-1+": "GPL-1.0-or-later", "GPL-2": "GPL-2.0-only",
    "GPL-2+": "GPL-2.0-or-later", "GPL-3": "GPL-3.0-only", "GPL-3+": "GPL-3.0-or-later", "LGPL-2": "LGPL-2.0-only",
    "LGPL-2+": "LGPL-2.0-or-later", "LGPL-2.0+": "LGPL-2.0-or-later", "LGPL-2.1": "LGPL-2.1-only",
    "LGPL-2.1+": "LGPL-2.1-or-later", "LGPL-3": "LGPL-3.0-only", "LGPL-3+": "LGPL-3.0-or-later",
    "BSD-2-clause": "BSD-2-Clause", "BSD-3-clause": "BSD-3-Clause", "BSD-4-clause": "BSD-4-Clause",
    "Apache-2": "Apache-2.0", "zlib": "Zlib",
}  # fmt: skip
MACHINE_READABLE = "Format:"


@dataclass(frozen=True)
class DebianPackage:
    """One package that was extracted.

    Attributes:
        fields: of its control file; a value may have several lines.
        files: paths of its regular files, without the first slash.
        licences: SPDX identifiers where there is one, else Debian's short names; empty when its copyright file is
            prose.
    """

    fields: dict[str, str]
    files: tuple[str, ...]
    licences: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Binary package."""
        return self.fields["Package"]

    @property
    def version(self) -> str:
        """With epoch and revision."""
        return self.fields["Version"]

    @property
    def architecture(self) -> str:
        """`amd64` or `all`."""
        return self.fields["Architecture"]

    @property
    def source(self) -> tuple[str, str]:
        """Source package and its version, by which Debian's security tracker speaks."""
        match = re.fullmatch(r"(\S+)(?: \((\S+)\))?", self.fields.get("Source", self.name))
        return (match[1], match[2] or self.version) if match else (self.name, self.version)


def read_package(file: Path, root: Path) -> DebianPackage:
    """Read a package file, and its copyright file from the tree `root` into which it was extracted."""
    folder = file.with_suffix(".control")
    run(["dpkg-deb", "--control", file, folder], seconds=60)
    sums, settings = (read_lines(folder / name) for name in ("md5sums", "conffiles"))
    files = [line.split(maxsplit=1)[1] for line in sums] + [line.split()[-1].lstrip("/") for line in settings]
    fields = parse_control((folder / "control").read_text())
    return DebianPackage(fields, tuple(sorted(files)), licences_of(root, fields["Package"]))


def read_lines(file: Path) -> list[str]:
    """Lines of a file that a package may lack."""
    return [line for line in file.read_text().splitlines() if line.strip()] if file.exists() else []


def parse_control(text: str) -> dict[str, str]:
    """Read one paragraph of `Name: value` with continuation lines."""
    return {
        name: value.strip() for name, value in re.findall(r"^([A-Za-z0-9-]+):(.*(?:\n[ \t].*)*)", text, re.MULTILINE)
    }


def licences_of(root: Path, name: str) -> tuple[str, ...]:
    """Licences in a package's copyright file."""
    file = root / "usr" / "share" / "doc" / name / "copyright"
    # Some packages share the folder of another one by a link; none that leads out of the tree is followed.
    if not (file.is_file() and file.resolve().is_relative_to(root.resolve())):
        return ()
    return parse_licences(file.read_text(errors="replace"))


def parse_licences(text: str) -> tuple[str, ...]:
    """Read the short names after `License:` in Debian's copyright format; prose has none."""
    if not text.lstrip().startswith(MACHINE_READABLE):
        return ()
    names = {name.strip() for name in re.findall(r"^License:[ \t]*(\S.*)$", text, re.MULTILINE)}
    return tuple(sorted(SPDX_NAMES.get(name, name) for name in names))


def present(packages: Iterable[DebianPackage], root: Path) -> list[DebianPackage]:
    """Those of which a file is left in the image: one of which all was removed cannot have a weakness there."""
    return [package for package in packages if any(os.path.lexists(root / file) for file in package.files)]


def write_status(root: Path, packages: Iterable[DebianPackage]) -> None:
    """Write /var/lib/dpkg/status: without it scanners find no package, and so no weakness, in an image."""
    file = root / "var" / "lib" / "dpkg" / "status"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(paragraph(package) for package in sorted(packages, key=lambda each: each.name)))


def paragraph(package: DebianPackage) -> str:
    """One package of the list."""
    fields = {**package.fields, "Status": "install ok installed"}
    fields["Description"] = fields.get("Description", "").partition("\n")[0]
    return "".join(f"{name}: {fields[name]}\n" for name in KEPT_FIELDS if fields.get(name))
