"""Files that a lab reads again: a write that fails leaves the old one, and secrets are never anybody's to read."""

import os
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import record
from lab.cluster.components import _api_server
from lab.cluster.credentials import prepare
from lab.paths import kubeconfig_path
from shopsphere.foundation.certificates import new_authority
from shopsphere.topology import load_topology

FRANKFURT = load_topology().site("frankfurt")


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path))


def fill_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no byte be written any more, as on a full disk: a file that is opened for writing is empty already."""

    def full(*_words: Any, **_more: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", lambda path, _text: path.open("w").close() or full())
    monkeypatch.setattr(Path, "write_bytes", lambda path, _content: path.open("w").close() or full())
    monkeypatch.setattr(os, "fsync", full)


@pytest.mark.requirement("a full disk or a kill in the middle of a write ends no later command of the lab")
def test_the_record_of_regions_survives_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    record.add_regions(["rdc-a"])
    with monkeypatch.context() as patched:
        fill_disk(patched)
        with pytest.raises(OSError, match="No space"):
            record.add_regions(["rdc-b"])
    assert record.regions() == ["rdc-a"]


@pytest.mark.requirement("a full disk or a kill in the middle of a write ends no later command of the lab")
def test_certificates_are_made_again_after_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        fill_disk(patched)
        with pytest.raises(OSError, match="No space"):
            new_authority(tmp_path / "pki", "test")
    assert b"BEGIN CERTIFICATE" in new_authority(tmp_path / "pki", "test").certificate.read_bytes()
    key = prepare(FRANKFURT).service_account_key
    key.unlink()
    with monkeypatch.context() as patched:
        fill_disk(patched)
        with pytest.raises(OSError, match="No space"):
            prepare(FRANKFURT)
    assert prepare(FRANKFURT).service_account_key == key
    assert "PRIVATE KEY" in key.read_text()


@pytest.mark.requirement("a secret is at no time readable by others")
def test_an_administrator_s_kubeconfig_is_born_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    modes: list[int] = []

    real = os.chmod

    def chmod(path: Any, *more: Any, **words: Any) -> None:
        if "frankfurt.yaml" in str(path):
            modes.append(stat.S_IMODE(Path(path).stat().st_mode))
        real(path, *more, **words)

    monkeypatch.setattr(os, "chmod", chmod)
    prepare(FRANKFURT)
    assert modes, "its mode is set"
    assert all(not mode & 0o077 for mode in modes)
    assert stat.S_IMODE(kubeconfig_path("frankfurt").stat().st_mode) == 0o600


@pytest.mark.requirement("nobody but the platform's own identity changes or removes admission policies and bindings")
def test_the_api_server_reads_who_may_change_admission(tmp_path: Path) -> None:
    flags = dict(word.lstrip("-").split("=", 1) for word in _api_server(FRANKFURT, prepare(FRANKFURT)))
    assert flags["feature-gates"] == "ManifestBasedAdmissionControlConfig=true"
    (plugin,) = yaml.safe_load(Path(flags["admission-control-config-file"]).read_text())["plugins"]
    assert plugin["name"] == "ValidatingAdmissionPolicy"
    folder = Path(plugin["configuration"]["staticManifestsDir"])
    assert folder.is_relative_to(tmp_path)
    (file,) = folder.iterdir()
    policy, binding = yaml.safe_load_all(file.read_text())
    assert 'request.userInfo.username in ["admin"]' in policy["spec"]["validations"][0]["expression"]
    assert policy["metadata"]["name"] == "shopsphere-guard.static.k8s.io" == binding["spec"]["policyName"]
