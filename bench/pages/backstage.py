"""Lets a walk, which is JavaScript, ask for acts: POST /NAME/DETAIL/... on loopback."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote


@contextmanager
def backstage(act: Callable[..., None]) -> Iterator[str]:
    """Answer 204 when an act was done, 500 with the reason when it could not be; yield the address."""

    class Acts(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            try:
                act(*(unquote(part) for part in self.path.strip("/").split("/")))
            except Exception:  # noqa: BLE001 whatever it was, the walk has to hear of it
                self.send_response(500)
                self.end_headers()
                self.wfile.write(traceback.format_exc().encode())
            else:
                self.send_response(204)
                self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing of each act."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Acts)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
