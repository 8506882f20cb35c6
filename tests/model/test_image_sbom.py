"""The bill of materials beside an image: what is in it, in the official form, the same bytes each time."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from cyclonedx.model.component import Component
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from golden import require_golden

from lab.images import record, sbom
from lab.images.catalogue import IMAGES
from lab.images.debian_package import DebianPackage
from lab.images.go_modules import GoModule, parse, read_modules

DIGEST = "ab" * 32
SUBJECT = sbom.Subject("localhost/shopsphere/demo:1", DIGEST, ["01" * 32, "02" * 32])
OS_RELEASE = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\n\n'
INFORMATION = (
    "path\texample.test/tool/cmd\n"
    "mod\texample.test/tool\tv1.2.0\th1:x=\n"
    "dep\tgolang.org/x/net\tv0.40.0\th1:y=\n"
    "dep\texample.test/forked\tv1.0.0\n"
    "=>\texample.test/ours\tv1.0.1\th1:z=\n"
    "build\t-compiler=gc\n"
)
MODULES = [
    GoModule("stdlib", "1.26.4"),
    GoModule("example.test/tool", "v1.2.0"),
    GoModule("golang.org/x/net", "v0.40.0"),
    GoModule("example.test/ours", "v1.0.1"),
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root file system with a release and two Python distributions."""
    release = tmp_path / "root/usr/lib/os-release"
    release.parent.mkdir(parents=True)
    release.write_text(OS_RELEASE)
    for name, version, more in (
        ("Old_Style", "1.0", "License: Apache-2.0\nSummary: is old\n"),
        ("modern", "2.0", "License-Expression: MIT OR Apache-2.0\n"),
        ("wordy", "3.0", f"License: {'a very long text ' * 20}\nClassifier: License :: OSI Approved :: BSD License\n"),
    ):
        metadata = tmp_path / f"root/opt/shop/{name}-{version}.dist-info/METADATA"
        metadata.parent.mkdir(parents=True)
        metadata.write_text(f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{more}\n")
    return tmp_path / "root"


def debian(name: str, version: str, source: str, *licences: str) -> DebianPackage:
    fields = {"Package": name, "Version": version, "Architecture": "amd64", "Source": source, "Description": "does\n x"}
    return DebianPackage(fields, (), licences)


def components(root: Path) -> list[Component]:
    packages = [
        debian("libssl3", "3.0.22-1~deb12u2", "openssl", "Apache-2.0"),
        debian("libbz2-1.0", "1.0.8-5+b1", "bzip2 (1.0.8-5)", "bzip2-1.0.6", "GPL-2+ with exception"),
        debian("libaudit1", "1:3.0.9-1", "audit"),
    ]
    return [
        *sbom.operating_system(root), *map(sbom.debian, packages), *map(sbom.go_module, MODULES),
        *sbom.python_distributions(root / "opt/shop"),
    ]  # fmt: skip


def purls(text: str) -> list[str]:
    return [each["purl"] for each in json.loads(text)["components"] if "purl" in each]


@pytest.mark.requirement("an SBOM beside each image")
def test_every_package_distribution_and_module_is_named(root: Path) -> None:
    assert sorted(purls(sbom.document(SUBJECT, components(root)))) == sorted([
        "pkg:deb/debian/libssl3@3.0.22-1~deb12u2?arch=amd64&distro=debian-12&upstream=openssl",
        "pkg:deb/debian/libbz2-1.0@1.0.8-5%2Bb1?arch=amd64&distro=debian-12&upstream=bzip2%401.0.8-5",
        "pkg:deb/debian/libaudit1@1:3.0.9-1?arch=amd64&distro=debian-12&upstream=audit",
        "pkg:golang/stdlib@1.26.4",
        "pkg:golang/example.test/tool@v1.2.0",
        "pkg:golang/golang.org/x/net@v0.40.0",
        "pkg:golang/example.test/ours@v1.0.1",
        "pkg:pypi/old-style@1.0",
        "pkg:pypi/modern@2.0",
        "pkg:pypi/wordy@3.0",
    ])  # fmt: skip


def test_licences_are_named_where_they_are_known(root: Path) -> None:
    found = {
        each["name"]: each.get("licenses")
        for each in json.loads(sbom.document(SUBJECT, components(root)))["components"]
    }
    assert found == {
        "debian": None,
        "libssl3": [{"license": {"id": "Apache-2.0"}}],
        "libbz2-1.0": [{"license": {"id": "bzip2-1.0.6"}}, {"license": {"name": "GPL-2+ with exception"}}],
        "libaudit1": None,
        "stdlib": None, "example.test/tool": None, "golang.org/x/net": None, "example.test/ours": None,
        "Old_Style": [{"license": {"id": "Apache-2.0"}}],
        "modern": [{"expression": "MIT OR Apache-2.0"}],
        "wordy": [{"license": {"name": "BSD License"}}],
    }  # fmt: skip


@pytest.mark.requirement("an SBOM names its image's digest")
def test_the_image_is_named_by_its_digest(root: Path) -> None:
    document = json.loads(sbom.document(SUBJECT, components(root)))
    image = document["metadata"]["component"]
    assert (image["type"], image["name"], image["version"]) == (
        "container", "localhost/shopsphere/demo:1", f"sha256:{DIGEST}",
    )  # fmt: skip
    assert [each["value"] for each in image["properties"]] == [f"sha256:{'01' * 32}", f"sha256:{'02' * 32}"]


@pytest.mark.requirement("an SBOM is the same bytes for the same image")
def test_the_same_image_gives_the_same_bytes_in_any_order(root: Path) -> None:
    found = components(root)
    first = sbom.document(SUBJECT, found)
    assert sbom.document(SUBJECT, [*reversed(components(root)), *found]) == first
    assert sbom.document(sbom.Subject(SUBJECT.reference, "cd" * 32, SUBJECT.layers), found) != first
    require_golden("sbom-of-a-small-image", first)


@pytest.mark.requirement("an SBOM has the official form")
def test_it_is_valid_by_the_official_schema(root: Path) -> None:
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    text = sbom.document(SUBJECT, components(root))
    assert validator.validate_str(text) is None
    assert validator.validate_str(text.replace('"type": "library"', '"type": "thing"')) is not None


def test_an_image_with_nothing_in_it_has_a_document_too(tmp_path: Path) -> None:
    text = sbom.document(SUBJECT, sbom.operating_system(tmp_path))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert json.loads(text).get("components", []) == []


def go_program(version: str, information: str) -> bytes:
    """What the linker writes: magic, size of a pointer, flags, padding, and two strings after their lengths."""
    marked = b"0" * 16 + information.encode() + b"1" * 16
    long = bytes([len(marked) & 0x7F | 0x80, len(marked) >> 7])
    return b"\xff Go buildinf:\x08\x02" + bytes(16) + bytes([len(version)]) + version.encode() + long + marked


@pytest.mark.requirement("an SBOM names the Go modules of a program")
def test_modules_are_read_from_a_program(tmp_path: Path) -> None:
    program = tmp_path / "program"
    # First the magic as a constant of the program, once at an odd place and once without the flag.
    before = b"\x7fELF" + b"\xff Go buildinf:" + bytes(14) + b"\xff Go buildinf:\x08\x00" + bytes(16)
    program.write_bytes(before + go_program("go1.26.4 X:boringcrypto", INFORMATION))
    assert len(before) % 16 == 0
    assert read_modules(program) == MODULES


def test_what_go_did_not_build_has_no_modules(tmp_path: Path) -> None:
    (tmp_path / "script").write_text("#!/bin/sh\n")
    (tmp_path / "empty").write_text("")
    assert read_modules(tmp_path / "script") == read_modules(tmp_path / "empty") == []


def test_a_module_built_from_a_folder_has_no_version() -> None:
    assert parse("go1.26.4", "mod\tours.test/tool\t(devel)\t\n")[1:] == [GoModule("ours.test/tool", "")]
    assert str(sbom.go_module(GoModule("ours.test/tool", "")).purl) == "pkg:golang/ours.test/tool"


@pytest.mark.parametrize("name", list(IMAGES))
@pytest.mark.requirement("an SBOM beside each image")
def test_images_of_this_machine_have_valid_documents(name: str) -> None:
    """Looks at what was built here, with whatever form; asks for nothing to be built."""
    folder = Path(os.environ.get("SHOPSPHERE_BUILT_IMAGES", Path.home() / ".cache" / "shopsphere" / "images"))
    found = sorted(folder.glob(f"{name}-{'?' * 16}{record.SBOM_SUFFIX}"))
    if not found:
        pytest.skip(f"no image {name} was built on this machine")
    for file in found:
        facts = json.loads(file.with_name(file.name.replace(record.SBOM_SUFFIX, ".json")).read_text())
        text = file.read_text()
        assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
        assert json.loads(text)["metadata"]["component"]["version"] == f"sha256:{facts['digest']}"
        assert bool(facts["packages"]) == any(purl.startswith("pkg:deb/debian/libc6@") for purl in purls(text))
        if name == "shop":
            assert any(purl.startswith("pkg:pypi/litestar@") for purl in purls(text))
