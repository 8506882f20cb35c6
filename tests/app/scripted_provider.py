"""A payment provider, or a payments service, that answers what a test wants, over real HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sealed_by_tests import answer_seal
from shop_processes import CALL_KEY


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


Reply = tuple[int, bytes]
Script = Callable[[Asked], Reply]


def reply(status: int, body: object) -> Reply:
    return status, body if isinstance(body, bytes) else json.dumps(body).encode()


def charge_of(asked: Asked, identity: str, **changes: object) -> dict[str, object]:
    """A captured charge as it was asked for."""
    return {
        "id": identity,
        "key": asked.headers["idempotency-key"],
        "status": "captured",
        **{name: asked.body[name] for name in ("reference", "amount_minor", "currency")},
        **changes,
    }


def nobody(_: Asked) -> Reply:
    return reply(404, {"status": 404})


@dataclass
class ScriptedProvider:
    """Serves until it is closed; `script` may be replaced at any time."""

    script: Script = nobody
    key: str = CALL_KEY
    asked: list[Asked] = field(default_factory=list)

    def __post_init__(self) -> None:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                length = int(self.headers.get("content-length", 0))
                text = self.rfile.read(length)
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(self.command, self.path, headers, json.loads(text) if text else {})
                provider.asked.append(asked)
                status, body = provider.script(asked)
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                if (seal := headers.get("x-call-seal")) is not None:  # it stands for the payments service
                    self.send_header("x-call-seal", answer_seal(provider.key, seal, status, body))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = answer  # noqa: N815 the library's names

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
