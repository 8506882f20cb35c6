"""The gateway's entry for the CDN: nobody else is answered there, and static assets are nowhere else."""

import socket
import ssl
import subprocess
from pathlib import Path

import pytest
from edge_gateway import ADDRESS, SHOWN, Shop, answer_of, client, write_configuration

from components.gateway_configuration import CDN_PORT, HTTP_PORT, HTTPS_PORT
from shopsphere.clients.edge_identity import DEPLOYER, PULLER
from shopsphere.estate.site_health import SERVING_PATH
from shopsphere.foundation.clock import wait_until

ASSET = "/static/shop.css"


@pytest.mark.requirement("the origin's entry for the CDN answers nobody who does not show the CDN's certificate")
@pytest.mark.parametrize(("who", "status"), [(PULLER, 200), ("", 0), ("forged", 0), (DEPLOYER, 403)])
def test_only_the_cdn_fetches(shop: Shop, gateway: subprocess.Popen[bytes], who: str, status: int) -> None:
    before = len(shop.seen)
    assert answer_of(CDN_PORT, ASSET, who=who).status == status
    asked = [path for path, _ in shop.seen[before:] if path == ASSET]
    assert asked == [ASSET] * (status == 200)


@pytest.mark.requirement("the origin's entry for the CDN answers nobody who does not show the CDN's certificate")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_customers_session_opens_nothing(
    shop: Shop, gateway: subprocess.Popen[bytes], version: ssl.TLSVersion
) -> None:
    """A session that was begun without a certificate, where none is asked for, is resumed where one is needed."""
    context = client()
    context.minimum_version = context.maximum_version = version
    begun = _session(context, HTTPS_PORT, None)
    with pytest.raises(ValueError, match="403 of a session that was resumed"):
        _session(context, CDN_PORT, begun)


def _session(context: ssl.SSLContext, port: int, session: ssl.SSLSession | None) -> ssl.SSLSession | None:
    """Ask for an asset and return the session.

    Raises:
        ValueError: there was an answer that gives nothing; its status, and whether the session was resumed.
    """
    with (
        socket.create_connection((ADDRESS, port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=ADDRESS, session=session) as line,
    ):
        line.sendall(f"GET {ASSET} HTTP/1.1\r\nHost: {ADDRESS}\r\nConnection: close\r\n\r\n".encode())
        status = line.recv(4096).split(b" ")[1].decode()
        if port == CDN_PORT and status != "200":
            raise ValueError(f"{status} of a session that was {'resumed' if line.session_reused else 'begun'}")
        return line.session


@pytest.mark.requirement("static assets leave a site by the entry for the CDN alone")
def test_nobody_else_gets_static_assets(shop: Shop, gateway: subprocess.Popen[bytes]) -> None:
    for host in ("static.shopsphere.test", "www.shopsphere.test", ADDRESS):
        assert answer_of(HTTPS_PORT, ASSET, headers={"Host": host}).status in {301, 404}
        assert answer_of(HTTP_PORT, ASSET, headers={"Host": host}).status in {301, 403}
    assert ASSET not in [path for path, _ in shop.seen]


def test_the_cdn_hears_whether_the_shop_is_ready(shop: Shop, gateway: subprocess.Popen[bytes]) -> None:
    wait_until(lambda: answer_of(CDN_PORT, SERVING_PATH).status == 200, what="ready", seconds=10, interval=0.2)
    assert answer_of(CDN_PORT, SERVING_PATH, who=DEPLOYER).status == 403
    shop.ready = 503
    wait_until(lambda: answer_of(CDN_PORT, SERVING_PATH).status == 503, what="not ready", seconds=20, interval=0.2)


@pytest.mark.requirement("a site can be changed to a CDN with a certificate while the one before still fetches")
@pytest.mark.parametrize("knows_the_cdn", [True, False])
def test_a_cdn_without_a_certificate_is_answered_where_the_stack_says_so(
    network: None, tmp_path: Path, knows_the_cdn: bool
) -> None:
    configuration = write_configuration(tmp_path, static_over_http=True, knows_the_cdn=knows_the_cdn)
    shop = Shop()
    process = subprocess.Popen(["/usr/sbin/haproxy", "-db", "-f", str(configuration)], start_new_session=True)
    try:
        wait_until(lambda: _status(HTTP_PORT) == 200, what="plain assets", seconds=20, interval=0.2)
        assert answer_of(HTTP_PORT, "/orders").status == 403
        assert answer_of(HTTP_PORT, "/static/../orders").status == 403
        if knows_the_cdn:
            assert _status(CDN_PORT) == 200
        else:
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((ADDRESS, CDN_PORT), timeout=5)
    finally:
        process.kill()
        process.wait(10)
        shop.stop()


def _status(port: int) -> int:
    return answer_of(port, ASSET).status


def test_certificates_of_these_tests_differ(configuration: Path) -> None:
    assert len({pair.certificate.read_bytes() for pair in SHOWN.values()}) == len(SHOWN) == 3
