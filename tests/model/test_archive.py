"""The archive of a jurisdiction in the lab, and which data it may hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature

from lab.archive import archive_component
from lab.component import Component
from shopsphere.topology import Archive, load_topology

TOPOLOGY = load_topology()


def archive(jurisdiction: str) -> Archive:
    found = TOPOLOGY.jurisdictions[jurisdiction].archive
    assert found is not None
    return found


@pytest.fixture
def component(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Component:
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path))
    return archive_component("archive-eu", archive("eu"))


@pytest.mark.requirement("an archive speaks TLS at its own address, and its accounts are managed on its host alone")
def test_it_listens_where_it_is_meant_to(component: Component) -> None:
    assert "--port=10.99.0.61:8443" in component.command
    assert "--admin-port=127.0.0.1:8444" in component.command
    for option in ("--cert", "--key", "--admin-cert", "--admin-cert-key"):
        (file,) = [each.partition("=")[2] for each in component.command if each.startswith(f"{option}=")]
        assert Path(file).exists()


@pytest.mark.requirement("no secret of an archive stands where another process or user can read it")
def test_its_secret_is_in_one_file_that_its_owner_reads(component: Component, tmp_path: Path) -> None:
    file = tmp_path / "pki/archive-eu/owner.secret"
    assert file.stat().st_mode & 0o777 == 0o600
    secret = file.read_text().strip()
    assert len(secret) >= 32
    assert secret not in " ".join([*component.command, *component.environment.values()])
    for folder in ("store", "versions", "accounts"):
        assert (tmp_path / "hosts/archive-eu/disk" / folder).stat().st_mode & 0o777 == 0o700


def test_a_second_start_keeps_certificate_and_secret(component: Component, tmp_path: Path) -> None:
    folder = tmp_path / "pki/archive-eu"
    before = {name: (folder / name).read_bytes() for name in ("ca.crt", "tls.crt", "tls.key", "owner.secret")}
    assert archive_component("archive-eu", archive("eu")) == component
    assert {name: (folder / name).read_bytes() for name in before} == before


@pytest.mark.requirement("an archive has an authority of its own")
def test_no_archive_passes_for_another(component: Component, tmp_path: Path) -> None:
    archive_component("archive-us", archive("us"))
    assert component.name == "archive"

    def issued_by(authority: str, server: str) -> bool:
        trusted = x509.load_pem_x509_certificate((tmp_path / f"pki/{authority}/ca.crt").read_bytes())
        shown = x509.load_pem_x509_certificate((tmp_path / f"pki/{server}/tls.crt").read_bytes())
        try:
            shown.verify_directly_issued_by(trusted)
        except (ValueError, InvalidSignature):
            return False
        return True

    assert issued_by("archive-eu", "archive-eu")
    assert not issued_by("archive-eu", "archive-us")


HELD = {
    ("eu", "personal", "eu"): True,
    ("eu", "payment", "eu"): True,
    ("eu", "personal", "us"): False,
    ("us", "fulfilment", "apac"): False,
    ("eu", "aggregate", "eu"): False,
    ("eu", "public", "us"): True,
}


@pytest.mark.requirement("an archive holds what is at home in its jurisdiction, and no other's personal data")
@pytest.mark.parametrize(("place", "data_class", "of"), HELD)
def test_what_an_archive_may_hold(place: str, data_class: str, of: str) -> None:
    assert TOPOLOGY.archive_may_hold(place, data_class, of) is HELD[place, data_class, of]


def test_each_site_has_the_archive_of_its_jurisdiction() -> None:
    found = {site: TOPOLOGY.archive_of(site) for site in TOPOLOGY.sites}
    assert {site: str(each.address) for site, each in found.items() if each} == {
        "frankfurt": "10.99.0.61", "dublin": "10.99.0.61", "ashburn": "10.99.0.62", "chicago": "10.99.0.62",
        "singapore": "10.99.0.63", "sydney": "10.99.0.63",
    }  # fmt: skip
