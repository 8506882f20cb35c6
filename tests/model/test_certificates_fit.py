"""A certificate counts only with its own key, and is signed only by the authority that is named."""

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from shopsphere.foundation.certificates import KeyPair, issue, new_authority


def fits(pair: KeyPair) -> bool:
    certificate = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
    key = serialization.load_pem_private_key(pair.key.read_bytes(), None)
    return certificate.public_key() == key.public_key()


@pytest.mark.parametrize("text", [None, "", "no key"])
def test_the_key_of_another_is_replaced_with_its_certificate(tmp_path: Path, text: str | None) -> None:
    authority = new_authority(tmp_path, "one")
    pair, other = (KeyPair(tmp_path / f"{name}.crt", tmp_path / f"{name}.key") for name in ("a", "b"))
    for each in (pair, other):
        issue(authority, each, common_name="x")
    before = pair.certificate.read_bytes()
    issue(authority, pair, common_name="x")
    assert pair.certificate.read_bytes() == before
    pair.key.write_text(other.key.read_text() if text is None else text)
    issue(authority, pair, common_name="x")
    assert pair.certificate.read_bytes() != before
    assert fits(pair)


def test_the_key_of_another_authority_signs_nothing(tmp_path: Path) -> None:
    one, other = new_authority(tmp_path / "one", "one"), new_authority(tmp_path / "other", "other")
    mixed = KeyPair(one.certificate, other.key)
    leaf = KeyPair(tmp_path / "a.crt", tmp_path / "a.key")
    with pytest.raises(ValueError, match="is not the key of the first certificate"):
        issue(mixed, leaf, common_name="x")
    assert not leaf.certificate.exists()
