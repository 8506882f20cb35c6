"""A client's context that threads share is not written to while another thread begins a connection."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from shopsphere.foundation.certificates import KeyPair, issue, new_authority
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.foundation.trust import client_context, mutual_trust, usual_trust

PRODUCT = ("cli", "components", "lab", "policies", "runbooks", "shopsphere", "stacks")
OWN = re.compile(r"ssl\.create_default_context|create_ssl_context|\bssl\.SSLContext\(")


def mutual(folder: Path) -> ssl.SSLContext:
    authority, own = new_authority(folder, "test"), KeyPair(folder / "a.crt", folder / "a.key")
    issue(authority, own, common_name="a")
    return mutual_trust(authority.certificate, own.certificate, own.key)


@pytest.mark.parametrize("made", [mutual, lambda _: client_context(), lambda _: usual_trust()])
def test_the_same_protocols_are_set_once(
    made: Callable[[Path], ssl.SSLContext], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[list[str]] = []
    monkeypatch.setattr(ssl.SSLContext, "set_alpn_protocols", lambda _self, wanted: written.append(list(wanted)))
    context = made(tmp_path)
    for wanted in (["http/1.1", "test"], ["http/1.1", "test"], ["h2"], ["h2"]):
        context.set_alpn_protocols(wanted)
    assert written == [["http/1.1", "test"], ["h2"]]
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_the_defaults_are_pythons_own() -> None:
    ours, pythons = client_context(), ssl.create_default_context()
    for name in ("options", "verify_flags", "verify_mode", "check_hostname", "minimum_version", "protocol"):
        assert getattr(ours, name) == getattr(pythons, name), name
    assert ours.cert_store_stats() == pythons.cert_store_stats()


def test_nobody_makes_a_context_that_is_written_to() -> None:
    files = [file for folder in PRODUCT for file in (REPOSITORY / folder).rglob("*.py")]
    found = {str(file.relative_to(REPOSITORY)) for file in files if OWN.search(file.read_text())}
    assert found == set()
    assert len(files) > 300
