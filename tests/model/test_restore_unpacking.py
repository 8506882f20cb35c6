"""A base backup is unpacked with what Debian's Python 3.11 has, and nothing of it leads out of its folder."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from runbooks.restore import server
from runbooks.restore.sealed import PieceError


@pytest.fixture(autouse=True)
def pythons_of_debian_12(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take from tarfile what 3.11.2 does not have; whoever restores is its own PostgreSQL user here."""
    extract = tarfile.TarFile.extractall

    def without_filter(
        self: tarfile.TarFile, path: str = ".", members: Iterable[tarfile.TarInfo] | None = None
    ) -> None:
        extract(self, path, members, filter="fully_trusted")

    monkeypatch.setattr(tarfile.TarFile, "extractall", without_filter)
    monkeypatch.setattr(server, "_server_user", lambda: (os.getuid(), os.getgid()))


def packed(folder: Path, *entries: tarfile.TarInfo) -> None:
    with tarfile.open(folder / "base.tar", "w") as tar:
        for entry in entries:
            content = b"x" if entry.isreg() else b""
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))


def entry(name: str, kind: bytes = tarfile.REGTYPE, leads: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.mode, made.uid, made.gid = kind, leads, 0o644, os.getuid(), os.getgid()
    return made


@pytest.mark.requirement("a database is restored on the system that the pages name")
def test_files_and_folders_are_laid_out(tmp_path: Path) -> None:
    base = entry("base", tarfile.DIRTYPE)
    base.mode = 0o755
    packed(tmp_path, base, entry("base/1"), entry("PG_VERSION"), entry("postgresql.auto.conf"))
    server.lay_out(tmp_path)
    data = tmp_path / "data"
    assert (data / "base" / "1").read_text() == "x"
    assert (data / "postgresql.auto.conf").read_text() == ""
    assert (data / "base" / "1").stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "base.tar").exists()


@pytest.mark.parametrize(
    "strange",
    [
        entry("../outside"),
        entry("base/../../outside"),
        entry("/tmp/outside"),
        entry("pg_wal", tarfile.SYMTYPE, "/etc"),
        entry("hard", tarfile.LNKTYPE, "PG_VERSION"),
        entry("device", tarfile.CHRTYPE),
        entry("pipe", tarfile.FIFOTYPE),
    ],
    ids=lambda each: each.name,
)
@pytest.mark.requirement("whoever has a site's account at the archive writes nothing on the machine that restores")
def test_what_is_no_file_below_its_own_folder_is_refused(tmp_path: Path, strange: tarfile.TarInfo) -> None:
    folder = tmp_path / "restored"
    folder.mkdir()
    packed(folder, entry("PG_VERSION"), strange)
    with pytest.raises(PieceError, match="no file or folder below its own"):
        server.lay_out(folder)
    assert [each.name for each in tmp_path.iterdir()] == ["restored"]
