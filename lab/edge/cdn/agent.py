"""The CDN's configuration API over HTTP, with a bearer token.

GET, PUT and DELETE /v1/distributions/NAME. GET /v1/cache says what the running cache was told beside this API, and
POST /v1/cache takes that back.
"""

from __future__ import annotations

import argparse
import hmac
import json
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lab.edge.cdn.distribution import Distribution
from lab.edge.cdn.pulls_state import Pulls
from lab.edge.cdn.runtime import Difference
from lab.edge.cdn.store import Store
from lab.edge.cdn.varnish import CompileError, Varnish, VarnishError
from lab.edge.cdn.ways import WAYS
from shopsphere.clients.cdn_agent import CACHE
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.errors import ShopSphereError

_PREFIX = "/v1/distributions"
_LARGEST_BODY = 256 * 1024
_CACHE_START_SECONDS = 60
SHORTEST_TOKEN = 32
"""Characters; an empty one would be given by anybody who gives none."""
_PLACES = 16
"""Requests that are read at the same time: who holds a connection without a word holds one of them for 30 s at most."""


class WeakTokenError(ShopSphereError):
    """The API's token is missing, or short enough to be guessed."""


class Agent(ThreadingHTTPServer):
    """The server.

    Args:
        address: where it listens.
        store: of the distributions.
        token: that every caller has to give.
        pulls: what fetches for the cache; None where nobody asks for it.

    Raises:
        WeakTokenError: the token is too short.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], store: Store, token: str, pulls: Pulls | None = None) -> None:
        if len(token) < SHORTEST_TOKEN:
            raise WeakTokenError.build(
                "the CDN's configuration API does not start with this token",
                expected=f"at least {SHORTEST_TOKEN} characters",
                found=f"{len(token)}",
                action="remove the token's file and start the edge again: it makes a new one",
            )
        self.store = store
        self.token = token
        self.pulls = pulls
        self._places = threading.BoundedSemaphore(_PLACES)
        super().__init__(address, Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Hand a connection to a thread of its own; end it at once where no place is free."""
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection and give its place back."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Agent
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        """Return one distribution, the names of all, or what the running cache has otherwise."""
        if self.path == CACHE:
            self._cache(self.server.store.told_otherwise)
            return
        if (name := self._name()) is None:
            return
        if not name:
            self._answer(HTTPStatus.OK, {"distributions": self.server.store.names()})
        elif (found := self.server.store.get(name)) is None:
            self._refuse(HTTPStatus.NOT_FOUND, f"no distribution {name!r}")
        else:
            self._answer(HTTPStatus.OK, found.model_dump(mode="json", by_alias=True))

    def do_POST(self) -> None:
        """Have the running cache take back what it was told beside this API."""
        if self.path == CACHE:
            self._cache(self.server.store.put_back)
        elif self._is_known():
            self._end(HTTPStatus.NOT_FOUND, f"expected {CACHE}, found {self.path!r}")

    def do_PUT(self) -> None:
        """Create or replace a distribution."""
        if (name := self._name()) is None:
            return
        if (body := self._body()) is None:
            return
        try:
            distribution = Distribution.model_validate_json(body)
        except ValidationError as error:
            problems = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
            self._refuse(HTTPStatus.UNPROCESSABLE_ENTITY, "; ".join(problems))
            return
        if problem := self._stranger(distribution):
            self._refuse(HTTPStatus.UNPROCESSABLE_ENTITY, problem)
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

    def _cache(self, asked: Callable[[], list[Difference]]) -> None:
        """Answer with what the running cache has otherwise."""
        if not self._is_known():
            return
        try:
            found = asked()
        except VarnishError as error:
            self._refuse(HTTPStatus.BAD_GATEWAY, str(error))
        else:
            self.close_connection = True  # a body is not read
            pulls = self.server.pulls
            found = [*found, *(pulls.differences() if pulls else ())]
            self._answer(HTTPStatus.OK, {"differences": [each.as_json() for each in found]})

    def _is_known(self) -> bool:
        """Whether the caller has the token; answers where not."""
        given = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if hmac.compare_digest(given.encode(), self.server.token.encode()):
            return True
        self._end(HTTPStatus.UNAUTHORIZED, "a bearer token is needed")
        return False

    def _name(self) -> str | None:
        """Return the name in the path (empty for the collection), or answer and return None."""
        if not self._is_known():
            return None
        if self.path.rstrip("/") == _PREFIX:
            return ""
        name = self.path.removeprefix(_PREFIX + "/")
        if name == self.path or not name or not set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-"):
            self._end(HTTPStatus.NOT_FOUND, f"expected {_PREFIX}/NAME, found {self.path!r}")
            return None
        return name

    def _stranger(self, distribution: Distribution) -> str:
        """Say which origin is no site of the topology, or is not to prove that it is; empty when all is well."""
        ways = self.server.store.ways
        for origin in distribution.origins:
            way = ways.get(origin.name)
            if way is None or (origin.address, origin.port) != (way.address, way.origin_port):
                sites = ", ".join(f"{name} {each.address}:{each.origin_port}" for name, each in sorted(ways.items()))
                found = f"{origin.name} {origin.address}:{origin.port}"
                return f"origins: expected sites of the topology ({sites}), found {found}"
            if distribution.origin_name != way.name:
                return f"originName: expected {way.name}, which every origin proves; found {distribution.origin_name}"
        return ""

    def _body(self) -> bytes | None:
        """Return the whole body, or answer and return None."""
        length = self.headers.get("Content-Length", "")
        if length.isascii() and length.isdigit() and len(length) <= len(str(_LARGEST_BODY)):
            if int(length) <= _LARGEST_BODY:
                return self.rfile.read(int(length))
            self._end(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"expected at most {_LARGEST_BODY} bytes, found {length}")
            return None
        self._end(HTTPStatus.LENGTH_REQUIRED, "a Content-Length in bytes is needed")
        return None

    def _end(self, status: HTTPStatus, problem: str) -> None:
        """Refuse a request whose body is not read, so that its connection cannot serve another."""
        self.close_connection = True
        self._refuse(status, problem)

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
    files = ("--distributions", "--vcl-file", "--varnish-directory", "--token-file", "--origins-file")
    for option in (*files, "--pulls-socket", "--pulls-certificate"):
        parser.add_argument(option, required=True, type=Path)
    options = parser.parse_args(words)
    token, ways = options.token_file.read_text().strip(), WAYS.validate_json(options.origins_file.read_bytes())
    varnish = Varnish(options.varnish_directory)
    store = Store(options.distributions, options.vcl_file, varnish, ways)
    wait_until(lambda: _answers(varnish), what="the cache to take commands", seconds=_CACHE_START_SECONDS)
    store.reconcile()
    host, _, port = options.listen.rpartition(":")
    pulls = Pulls(options.pulls_socket, options.pulls_certificate)
    Agent((host, int(port)), store, token, pulls).serve_forever()


def _answers(varnish: Varnish) -> bool:
    try:
        return bool(varnish.active())
    except VarnishError:
        return False


if __name__ == "__main__":
    main()
