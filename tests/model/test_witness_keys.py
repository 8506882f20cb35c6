"""The keys of a witness: who signs, until when, what is renewed, and what is said before they end."""

from __future__ import annotations

import datetime as dt
import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature

from shopsphere.foundation import certificates
from shopsphere.foundation.certificates import KeyPair, issue, new_authority
from shopsphere.foundation.finding import Verdict
from shopsphere.foundation.locking import try_lock
from shopsphere.witness.keys import make_keys, voter_files
from shopsphere.witness.own_keys import certificate_ends, judge_ends
from shopsphere.witness.users import WATCHER

VOTERS = {"newyork": ("10.99.0.40",)}


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    make_keys(tmp_path / "keys", "rdc-a", VOTERS, (WATCHER,))
    return tmp_path / "keys"


def read(file: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(file.read_bytes())


def days_left(file: Path) -> int:
    return round((read(file).not_valid_after_utc - datetime.now(UTC)) / timedelta(days=1))


def test_who_signs_and_until_when(keys: Path) -> None:
    signers = {"voter-newyork": "ca", "watcher": "ca", "peer-newyork": "peers-ca"}
    for leaf, signer in signers.items():
        read(keys / f"{leaf}.crt").verify_directly_issued_by(read(keys / f"{signer}.crt"))
        assert days_left(keys / f"{leaf}.crt") == 825
        assert days_left(keys / f"{signer}.crt") == 3650
    with pytest.raises((ValueError, InvalidSignature)):
        read(keys / "watcher.crt").verify_directly_issued_by(read(keys / "peers-ca.crt"))
    assert [each.name for each in voter_files(keys, "newyork")] == [
        "ca.crt", "voter-newyork.crt", "voter-newyork.key",
        "peers-ca.crt", "peer-newyork.crt", "peer-newyork.key",
        "tokens.key", "tokens.pub",
    ]  # fmt: skip


@pytest.mark.requirement("keys that are good stay")
def test_what_is_good_stays(keys: Path) -> None:
    before = {each: each.read_bytes() for each in keys.iterdir()}
    make_keys(keys, "rdc-a", VOTERS, (WATCHER,))
    assert {each: each.read_bytes() for each in keys.iterdir()} == before


@pytest.mark.requirement("a voter that is reached by another name gets a certificate that names it")
def test_a_name_that_is_missing(keys: Path) -> None:
    watcher = (keys / "watcher.crt").read_bytes()
    make_keys(keys, "rdc-a", {"newyork": ("10.99.0.40", "witness.hq.example")}, (WATCHER,))
    for leaf in ("voter-newyork.crt", "peer-newyork.crt"):
        names = read(keys / leaf).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == ["witness.hq.example"]
        assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == ["10.99.0.40"]
    assert (keys / "watcher.crt").read_bytes() == watcher


@pytest.mark.requirement("an authority is changed while the former one is still believed")
def test_a_new_authority(keys: Path, tmp_path: Path) -> None:
    """As docs/witness.md says: the new one is put in front of the former one, with its key."""
    former, peer = (keys / "ca.crt").read_text(), (keys / "peer-newyork.crt").read_bytes()
    password = (keys / "watcher.password").read_text()
    new = new_authority(tmp_path / "new", "witness of rdc-a")
    (keys / "ca.crt").write_text(former + new.certificate.read_text())
    make_keys(keys, "rdc-a", VOTERS, (WATCHER,))
    read(keys / "watcher.crt").verify_directly_issued_by(x509.load_pem_x509_certificate(former.encode()))
    (keys / "ca.crt").write_text(new.certificate.read_text() + former)
    (keys / "ca.key").write_text(new.key.read_text())
    make_keys(keys, "rdc-a", VOTERS, (WATCHER,))
    for leaf in ("watcher.crt", "voter-newyork.crt"):
        read(keys / leaf).verify_directly_issued_by(read(new.certificate))
    assert (keys / "peer-newyork.crt").read_bytes() == peer
    assert (keys / "watcher.password").read_text() == password


@pytest.mark.requirement("a certificate that ends soon is renewed where it was made")
@pytest.mark.parametrize(("days", "renewed"), [(59, True), (61, False)])
def test_a_certificate_that_ends_soon(keys: Path, days: int, *, renewed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates, "LEAF_DAYS", days)
    (keys / "watcher.crt").unlink()
    make_keys(keys, "rdc-a", VOTERS, (WATCHER,))
    assert days_left(keys / "watcher.crt") == days
    monkeypatch.undo()
    make_keys(keys, "rdc-a", VOTERS, (WATCHER,))
    assert days_left(keys / "watcher.crt") == (825 if renewed else days)


def test_no_certificate_outlives_who_signed_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates, "AUTHORITY_DAYS", 30)
    authority = new_authority(tmp_path, "test")
    leaf = issue(authority, KeyPair(tmp_path / "leaf.crt", tmp_path / "leaf.key"), common_name="leaf")
    assert days_left(leaf.certificate) == 30
    made = leaf.certificate.read_bytes()
    assert issue(authority, leaf, common_name="leaf").certificate.read_bytes() == made, "not renewed again and again"


