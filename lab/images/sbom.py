"""The bill of materials beside an image: CycloneDX 1.6, the same bytes for the same image."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import Distribution, distributions
from pathlib import Path

from cyclonedx.model import Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.spdx import is_expression, is_supported_id
from packageurl import PackageURL

from lab.images.debian_package import DebianPackage
from lab.images.go_modules import GoModule

RELEASE = "debian-12"
NAMESPACE = uuid.UUID("1a3f0c5e-6d0b-5c8f-9a39-0f6c3f9f2b11")  # ours alone: serial numbers are made from digests
NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)  # as the image's own: a time of building would change the bytes
LONGEST_LICENCE = 100  # characters; some distributions have the whole text where its name belongs
Licence = DisjunctiveLicense | LicenseExpression


@dataclass(frozen=True)
class Subject:
    """The image that the document is about.

    Attributes:
        reference: name and tag.
        digest: SHA-256 of its configuration in hex: what engines call the image's identity.
        layers: SHA-256 of each uncompressed layer in hex, lowest first.
    """

    reference: str
    digest: str
    layers: Sequence[str]


def document(subject: Subject, components: Iterable[Component]) -> str:
    """The document as JSON text."""
    image = Component(
        type=ComponentType.CONTAINER, name=subject.reference, version=f"sha256:{subject.digest}", bom_ref="image",
        properties=[
            Property(name=f"shopsphere:layer:{number}", value=f"sha256:{digest}")
            for number, digest in enumerate(subject.layers)
        ],
    )  # fmt: skip
    parts = list({component.bom_ref.value: component for component in components}.values())
    bom = Bom(
        components=parts,
        metadata=BomMetaData(component=image, timestamp=NO_TIME),
        serial_number=uuid.uuid5(NAMESPACE, subject.digest),
    )
    bom.register_dependency(image, parts)
    return make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=1) + "\n"


def operating_system(root: Path) -> list[Component]:
    """Debian and its release as the image says them; nothing for an image without one."""
    file = root / "usr" / "lib" / "os-release"
    if not file.exists():
        return []
    facts = dict(line.split("=", 1) for line in file.read_text().splitlines() if "=" in line)
    name, version = (facts[key].strip('"') for key in ("ID", "VERSION_ID"))
    return [
        Component(type=ComponentType.OPERATING_SYSTEM, name=name, version=version, bom_ref=f"{name}-{version}"),
    ]


def debian(package: DebianPackage) -> Component:
    """A Debian package; its source is named as Syft and Trivy name it, since advisories speak of sources."""
    source, version = package.source
    upstream = source if version == package.version else f"{source}@{version}"
    qualifiers = {"arch": package.architecture, "distro": RELEASE, "upstream": upstream}
    purl = PackageURL("deb", "debian", package.name, package.version, qualifiers=qualifiers)
    return Component(
        name=package.name, version=package.version, purl=purl, bom_ref=purl.to_string(),
        description=package.fields.get("Description", "").partition("\n")[0] or None,
        licenses=[licence(name) for name in package.licences],
        properties=[
            Property(name="aquasecurity:trivy:SrcName", value=source),
            Property(name="aquasecurity:trivy:SrcVersion", value=version),
        ],
    )  # fmt: skip


def go_module(module: GoModule) -> Component:
    """A module in a program; what it is licensed under does not stand in programs."""
    namespace, _, name = module.path.rpartition("/")
    purl = PackageURL("golang", namespace or None, name, module.version or None)
    return Component(name=module.path, version=module.version or None, purl=purl, bom_ref=purl.to_string())


def python_distributions(place: Path) -> list[Component]:
    """The distributions that are installed in a folder, by their dist-info."""
    return [python_distribution(each) for each in distributions(path=[str(place)])]


def python_distribution(found: Distribution) -> Component:
    """One distribution."""
    name, version = found.metadata["Name"], found.version
    purl = PackageURL("pypi", None, name, version)
    return Component(
        name=name, version=version, purl=purl, bom_ref=purl.to_string(),
        description=said(found, "Summary") or None, licenses=python_licences(found),
    )  # fmt: skip


def python_licences(found: Distribution) -> list[Licence]:
    """The licence expression; else the one line that older distributions have; else their classifiers."""
    expression = said(found, "License-Expression")
    if expression and is_expression(expression):
        return [LicenseExpression(expression) if not is_supported_id(expression) else licence(expression)]
    old = said(found, "License").strip()
    if old and "\n" not in old and len(old) <= LONGEST_LICENCE and old != "UNKNOWN":
        return [licence(old)]
    classifiers = [name for name in found.metadata.get_all("Classifier") or [] if name.startswith("License ::")]
    return [licence(name.rpartition(" :: ")[2]) for name in classifiers]


def said(found: Distribution, field: str) -> str:
    """The first value of a field; empty for none."""
    return next(iter(found.metadata.get_all(field) or []), "")


def licence(name: str) -> DisjunctiveLicense:
    """A licence by its SPDX identifier, or by the name that its maker gave it."""
    return DisjunctiveLicense(id=name) if is_supported_id(name) else DisjunctiveLicense(name=name)
