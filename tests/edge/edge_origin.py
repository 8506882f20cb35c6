"""An origin of static assets, as a gateway is one for the CDN alone, that remembers what it was asked."""

from __future__ import annotations

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from shopsphere.estate.cdn_origin import ORIGIN_PORT
from shopsphere.estate.site_health import SERVING_PATH as PROBE
from shopsphere.foundation.certificates import KeyPair


def shown_by(pair: KeyPair, clients: Path) -> ssl.SSLContext:
    """Return how an origin shows itself by a certificate, and answers who has one of an authority."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=clients)
    context.load_cert_chain(pair.certificate, pair.key)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


class Server(ThreadingHTTPServer):
    def handle_error(self, *_who: object) -> None:
        """Say nothing: who shows no certificate is refused in the middle of a handshake."""


class Origin:
    """Answers every path with its own name and a lifetime; `status`, `lifetime` and `immutable` can be changed."""

    def __init__(self, name: str, address: str, context: ssl.SSLContext, port: int = ORIGIN_PORT) -> None:
        self.name, self.address, self.port, self.context = name, address, port, context
        self.serials: list[str] = []
        self.status, self.lifetime, self.immutable = 200, 60, True
        self.unknown: set[str] = set()
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self._server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        origin = self

        class Handler(BaseHTTPRequestHandler):
            # GET only, as the shop's own static routes: a probe or a fetch with HEAD would fail here as it does there.
            def do_GET(self) -> None:
                if self.path != PROBE:
                    connection: Any = self.connection
                    origin.serials.append(str(connection.getpeercert()["serialNumber"]))
                    origin.requests.append((self.command, self.path, dict(self.headers)))
                body = f"{origin.name} {self.path}".encode() + b" " * (20_000 if "large" in self.path else 0)
                self.send_response(404 if self.path in origin.unknown else origin.status)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Content-Type", "image/svg+xml" if self.path.endswith(".svg") else "text/css")
                vouched = ", immutable" if origin.immutable else ""
                self.send_header("Cache-Control", f"public, max-age={origin.lifetime}{vouched}")
                self.send_header("Set-Cookie", "session=secret")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_words: object) -> None:
                pass

        self._server = Server((self.address, self.port), Handler)
        # The handshake belongs to the thread of a connection: who says nothing keeps nobody from being answered.
        self._server.socket = self.context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
