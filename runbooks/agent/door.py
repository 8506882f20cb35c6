"""Where gateways ask whether writes are open, every second while they are, else every 0.25 s; only 200 means yes.

Who may reach the host through its site's API server also asks here what the host's kernel enforces.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import BoundedSemaphore, Thread
from typing import Protocol

from runbooks.agent.state import Doors
from shopsphere.estate.site_agent import (
    HAS_LEASE,
    OPEN_FOR_WRITES,
    RULES_PATH,
    STATE_PATH,
    UNTIL_HEADER,
    UNTIL_SECONDS,
    WRITES_PATH,
    has_lease,
    lets_writes_through,
)
from shopsphere.foundation.clock import WaitExpiredError, wait_until
from shopsphere.foundation.errors import ShopSphereError, one_line

_IS_SO = {HAS_LEASE: has_lease, OPEN_FOR_WRITES: lets_writes_through}
_LOOK_EVERY = 0.02
_WAITING_AT_ONCE = 8
"""Questions that may wait for their answer; the others are answered at once."""
_MOST_LINES = 16
"""Lines of a request's body that are read and thrown away."""


class Rules(Protocol):
    """What the host's kernel enforces."""

    def admits(self, address: str) -> bool:
        """Whether a question from this address is answered."""

    def tell(self) -> Mapping[str, object]:
        """Return the rules; raises ShopSphereError when they cannot be told."""

    def load(self) -> Mapping[str, object]:
        """Load again what is declared, and return its tables; raises ShopSphereError when that fails."""


class _Handler(BaseHTTPRequestHandler):
    timeout = 5

    def answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer_json(self, status: int, document: Mapping[str, object]) -> None:
        self.answer(status, json.dumps(document).encode(), "application/json")

    def not_found(self) -> None:
        self.answer(404, f"asked for: {WRITES_PATH} or {STATE_PATH}\n".encode(), "text/plain")

    def read_body(self) -> None:
        """Read a small body, so that closing the connection does not take the answer away; nothing is in it."""
        if self.headers.get("Transfer-Encoding"):
            for _ in range(_MOST_LINES):
                if self.rfile.readline(1024) in {b"0\r\n", b""}:
                    self.rfile.readline(1024)
                    break
        elif (length := self.headers.get("Content-Length", "0")).isdecimal():
            self.rfile.read(min(int(length), 1024))

    def log_message(self, *_words: object) -> None:
        """Log nothing: every gateway asks at least once a second."""


class Door:
    """An HTTP server: `/writes` (200 or 503), `/state` (JSON for people and runbooks) and `/rules` (JSON for drift).

    Args:
        address: where it listens.
        port: its port.
        decide: what is open now.
        describe: what `/state` says beside that.
        rules: of the host; None where nobody may ask for them.
    """

    def __init__(
        self,
        address: str,
        port: int,
        decide: Callable[[], Doors],
        describe: Callable[[], Mapping[str, object]],
        rules: Rules | None = None,
    ) -> None:
        waiting = BoundedSemaphore(_WAITING_AT_ONCE)

        def state() -> dict[str, object]:
            doors = decide()
            return {"databases": doors.databases, "writes": doors.writes, "because": doors.because, **describe()}

        class Handler(_Handler):
            def do_GET(self) -> None:
                if self.path == WRITES_PATH:
                    doors = decide()
                    self.answer(200 if doors.writes else 503, doors.because.encode() + b"\n", "text/plain")
                elif self.path == STATE_PATH:
                    self.answer_json(200, _awaited(state, self.headers.get(UNTIL_HEADER, ""), waiting))
                elif self.path == RULES_PATH:
                    self.answer_json(*_asked(rules, self.client_address[0], lambda each: each.tell()))
                else:
                    self.not_found()

            def do_POST(self) -> None:
                self.read_body()
                if self.path == RULES_PATH:
                    self.answer_json(*_asked(rules, self.client_address[0], lambda each: each.load()))
                else:
                    self.not_found()

        self._server = _Server((address, port), Handler)
        self._thread = Thread(target=self._server.serve_forever, name="door", daemon=True)

    def start(self) -> None:
        """Begin to answer, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()


def _asked(
    rules: Rules | None, address: str, work: Callable[[Rules], Mapping[str, object]]
) -> tuple[int, Mapping[str, object]]:
    """Return status and document; an error's is such that a Kubernetes client shows it."""
    if rules is None:
        return 404, {"message": "nobody may ask this agent for the rules of its host"}
    if not rules.admits(address):
        return 403, {"message": f"{address} is no API server of this site: ask through it, at its proxy to this host"}
    try:
        return 200, work(rules)
    except ShopSphereError as error:
        return 503, {"message": one_line(error)}


def _awaited(state: Callable[[], dict[str, object]], until: str, waiting: BoundedSemaphore) -> dict[str, object]:
    """Return the state when what is waited for is so, or as it is after a while; at once if nothing is waited for."""
    is_so = _IS_SO.get(until)
    if is_so and waiting.acquire(blocking=False):
        try:
            with suppress(WaitExpiredError):
                wait_until(lambda: is_so(state()), what=until, seconds=UNTIL_SECONDS, interval=_LOOK_EVERY)
        finally:
            waiting.release()
    return state()


class _Server(ThreadingHTTPServer):
    def handle_error(self, _request: object, _client: object) -> None:
        """Stay silent: a gateway ends its connection as soon as it has seen the status."""
