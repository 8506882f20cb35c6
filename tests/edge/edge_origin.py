"""An origin of static assets that remembers what it was asked."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from shopsphere.estate.site_health import SERVING_PATH as PROBE


class Origin:
    """Answers every path with its own name and a lifetime; `status`, `lifetime` and `immutable` can be changed."""

    def __init__(self, name: str, address: str, port: int = 80) -> None:
        self.name, self.address, self.port = name, address, port
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

        self._server = ThreadingHTTPServer((self.address, self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
