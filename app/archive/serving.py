"""Answers probes and tells figures; nobody but the node reaches this port."""

from __future__ import annotations

from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from app.archive.state import State
from app.gauges import MEDIA_TYPE


def serve(state: State, port: int) -> ThreadingHTTPServer:
    """Answer /livez, /readyz and /metrics in threads of their own.

    Ready does not depend on the archive: a deployment may not wait for a store that is away.
    """

    class Answers(BaseHTTPRequestHandler):
        timeout = 5

        def do_GET(self) -> None:
            if self.path == "/metrics":
                self._say(HTTPStatus.OK, state.metrics())
            elif self.path in {"/livez", "/readyz"}:
                alive = state.is_alive
                self._say(HTTPStatus.OK if alive else HTTPStatus.SERVICE_UNAVAILABLE, "ok\n" if alive else "stuck\n")
            else:
                self._say(HTTPStatus.NOT_FOUND, "no such page\n")

        def _say(self, status: HTTPStatus, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("content-type", MEDIA_TYPE)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing: a probe every few seconds is no event."""

    server = ThreadingHTTPServer(("", port), Answers)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True, name="figures").start()
    return server
