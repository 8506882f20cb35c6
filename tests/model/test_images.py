"""Images: the same input gives the same bytes, layers are shared, and nothing of the building machine gets in."""

import hashlib
import io
import json
import os
import tarfile
from pathlib import Path
from tarfile import TarInfo

import pytest
from present import present

from lab.images import build, ensure, rootfs
from lab.images.apt_sources import AptSourcesError, debian_sources
from lab.images.archive import Layer, read_layer, write_archive, write_layer
from lab.images.catalogue import IMAGES, NO_PERL, Image, User
from shopsphere.foundation.errors import UsageError

DEB822 = """\
# mirrored
Types: deb deb-src
URIs: http://mirror.example.test/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian.gpg

Types: deb
Enabled: no
URIs: http://off.example.test/debian
Suites: bookworm
Components: main

Types: deb
URIs: http://other.example.test/tool
Suites: nodistro
Components: main
"""
LINES = """\
# deb http://old.example.test/debian bookworm main
deb [signed-by=/k.gpg arch=amd64] http://mirror.example.test/security bookworm-security main contrib # updates
deb http://other.example.test/sdk sdk-bookworm main
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A root file system with one of each: folder, file, program, hard link, link, device-like thing."""
    root = tmp_path / "root"
    (root / "usr" / "bin").mkdir(parents=True)
    (root / "usr" / "bin" / "tool").write_text("#!/bin/sh\n")
    (root / "usr" / "bin" / "tool").chmod(0o755)
    os.link(root / "usr" / "bin" / "tool", root / "usr" / "bin" / "same")
    (root / "bin").symlink_to("usr/bin")
    (root / "etc").mkdir()
    (root / "etc" / "note").write_text("hello")
    os.mkfifo(root / "pipe")
    return root


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SHOPSPHERE_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "cache" / "tools" / "bin"
    folder.mkdir(parents=True)
    (folder / "pause").write_bytes(b"a program")
    return tmp_path / "cache"


def members(layer: Layer) -> dict[str, TarInfo]:
    with tarfile.open(layer.path) as tar:
        return {entry.name: entry for entry in tar}


@pytest.mark.requirement("images are reproducible")
def test_layer_does_not_depend_on_time_or_place(tiny: Path, tmp_path: Path) -> None:
    first = write_layer(tiny, tmp_path / "first.tar")
    for path in [tiny, *tiny.rglob("*")]:
        os.utime(path, (1, 1), follow_symlinks=False)
    tiny.rename(tmp_path / "elsewhere")
    second = write_layer(tmp_path / "elsewhere", tmp_path / "second.tar")
    assert first.digest == second.digest
    assert first.digest == hashlib.sha256((tmp_path / "first.tar").read_bytes()).hexdigest()


def test_layer_keeps_modes_links_and_hard_links_but_no_pipes(tiny: Path, tmp_path: Path) -> None:
    entries = members(write_layer(tiny, tmp_path / "layer.tar"))
    assert list(entries) == ["bin", "etc", "usr", "etc/note", "usr/bin", "usr/bin/same", "usr/bin/tool"]
    assert entries["bin"].issym()
    assert entries["bin"].linkname == "usr/bin"
    assert entries["usr/bin/same"].mode == 0o755
    assert entries["usr/bin/tool"].islnk()
    assert entries["usr/bin/tool"].linkname == "usr/bin/same"
    assert all(entry.mtime == 0 and not entry.uname for entry in entries.values())


@pytest.mark.requirement("images share a base layer")
def test_layer_above_holds_only_what_differs(tiny: Path, tmp_path: Path) -> None:
    base = write_layer(tiny, tmp_path / "base.tar")
    (tiny / "etc" / "note").write_text("changed")
    (tiny / "etc" / "new").write_text("new")
    above = write_layer(tiny, tmp_path / "above.tar", below=base)
    assert set(members(above)) == {"etc/note", "etc/new"}
    assert above.unpacked_bytes == len("changed") + len("new")


def test_layer_read_back_is_the_layer_written(tiny: Path, tmp_path: Path) -> None:
    written = write_layer(tiny, tmp_path / "base.tar")
    assert read_layer(written.path) == written


def test_archive_is_what_engines_import(tiny: Path, tmp_path: Path) -> None:
    layer = write_layer(tiny, tmp_path / "layer.tar")
    target = tmp_path / "image.tar"
    digest = write_archive(target, reference="localhost/x:1", layers=[layer], config={"User": "7:7"})
    with tarfile.open(target) as tar:
        (manifest,) = json.load(present(tar.extractfile("manifest.json")))
        config_bytes = present(tar.extractfile(manifest["Config"])).read()
        layer_bytes = present(tar.extractfile(manifest["Layers"][0])).read()
    config = json.loads(config_bytes)
    assert manifest["RepoTags"] == ["localhost/x:1"]
    assert hashlib.sha256(config_bytes).hexdigest() == digest
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(layer_bytes).hexdigest()}"]
    assert config["config"] == {"User": "7:7"}
    with tarfile.open(fileobj=io.BytesIO(layer_bytes)) as inner:
        assert "etc/note" in inner.getnames()
    assert not target.with_suffix(".partial").exists()