@pytest.mark.requirement("two that make keys at once make one set")
def test_keys_are_made_by_one_at_a_time(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    descriptor = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    assert try_lock(descriptor)
    maker = threading.Thread(target=make_keys, args=(tmp_path, "rdc-a", VOTERS, (WATCHER,)))
    maker.start()
    maker.join(0.5)
    assert maker.is_alive()
    assert list(tmp_path.iterdir()) == []
    os.close(descriptor)
    maker.join(20)
    assert (tmp_path / "watcher.crt").exists()


def ends(**days: float | None) -> dict[str, datetime | None]:
    now = dt.datetime(2026, 11, 29, tzinfo=UTC)
    return {name: None if left is None else now + timedelta(days=left) for name, left in days.items()}


@pytest.mark.requirement("a certificate of the witness that ends is said a month before, and fails a week before")
@pytest.mark.parametrize(
    ("found", "verdict", "said"),
    [
        (ends(ca=3650, watcher=31), Verdict.PASSED, "the first certificate to end is watcher, in 31 days"),
        (ends(ca=3650, watcher=29), Verdict.PASSED, "RENEW SOON, watcher ends 2026-12-28 00:00 UTC"),
        (ends(ca=3650, watcher=8), Verdict.PASSED, "RENEW SOON, watcher ends 2026-12-07 00:00 UTC"),
        (ends(ca=3650, watcher=6), Verdict.FAILED, "watcher ends 2026-12-05 00:00 UTC"),
        (ends(ca=-1, watcher=20), Verdict.FAILED, "ca ENDED 2026-11-28 00:00 UTC, watcher ends 2026-12-19 00:00 UTC"),
        (ends(watcher=None), Verdict.FAILED, "watcher is no certificate"),
        ({}, Verdict.PASSED, "no certificates"),
    ],
)
def test_ends_are_judged(found: dict[str, datetime | None], verdict: Verdict, said: str) -> None:
    judged = judge_ends(found, dt.datetime(2026, 11, 29, tzinfo=UTC))
    assert judged.verdict is verdict
    assert said in judged.found


def test_which_certificates_are_looked_at(keys: Path) -> None:
    (keys / "ca-before.crt").write_text("a copy that somebody kept")
    (keys / "operator.crt").write_text("not PEM")
    (keys / "operator.key").write_text("")
    found = certificate_ends(keys)
    leaves = {"watcher.crt", "voter-newyork.crt", "peer-newyork.crt", "operator.crt"}
    assert set(found) == {"ca.crt", "peers-ca.crt", *leaves}
    assert [name for name, end in found.items() if end is None] == ["operator.crt"]
    assert certificate_ends(keys / "nowhere") == {}
