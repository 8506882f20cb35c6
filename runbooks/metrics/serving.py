"""Where Prometheus scrapes: one path over HTTP, bounded in connections and in time.

What it tells is of the class `operational`: names of sites and numbers, nothing of a customer. It has no access control
of its own, so it listens on this machine alone unless it is told otherwise.
"""

from __future__ import annotations

import socket
from http.server import ThreadingHTTPServer
from threading import BoundedSemaphore, Thread

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import MetricsHandler

from shopsphere.foundation.errors import ShopSphereError

PATH = "/metrics"
CONNECTIONS = 8
"""Scrapes at once; another one is closed without an answer."""
SECONDS = 5
"""Bound on each wait for a client (s)."""
_NOT_FOUND = f"asked for: {PATH}\n".encode()


class AddressError(ShopSphereError):
    """Nothing can listen at this address."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    _free = BoundedSemaphore(CONNECTIONS)

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client: object) -> None:
        """Answer in a thread of its own, or not at all when too many are answered already."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: socket.socket | tuple[bytes, socket.socket], client: object) -> None:
        """Answer, and let the next one in."""
        try:
            super().process_request_thread(request, client)
        finally:
            self._free.release()

    def handle_error(self, _request: object, _client: object) -> None:
        """Stay silent: who ends a connection early has read what it wanted."""


def handler_of(registry: CollectorRegistry) -> type[MetricsHandler]:
    """Return what answers a request with the samples of a registry, and no other path."""

    class Handler(MetricsHandler):
        timeout = SECONDS

        def do_GET(self) -> None:  # noqa: N802 - the base class names it so
            if self.path.partition("?")[0] == PATH:
                super().do_GET()
                return
            self.send_response(404)
            self.send_header("Content-Length", str(len(_NOT_FOUND)))
            self.end_headers()
            self.wfile.write(_NOT_FOUND)

    Handler.registry = registry
    return Handler


class Serving:
    """An HTTP server for scrapes.

    Args:
        address: where it listens.
        port: its port; 0 for any that is free.
        registry: what it tells.

    Raises:
        AddressError: nothing can listen there.
    """

    def __init__(self, address: str, port: int, registry: CollectorRegistry) -> None:
        try:
            self._server = _Server((address, port), handler_of(registry))
        except OSError as error:
            raise AddressError.build(
                f"nothing can listen at {address}:{port}",
                expected="an address of this machine and a free port",
                found=str(error.strerror or error),
                action="name another one with --listen ADDRESS:PORT",
            ) from error
        self._thread = Thread(target=self._server.serve_forever, name="scrapes", daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Begin to answer, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
