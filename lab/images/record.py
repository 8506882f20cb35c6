"""What is remembered of a built image, beside its archive."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from shopsphere.foundation.files import write_whole

SBOM_SUFFIX = ".cdx.json"  # by this ending scanners know the format


@dataclass(frozen=True)
class Archive:
    """A built image, ready for `ctr --namespace k8s.io images import`.

    Attributes:
        name: short name in the catalogue.
        reference: name and tag after the import.
        path: the docker archive.
        digest: SHA-256 of the image's configuration; differs whenever the content does.
        unpacked_bytes: what its layers take on a disk.
        packages: the Debian packages in it, as `name_version_architecture`.
        expected: what the package lists said before it was built; the same, unless the archives changed meanwhile.
        built: when.
    """

    name: str
    reference: str
    path: Path
    digest: str
    unpacked_bytes: int
    packages: tuple[str, ...]
    expected: tuple[str, ...]
    built: datetime

    @property
    def sbom(self) -> Path:
        """Its bill of materials."""
        return self.path.with_suffix(SBOM_SUFFIX)

    def holds(self, wanted: tuple[str, ...] | None) -> bool:
        """Whether it has the packages that would be installed now; what is not known changes nothing.

        What was expected counts too: an image whose build chose other packages than apt had said is not built for ever.
        """
        return wanted is None or wanted in (self.packages, self.expected)


def write(archive: Archive, form: str) -> None:
    """Remember an archive whose files are complete; `form` is the hash of all that goes into it but packages."""
    facts = {**asdict(archive), "path": archive.path.name, "built": archive.built.isoformat(), "form": form}
    write_whole(archive.path.with_suffix(".json"), json.dumps(facts, indent=1))


def read(folder: Path, name: str, form: str) -> list[Archive]:
    """The complete archives of one form of an image, the newest last."""
    found = []
    for file in folder.glob(f"{name}-{'?' * 16}.json"):
        facts = json.loads(file.read_text())
        if facts.get("form") != form:
            continue
        archive = Archive(
            facts["name"], facts["reference"], file.with_name(facts["path"]), facts["digest"], facts["unpacked_bytes"],
            tuple(facts["packages"]), tuple(facts["expected"]), datetime.fromisoformat(facts["built"]),
        )  # fmt: skip
        if archive.path.exists() and archive.sbom.exists():
            found.append(archive)
    return sorted(found, key=lambda archive: archive.built)


def remove_others(name: str, kept: Path) -> None:
    """Delete earlier forms of a file whose name ends in a hash, and what stands beside them."""
    for file in kept.parent.glob(f"{name}-{'?' * 16}.*"):
        if not file.name.startswith(f"{kept.stem}."):
            file.unlink()
