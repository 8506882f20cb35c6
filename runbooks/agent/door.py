"""Where gateways ask whether writes are open, every second while they are, else every 0.25 s; only 200 means yes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from runbooks.agent.state import Doors
from shopsphere.estate.site_agent import STATE_PATH, WRITES_PATH


class Door:
    """An HTTP server with two questions: `/writes` (200 or 503) and `/state` (JSON for people and runbooks).

    Args:
        address: where it listens.
        port: its port.
        decide: what is open now.
        describe: what `/state` says beside that.
    """

    def __init__(
        self, address: str, port: int, decide: Callable[[], Doors], describe: Callable[[], Mapping[str, object]]
    ) -> None:
        class Handler(BaseHTTPRequestHandler):
            timeout = 5

            def do_GET(self) -> None:
                doors = decide()
                if self.path == WRITES_PATH:
                    self._answer(200 if doors.writes else 503, doors.because.encode() + b"\n", "text/plain")
                elif self.path == STATE_PATH:
                    state = {"databases": doors.databases, "writes": doors.writes, "because": doors.because}
                    self._answer(200, json.dumps({**state, **describe()}).encode(), "application/json")
                else:
                    self._answer(404, f"asked for: {WRITES_PATH} or {STATE_PATH}\n".encode(), "text/plain")

            def _answer(self, status: int, body: bytes, kind: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_words: object) -> None:
                """Log nothing: every gateway asks at least once a second."""

        self._server = _Server((address, port), Handler)
        self._thread = Thread(target=self._server.serve_forever, name="door", daemon=True)

    def start(self) -> None:
        """Begin to answer, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    def handle_error(self, _request: object, _client: object) -> None:
        """Stay silent: a gateway ends its connection as soon as it has seen the status."""
