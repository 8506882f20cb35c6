"""Certificates of an authority of the tests, and what is none."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from shopsphere.foundation.certificates import KeyPair, issue, new_authority


@cache
def _files() -> tuple[str, str, str]:
    with TemporaryDirectory() as folder:
        authority = new_authority(Path(folder), "an authority of the tests")
        leaf = issue(authority, KeyPair(Path(folder) / "cdn.crt", Path(folder) / "cdn.key"), common_name="cdn")
        return authority.certificate.read_text(), leaf.certificate.read_text(), authority.key.read_text()


def authority_of_tests() -> str:
    """Return its certificate (PEM)."""
    return _files()[0]


def leaf_of_tests() -> str:
    """Return a certificate that it has signed (PEM)."""
    return _files()[1]


def key_of_tests() -> str:
    """Return its private key (PEM)."""
    return _files()[2]
