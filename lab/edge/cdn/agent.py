"""The CDN's configuration API over HTTP: GET, PUT and DELETE /v1/distributions/NAME with a bearer token."""

from __future__ import annotations

import argparse
import hmac
import json
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lab.edge.cdn.distribution import Distribution
from lab.edge.cdn.store import Store
from lab.edge.cdn.varnish import CompileError, Varnish, VarnishError
from shopsphere.foundation.clock import wait_until

_PREFIX = "/v1/distributions"
_LARGEST_BODY = 256 * 1024
_CACHE_START_SECONDS = 60


class Agent(ThreadingHTTPServer):
    """The server; `store` and `token` are what its handlers work with."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], store: Store, token: str) -> None:
        self.store = store
        self.token = token
        super().__init__(address, Handler)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Agent
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        """Return one distribution, or the names of all."""
        if (name := self._name()) is None:
            return
        if not name:
            self._answer(HTTPStatus.OK, {"distributions": self.server.store.names()})
        elif (found := self.server.store.get(name)) is None:
            self._refuse(HTTPStatus.NOT_FOUND, f"no distribution {name!r}")
        else:
            self._answer(HTTPStatus.OK, found.model_dump(mode="json", by_alias=True))

    def do_PUT(self) -> None:
        """Create or replace a distribution."""
        if (name := self._name()) is None:
            return
        try:
            distribution = Distribution.model_validate_json(self._body())
        except ValidationError as error:
            problems = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
            self._refuse(HTTPStatus.UNPROCESSABLE_ENTITY, "; ".join(problems))
            return
        if distribution.name != name:
            self._refuse(HTTPStatus.UNPROCESSABLE_ENTITY, f"name: expected {name!r}, found {distribution.name!r}")
            return
        try:
            is_new = self.server.store.put(distribution)
        except CompileError as error:
            self._refuse(HTTPStatus.UNPROCESSABLE_ENTITY, f"the cache's compiler refused it: {error}")
        except VarnishError as error:
            self._refuse(HTTPStatus.BAD_GATEWAY, str(error))
        else:
            status = HTTPStatus.CREATED if is_new else HTTPStatus.OK
            self._answer(status, distribution.model_dump(mode="json", by_alias=True))

    def do_DELETE(self) -> None:
        """Take a distribution out of service."""
        if not (name := self._name()):
            return
        try:
            existed = self.server.store.delete(name)
        except VarnishError as error:
            self._refuse(HTTPStatus.BAD_GATEWAY, str(error))
        else:
            status = HTTPStatus.OK if existed else HTTPStatus.NOT_FOUND
            self._answer(status, {"name": name, "deleted": existed})

    def _name(self) -> str | None:
        """Return the name in the path (empty for the collection), or answer and return None."""
        given = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), self.server.token.encode()):
            # The body is not read, so the connection cannot serve another request.
            self.close_connection = True
            self._refuse(HTTPStatus.UNAUTHORIZED, "a bearer token is needed")
            return None
        if self.path.rstrip("/") == _PREFIX:
            return ""
        name = self.path.removeprefix(_PREFIX + "/")
        if name == self.path or not name or not set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-"):
            self.close_connection = True
            self._refuse(HTTPStatus.NOT_FOUND, f"expected {_PREFIX}/NAME, found {self.path!r}")
            return None
        return name

    def _body(self) -> bytes:
        length = int(self.headers.get("Content-Length", "0"))
        return self.rfile.read(min(length, _LARGEST_BODY))

    def _refuse(self, status: HTTPStatus, problem: str) -> None:
        self._answer(status, {"error": problem})

    def _answer(self, status: HTTPStatus, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main(words: list[str] | None = None) -> None:
    """Wait for the cache, load what was kept, and answer for as long as the host runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", required=True)
    for option in ("--distributions", "--vcl-file", "--varnish-directory", "--token-file"):
        parser.add_argument(option, required=True, type=Path)
    options = parser.parse_args(words)
    varnish = Varnish(options.varnish_directory)
    store = Store(options.distributions, options.vcl_file, varnish)
    wait_until(lambda: _answers(varnish), what="the cache to take commands", seconds=_CACHE_START_SECONDS)
    store.reconcile()
    host, _, port = options.listen.rpartition(":")
    Agent((host, int(port)), store, options.token_file.read_text().strip()).serve_forever()


def _answers(varnish: Varnish) -> bool:
    try:
        return bool(varnish.active())
    except VarnishError:
        return False


if __name__ == "__main__":
    main()
