"""A site's gateway in a network of the test's own: HAProxy with the rendered configuration, a shop, an agent."""

from __future__ import annotations

import http.client
import ssl
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from typing import NamedTuple

from components.gateway_configuration import (
    CDN_PORT,
    CERTIFICATE_FILE,
    CONFIG_DIRECTORY,
    HTTPS_PORT,
    GatewayModel,
    gateway_files,
)
from shopsphere.clients.edge_identity import DEPLOYER, PULLER
from shopsphere.estate.endpoint import Endpoint
from shopsphere.estate.placement import Placement
from shopsphere.estate.site_config import WorkloadConfig
from shopsphere.foundation.certificates import KeyPair, issue, new_authority

ADDRESS = "10.98.0.1"
NEIGHBOUR = "10.98.0.2"
AGENT_PORT = 8405
SHOP_PORT = 8000
RATE = 20
SIGN_INS, CHECKOUTS, CONNECTIONS = 5, 8, 30
DOMAIN = "shopsphere.test"
PAGE = b"<!doctype html><title>ok</title>" + b"<p>A page of the shop." * 100


SHOWN: dict[str, KeyPair] = {}
"""Certificates that somebody may show at the entry for the CDN, by who it is."""


class Answer(NamedTuple):
    """Of the gateway, or of who answers behind it."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


class Shop:
    """Answers every request with a page and a cookie; `status`, `ready` and `mute` can be changed."""

    def __init__(self, port: int = SHOP_PORT) -> None:
        shop = self
        self.status = self.ready = 200
        self.mute = False
        self.seen: list[tuple[str, dict[str, str]]] = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                shop.seen.append((self.path, dict(self.headers)))
                self.send_response(shop.ready if self.path == "/readyz" else shop.status)
                self.send_header("Set-Cookie", "session=secret")
                self.send_header("Content-Type", "text/html; charset=utf-8")
                body = PAGE if self.path == "/long" else b"ok"
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                if shop.mute:
                    self.close_connection = True
                else:
                    self.do_GET()

            def log_message(self, *_words: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_who: object) -> None:
                """Say nothing: HAProxy's checks end as soon as they have the status."""

        self._server = Server((ADDRESS, port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _issued(folder: Path) -> Path:
    """Make certificates of the edge's authority, and of another one with the same name; return the first."""
    authority = new_authority(folder, "the edge's APIs")
    other = new_authority(folder / "other", "the edge's APIs")
    for name, common_name, by in (
        (PULLER, PULLER, authority),
        (DEPLOYER, DEPLOYER, authority),
        ("forged", PULLER, other),
    ):
        SHOWN[name] = issue(by, KeyPair(folder / f"{name}.crt", folder / f"{name}.key"), common_name=common_name)
    return authority.certificate


def write_configuration(
    base: Path,
    *,
    static_over_http: bool = False,
    knows_the_cdn: bool = True,
    collects: bool = False,
    nodes: int = 1,
) -> Path:
    """Write what the gateway of Frankfurt mounts, with a certificate of this test's own; return haproxy.cfg."""
    cdn_authority = _issued(base / "edge").read_text() if knows_the_cdn else ""
    authority = new_authority(base / "ca", "test")
    # The key stands where ssl-load-extra-files looks for it.
    pair = KeyPair(base / "tls.pem", base / "tls.pem.key")
    issue(authority, pair, common_name=DOMAIN, alternatives=(DOMAIN, f"*.{DOMAIN}"))
    model = GatewayModel(
        placement=Placement(site="frankfurt", jurisdiction="eu"),
        config=WorkloadConfig(replicas=1, cpu="10m", memory="64Mi"),
        watts=1,
        shop_host=ADDRESS,
        shop_port=SHOP_PORT,
        static_paths=("/static/", "/media/"),
        public_url=f"https://www.{DOMAIN}",
        domain=DOMAIN,
        requests_per_second=RATE,
        sign_ins_per_minute=SIGN_INS,
        checkouts_per_minute=CHECKOUTS,
        cdn_authority=cdn_authority,
        collector_host=ADDRESS if collects else "",
        static_over_http=static_over_http,
        connections=CONNECTIONS,
        agent=Endpoint.at(IPv4Address(ADDRESS), AGENT_PORT),
        nodes=nodes,
    )
    for name, text in gateway_files(model).items():
        (base / name).write_text(
            text.replace(CERTIFICATE_FILE, str(pair.certificate)).replace(CONFIG_DIRECTORY, str(base))
        )
    return base / "haproxy.cfg"


def client(who: str = "") -> ssl.SSLContext:
    """Return what somebody shows who believes everybody: a certificate out of `SHOWN`, or none."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if who:
        context.load_cert_chain(SHOWN[who].certificate, SHOWN[who].key)
    return context


def connect(port: int, source: str = ADDRESS, who: str = PULLER) -> http.client.HTTPConnection:
    """Connect; at the entry for the CDN as the CDN, or as who else is named."""
    if port not in {HTTPS_PORT, CDN_PORT}:
        return http.client.HTTPConnection(ADDRESS, port, timeout=10, source_address=(source, 0))
    context = client(who if port == CDN_PORT else "")
    return http.client.HTTPSConnection(ADDRESS, port, timeout=10, context=context, source_address=(source, 0))


def answer_of(
    port: int,
    path: str,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    source: str = ADDRESS,
    who: str = PULLER,
) -> Answer:
    """Return what was answered; status 0 where the connection was refused or cut."""
    connection = connect(port, source, who)
    try:
        connection.putrequest(method, path, skip_host="Host" in (headers or {}))
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    except (ConnectionError, ssl.SSLError):
        return Answer(0, http.client.HTTPMessage(), b"")
    finally:
        connection.close()


def post(path: str, source: str = ADDRESS) -> int:
    return answer_of(HTTPS_PORT, path, "POST", {"Content-Length": "1"}, b"x", source).status