@pytest.mark.requirement("images are built once")
def test_built_once_and_again_only_when_its_program_changes(cache: Path) -> None:
    (first,) = ensure.build_archives(["pause"])
    inode = first.path.stat().st_ino
    assert [each.path for each in ensure.build_archives(["pause"])] == [first.path]
    assert first.path.stat().st_ino == inode
    (cache / "tools" / "bin" / "pause").write_bytes(b"another program")
    (second,) = ensure.build_archives(["pause"])
    assert second.digest != first.digest
    assert not first.path.exists(), "an archive that nobody imports any more is kept"


def test_half_written_archive_does_not_count(cache: Path) -> None:
    assert cache.exists()
    (first,) = ensure.build_archives(["pause"])
    first.path.with_suffix(".json").unlink()
    assert "pause" in ensure.missing_images(["pause"])


@pytest.mark.requirement("size limits are checked by the builder")
def test_too_large_an_image_is_refused(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = IMAGES["pause"].model_copy(update={"limit_mib": 0})
    monkeypatch.setitem(IMAGES, "pause", small)
    with pytest.raises(build.ImageTooLargeError, match="at most 0 MiB"):
        ensure.build_archives(["pause"])
    assert not list((cache / "images").glob("pause-*"))


@pytest.mark.requirement("the shop's image is under 300 MB unpacked and PostgreSQL's under 400 MB")
def test_limits_are_the_required_ones() -> None:
    assert IMAGES["shop"].limit_mib * build.MIB <= 300 * build.MIB
    assert IMAGES["postgresql"].limit_mib * build.MIB <= 400 * build.MIB


def test_no_image_runs_as_root() -> None:
    assert all(image.user.uid > 0 for image in IMAGES.values())


def test_unknown_image_is_named() -> None:
    with pytest.raises(UsageError, match="nonsuch"):
        ensure.build_archives(["nonsuch"])


@pytest.mark.requirement("images come from the machine's own apt sources, other makers' archives left out")
def test_both_forms_of_sources_are_read(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d" / "debian.sources").write_text(DEB822)
    (tmp_path / "sources.list").write_text(LINES)
    assert [source.line() for source in debian_sources(tmp_path)] == [
        "deb [signed-by=/k.gpg arch=amd64] http://mirror.example.test/security bookworm-security main contrib",
        "deb [signed-by=/usr/share/keyrings/debian.gpg] http://mirror.example.test/debian bookworm main",
        "deb [signed-by=/usr/share/keyrings/debian.gpg] http://mirror.example.test/debian bookworm-updates main",
    ]


def test_machine_of_another_release_is_told(tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text("deb http://mirror.example.test/debian trixie main\n")
    with pytest.raises(AptSourcesError, match="trixie"):
        debian_sources(tmp_path)


def test_nothing_of_the_building_machine_stays(tmp_path: Path) -> None:
    root = tmp_path / "root"
    for name in ("etc/apt", "var/lib/dpkg", "dev", "var/run", "usr/bin", "usr/share/perl/5.36.0", "tmp"):
        (root / name).mkdir(parents=True)
    (root / "etc" / "hostname").write_text("this-machine")
    (root / "usr" / "bin" / "perl").write_text("")
    (root / "usr" / "bin" / "sh").write_text("")
    rootfs.prune(root, NO_PERL)
    rootfs.tidy(root)
    left = {str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir() or path.is_symlink()}
    assert left == {"etc/nsswitch.conf", "usr/bin/sh", "var/run", "var/lock"}
    assert not (root / "usr" / "share" / "perl" / "5.36.0").exists()


def test_nothing_is_removed_without_a_pattern(tiny: Path) -> None:
    rootfs.prune(tiny, ())
    assert (tiny / "etc" / "note").exists()


def test_accounts_folders_programs_and_links(tmp_path: Path) -> None:
    image = Image(
        name="x", tag="1", content="scratch", user=User(name="me", uid=os.getuid() or 26), limit_mib=1,
        programs={"/operator/manager_amd64": "manager"}, links={"/manager": "operator/manager_amd64"},
        directories=("/var/lib/me",),
    )  # fmt: skip
    program = tmp_path / "manager"
    program.write_text("program")
    root = tmp_path / "root"
    root.mkdir()
    rootfs.add_own_files(root, image, {"manager": program})
    assert f"me:x:{image.user.uid}:" in (root / "etc" / "passwd").read_text()
    assert (root / "manager").read_text() == "program"
    assert (root / "operator" / "manager_amd64").stat().st_mode & 0o777 == 0o755
    assert (root / "var" / "lib" / "me").stat().st_uid == image.user.uid
