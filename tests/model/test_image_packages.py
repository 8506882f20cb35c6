"""Packages in images: what each says about itself, and the list of them that scanners read."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.images.debian_package import (
    DebianPackage,
    paragraph,
    parse_control,
    parse_licences,
    present,
    read_package,
    write_status,
)
from lab.images.rootfs import tidy
from shopsphere.foundation.process import run

CONTROL = """\
Package: libdemo1
Source: demo (1:2.0-1)
Version: 1:2.0-1+b1
Architecture: amd64
Maintainer: A Person <person@example.test>
Installed-Size: 12
Depends: libc6 (>= 2.34)
Section: libs
Multi-Arch: same
Homepage: https://demo.example.test
Description: demonstrates
 A long text
 .
 of three lines.
"""
COPYRIGHT = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: 2020 A Person
License: GPL-2+

Files: debian/*
License: Expat
 Permission is hereby granted …

License: GPL-2+
 This program is free software …

Files: odd/*
License: GPL-2+ with exception
"""


def package(name: str, *files: str, source: str = "") -> DebianPackage:
    fields = {"Package": name, "Version": "1.0-1", "Architecture": "all"}
    return DebianPackage({**fields, **({"Source": source} if source else {})}, files)


@pytest.fixture
def deb(tmp_path: Path) -> tuple[Path, Path]:
    """A package file that dpkg-deb built, and the tree that it was extracted into."""
    tree = tmp_path / "tree"
    for name, text in {
        "DEBIAN/control": CONTROL,
        "DEBIAN/md5sums": "0123  lib/x86_64-linux-gnu/libdemo.so.1\n4567  usr/share/doc/libdemo1/copyright\n",
        "DEBIAN/conffiles": "/etc/demo.conf\n",
        "lib/x86_64-linux-gnu/libdemo.so.1": "code",
        "usr/share/doc/libdemo1/copyright": COPYRIGHT,
        "etc/demo.conf": "",
    }.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    file = tmp_path / "libdemo1.deb"
    run(["dpkg-deb", "--root-owner-group", "--build", tree, file])
    root = tmp_path / "root"
    run(["dpkg-deb", "--extract", file, root])
    return file, root


def test_a_package_file_says_name_source_files_and_licences(deb: tuple[Path, Path]) -> None:
    found = read_package(*deb)
    assert (found.name, found.version, found.architecture) == ("libdemo1", "1:2.0-1+b1", "amd64")
    assert found.source == ("demo", "1:2.0-1")
    assert found.files == ("etc/demo.conf", "lib/x86_64-linux-gnu/libdemo.so.1", "usr/share/doc/libdemo1/copyright")
    assert found.licences == ("GPL-2+ with exception", "GPL-2.0-or-later", "MIT")


@pytest.mark.parametrize(
    ("source", "expected"),
    [("", ("demo", "1.0-1")), ("origin", ("origin", "1.0-1")), ("origin (0.9)", ("origin", "0.9"))],
)
def test_source_of_a_package(source: str, expected: tuple[str, str]) -> None:
    assert package("demo", source=source).source == expected


def test_prose_about_licences_is_not_guessed_at() -> None:
    assert parse_licences("This package was debianized by A Person.\nLicense: see below\n") == ()


def test_no_copyright_file_outside_the_tree_is_read(tmp_path: Path, deb: tuple[Path, Path]) -> None:
    file, root = deb
    (tmp_path / "machine").mkdir()
    (tmp_path / "machine" / "copyright").write_text(COPYRIGHT)
    own = root / "usr/share/doc/libdemo1"
    (own / "copyright").unlink()
    own.rmdir()
    own.symlink_to(tmp_path / "machine")
    assert read_package(file, root).licences == ()


@pytest.mark.requirement("scanners find the packages of an image")
def test_the_list_of_packages_is_short_sorted_and_says_installed(tmp_path: Path) -> None:
    write_status(tmp_path, [DebianPackage(parse_control(CONTROL), ()), package("alpha")])
    assert (
        (tmp_path / "var/lib/dpkg/status").read_text()
        == """\
Package: alpha
Status: install ok installed
Architecture: all
Version: 1.0-1

Package: libdemo1
Status: install ok installed
Section: libs
Maintainer: A Person <person@example.test>
Architecture: amd64
Multi-Arch: same
Source: demo (1:2.0-1)
Version: 1:2.0-1+b1
Depends: libc6 (>= 2.34)
Description: demonstrates
"""
    )


@pytest.mark.requirement("scanners find the packages of an image")
def test_dpkg_itself_reads_the_list(tmp_path: Path) -> None:
    write_status(tmp_path, [DebianPackage(parse_control(CONTROL), ()), package("alpha")])
    shown = run(["dpkg-query", f"--admindir={tmp_path / 'var/lib/dpkg'}", "--show", "--showformat",
                 "${Package} ${Version} ${db:Status-Status} ${source:Package} ${source:Version}\n"]).stdout  # fmt: skip
    assert shown.splitlines() == [
        "alpha 1.0-1 installed alpha 1.0-1",
        "libdemo1 1:2.0-1+b1 installed demo 1:2.0-1",
    ]


def test_a_status_in_the_package_itself_does_not_count() -> None:
    assert "Status: install ok installed\n" in paragraph(DebianPackage({"Package": "x", "Status": "deinstall"}, ()))


def test_a_package_of_which_nothing_is_left_is_not_listed(tmp_path: Path) -> None:
    (tmp_path / "usr/bin").mkdir(parents=True)
    (tmp_path / "usr/bin/tool").write_text("")
    (tmp_path / "bin").symlink_to("usr/bin")
    (tmp_path / "usr/bin/hanging").symlink_to("/nowhere")
    packages = [
        package("tool", "bin/tool", "usr/share/doc/tool/copyright"),
        package("link", "usr/bin/hanging"),
        package("removed", "usr/lib/libLLVM.so"),
        package("only-documents"),
    ]
    assert [each.name for each in present(packages, tmp_path)] == ["tool", "link"]


def test_tidying_leaves_what_scanners_read_of_the_release(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "usr/lib").mkdir(parents=True)
    (tmp_path / "usr/lib/os-release").write_text("ID=debian\n")
    (tmp_path / "etc/os-release").symlink_to("../usr/lib/os-release")
    tidy(tmp_path)
    assert (tmp_path / "etc/os-release").read_text() == "ID=debian\n"
