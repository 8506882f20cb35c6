"""What the CDN's configuration API and its keys are made of; the edge ring asks them."""

from pathlib import Path

import pytest
from cryptography import x509

from lab.edge.cdn.agent import SHORTEST_TOKEN, Agent, WeakTokenError
from lab.edge.cdn.store import Store
from lab.edge.cdn.varnish import Varnish
from lab.edge.components import lab_settings, prepare
from lab.edge.settings import EdgeSettings
from lab.pki import prepare_public
from shopsphere.topology import load_topology


@pytest.mark.requirement("the configuration API does not start with a token that can be guessed")
@pytest.mark.parametrize("token", ["", "x", "x" * (SHORTEST_TOKEN - 1)])
def test_a_short_token_is_refused(tmp_path: Path, token: str) -> None:
    store = Store(tmp_path, tmp_path / "active.vcl", Varnish(tmp_path), {})
    with pytest.raises(WeakTokenError, match=f"found: +{len(token)}"):
        Agent(("127.0.0.1", 0), store, token)


def test_the_token_that_is_made_is_long_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path))
    settings = EdgeSettings(
        disk=tmp_path / "disk", run=tmp_path / "run", certificate=tmp_path / "crt", key=tmp_path / "key",
        edge_keys=tmp_path / "keys", origin_authority=tmp_path / "ca", authorities={},
    )  # fmt: skip
    prepare(settings, load_topology())
    assert len(settings.cdn_token_file.read_text().strip()) >= SHORTEST_TOKEN


@pytest.mark.requirement("the CDN holds a key for static assets alone")
def test_the_labs_cdn_has_a_key_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path))
    topology = load_topology()
    prepare_public(topology.domain, topology.static_host)
    settings = lab_settings()
    certificate = x509.load_pem_x509_certificate(settings.certificate.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["static.shopsphere.test"]
    assert settings.key.read_bytes() != (tmp_path / "pki/public/tls.key").read_bytes()
