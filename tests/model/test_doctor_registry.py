"""`doctor` asks a registry as the nodes do that pull from it: the machine's own authorities count."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest

from shopsphere.doctor.site_images import ask_registry
from shopsphere.foundation.certificates import KeyPair, issue, new_authority

DIGEST = f"sha256:{'5' * 64}"


class Registry(BaseHTTPRequestHandler):
    """Has one image."""

    def do_HEAD(self) -> None:
        """Answer for a manifest."""
        self.send_response(200 if self.path == f"/v2/retail/shop/manifests/{DIGEST}" else 404)
        self.end_headers()

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Where it answers, and the authority of its certificate."""
    authority = new_authority(tmp_path, "an owner's authority")
    pair = KeyPair(tmp_path / "tls.crt", tmp_path / "tls.key")
    issue(authority, pair, common_name="registry", alternatives=("127.0.0.1",))
    server = HTTPServer(("127.0.0.1", 0), Registry)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}", authority.certificate
    server.shutdown()
    server.server_close()


@pytest.mark.requirement("an image in an owner's registry is found by whom the machine trusts")
def test_registry_behind_an_authority_of_the_machine_answers(
    registry: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    host, authority = registry
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))  # where OpenSSL looks for the machine's authorities
    assert ask_registry(host, "retail/shop", DIGEST) == 200
    assert ask_registry(host, "retail/gateway", DIGEST) == 404


def test_registry_behind_a_strangers_authority_is_not_asked(registry: tuple[str, Path]) -> None:
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        ask_registry(registry[0], "retail/shop", DIGEST)
