"""When a site's certificates end, as the exporter learns it without reading a secret."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runbooks.metrics.sources.certificates import ends_in
from shopsphere.clients.cluster_errors import UnreadableAnswerError
from shopsphere.clients.web import PageError, end_shown
from shopsphere.foundation.certificates import KeyPair, end_of, issue, new_authority


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """A port at which TLS shows a certificate that nobody here trusts."""
    pair = KeyPair(tmp_path / "tls.crt", tmp_path / "tls.key")
    issue(new_authority(tmp_path, "nobody's"), pair, common_name="www.shopsphere.test")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    listening = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        line, _ = listening.accept()
        with line, context.wrap_socket(line, server_side=True) as shown:
            shown.recv(1)

    threading.Thread(target=answer, daemon=True).start()
    yield listening.getsockname()[1], pair.certificate
    listening.close()


@pytest.mark.requirement("the exporter tells when certificates end, and reads no secret")
def test_a_gateway_shows_its_own(gateway: tuple[int, Path]) -> None:
    port, file = gateway
    assert end_shown("127.0.0.1", "www.shopsphere.test", seconds=5, port=port) == end_of(file)


def test_a_gateway_that_is_silent_has_no_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as there:
        port = there.getsockname()[1]
    with pytest.raises(PageError, match="no certificate is shown"):
        end_shown("127.0.0.1", "www.shopsphere.test", seconds=1, port=port)


@pytest.mark.requirement("the exporter tells when certificates end, and reads no secret")
def test_the_operator_tells_those_of_a_database() -> None:
    told = {"pair-ca": "2036-11-28 12:00:00 +0000 UTC", "ledger-server": "2027-01-02 03:04:05 +0000 UTC", "odd": "soon"}
    document = {
        "metadata": {"namespace": "data-ledger", "name": "ledger-dublin"},
        "status": {"certificates": {"expirations": told}},
    }
    assert ends_in(document) == [
        ("data-ledger", "ledger-server", "tls.crt", datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("data-ledger", "odd", "tls.crt", None),
        ("data-ledger", "pair-ca", "ca.crt", datetime(2036, 11, 28, 12, tzinfo=UTC)),
    ]


@pytest.mark.parametrize("status", [{}, {"certificates": {}}, {"certificates": {"expirations": {}}}])
def test_an_operator_that_says_nothing_is_not_well(status: dict[str, object]) -> None:
    with pytest.raises(UnreadableAnswerError, match="does not say when its certificates end"):
        ends_in({"metadata": {"namespace": "data-ledger", "name": "ledger-dublin"}, "status": status})
