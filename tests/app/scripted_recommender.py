"""A recommender that says what a test made up, over real HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec


@dataclass
class Script:
    """What a recommender says that a test made up, and how often it was asked.

    Attributes:
        asked: bodies of the questions.
        say: makes status and body of an answer.
        seconds: until it answers.
    """

    asked: list[dict[str, Any]] = field(default_factory=list)
    say: Callable[[], tuple[int, bytes]] = lambda: (200, b'{"row": []}')
    seconds: float = 0.0

    def row(self, *products: int) -> None:
        body = msgspec.json.encode({"row": [{"product": each, "because": "seen together"} for each in products]})
        self.say = lambda: (200, body)


class Scripted(ThreadingHTTPServer):
    """A server that answers as its script says; connections stay open."""

    daemon_threads = True

    def __init__(self) -> None:
        self.script = script = Script()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                script.asked.append(msgspec.json.decode(body))
                time.sleep(script.seconds)
                status, told = script.say()
                self.send_response(status)
                self.send_header("content-length", str(len(told)))
                self.end_headers()
                self.wfile.write(told)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"
