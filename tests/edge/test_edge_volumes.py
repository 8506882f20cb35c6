"""Volumes with a size of their own, on real file systems."""

import os
import subprocess
from pathlib import Path

import pytest

from lab import volume_size
from lab.host import power
from shopsphere.foundation.errors import ShopSphereError

OWNER = 26  # of the database's files, as its image has it


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site that is off, with one volume that has content."""
    monkeypatch.setattr(volume_size, "disk_directory", lambda _site: tmp_path)
    monkeypatch.setattr(power, "is_on", lambda _site: False)
    folder = tmp_path / "volumes/v1/pgdata"
    folder.mkdir(parents=True)
    (folder / "base").write_bytes(b"rows" * 1000)
    (folder / "link").symlink_to("base")
    os.chown(folder / "base", OWNER, OWNER)
    return tmp_path


def content(volume: Path) -> tuple[bool, int, str]:
    base, link = volume / "pgdata/base", volume / "pgdata/link"
    return base.read_bytes() == b"rows" * 1000, base.stat().st_uid, str(link.readlink())


@pytest.mark.requirement("a volume of the lab can run full")
def test_a_size_of_its_own_and_back(site: Path, tmp_path: Path) -> None:
    volumes = site / "volumes"
    volume_size.limit_volume("dublin", "v1", 64)
    assert list((volumes / "v1").iterdir()) == []
    script = f"""
        mount -o loop {volumes}/v1.img {volumes}/v1
        test "$(cat {volumes}/v1/pgdata/link)" = "$(cat {volumes}/v1/pgdata/base)"
        ! dd if=/dev/zero of={volumes}/v1/filler bs=1M count=100 2> {tmp_path}/said
        rm {volumes}/v1/filler
    """
    subprocess.run(["unshare", "--mount", "sh", "-ec", script], check=True, timeout=240)
    assert "No space left" in (tmp_path / "said").read_text()
    volume_size.lift_limit("dublin", "v1")
    assert content(volumes / "v1") == (True, OWNER, "base")
    assert [each.name for each in volumes.iterdir()] == ["v1"]
    volume_size.lift_limit("dublin", "v1")
    assert content(volumes / "v1") == (True, OWNER, "base")


@pytest.mark.requirement("bad input gets a clear error and changes nothing")
@pytest.mark.parametrize(("volume", "size", "message"), [("v9", 64, "expected: v1"), ("v1", 8, "at least 33 MiB")])
def test_refusals(site: Path, volume: str, size: int, message: str) -> None:
    with pytest.raises(ShopSphereError, match=message):
        volume_size.limit_volume("dublin", volume, size)
    assert content(site / "volumes/v1") == (True, OWNER, "base")


@pytest.mark.requirement("bad input gets a clear error and changes nothing")
def test_a_volume_in_use(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(power, "is_on", lambda _site: True)
    with pytest.raises(ShopSphereError, match="power-off dublin"):
        volume_size.limit_volume("dublin", "v1", 64)
    with pytest.raises(ShopSphereError, match="power-off dublin"):
        volume_size.lift_limit("dublin", "v1")
    assert content(site / "volumes/v1") == (True, OWNER, "base")


@pytest.mark.requirement("bad input gets a clear error and changes nothing")
def test_twice(site: Path) -> None:
    volume_size.limit_volume("dublin", "v1", 64)
    with pytest.raises(ShopSphereError, match="already"):
        volume_size.limit_volume("dublin", "v1", 64)
