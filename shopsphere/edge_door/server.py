"""Behind the program that ends TLS: hands on what a user may ask for, refuses everything else, and logs both.

It listens at a socket that only that program's user reaches, and believes a request's user only from a caller that is
this user and shows the door's secret.
"""

from __future__ import annotations

import argparse
import hmac
import json
import sys
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer
from typing import Any

from shopsphere.edge_door.asked import Asked, UnreadableError, is_question
from shopsphere.edge_door.cdn_rights import cdn_problem
from shopsphere.edge_door.dns_rights import dns_problem, state_write_problem
from shopsphere.edge_door.front_socket import bound_socket, is_from, user_id
from shopsphere.edge_door.plan import LARGEST_BODY, DoorPlan, Service, secret_of
from shopsphere.edge_door.refused import RefusedListError, refused_serials, serial_of

_INNER_SECONDS = {"dns": 8.0, "cdn": 25.0}
"""Bounds on an answer behind the door: a cache compiles what it is told."""
_LARGEST_ANSWER = 16 * 1024 * 1024
_LOOPBACK = "127.0.0.1"


class RightsServer(ThreadingUnixStreamServer):
    """The server.

    Args:
        plan: of the door.

    Raises:
        DoorError: a secret is missing, or too short; there is no such user; the list of refused certificates cannot be
            read; or the socket cannot be made.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, plan: DoorPlan) -> None:
        self.services, self.states = plan.services, plan.declarations()
        self.headers = {name: service.header() for name, service in plan.services.items()}
        self.secret = secret_of(plan.secret_file)
        self.refused_file, self.front = plan.refused_file, user_id(plan.front_user)
        refused_serials(plan.refused_file)
        super().__init__(str(plan.rights_socket), Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = bound_socket(plan.rights_socket, self.front)
        self.server_activate()

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002 - a Unix socket has none
        """Answer the one in front alone: nobody else of this host has any business here."""
        if is_from(request, self.front.uid):
            return True
        print("refused a program of another user of this host", file=sys.stderr, flush=True)  # noqa: T201 - the log
        return False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say what went wrong, unless somebody only hung up."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: RightsServer
    timeout = 10

    def do_GET(self) -> None:
        """Hand it on, or refuse it."""
        self._serve()

    def do_POST(self) -> None:
        """Hand it on, or refuse it."""
        self._serve()

    def do_PUT(self) -> None:
        """Hand it on, or refuse it."""
        self._serve()

    def do_PATCH(self) -> None:
        """Hand it on, or refuse it."""
        self._serve()

    def do_DELETE(self) -> None:
        """Hand it on, or refuse it."""
        self._serve()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        """Say nothing: what is worth a line has one of its own."""

    def _serve(self) -> None:
        shown = self.headers.get("X-Edge-Secret", "").encode()
        name = self.headers.get("X-Edge-Api", "")
        service = self.server.services.get(name)
        if not hmac.compare_digest(shown, self.server.secret.encode()) or service is None:
            self.close_connection = True
            self._refuse(HTTPStatus.FORBIDDEN, "asked past the door")
            return
        if refused := self._certificate_problem():
            self.close_connection = True
            self._refuse(*refused)
            return
        if (body := self._body()) is None:
            self.close_connection = True
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"expected at most {LARGEST_BODY} bytes")
            return
        try:
            asked = Asked.of(self.headers.get("X-Edge-User", ""), self.command, self.path, body)
        except UnreadableError as error:
            self._refuse(HTTPStatus.BAD_REQUEST, str(error))
            return
        if problem := self._problem(asked, service):
            self._refuse(HTTPStatus.FORBIDDEN, f"{asked.user or 'nobody'} {problem}")
            return
        if is_question(asked):
            self._answer(HTTPStatus.NO_CONTENT, "", b"")
            return
        self._hand_on(asked, name, service)

    def _certificate_problem(self) -> tuple[HTTPStatus, str] | None:
        """Return why a certificate opens nothing; a list that cannot be read may have any, so then none does."""
        try:
            refused = refused_serials(self.server.refused_file)
            serial = serial_of(self.headers.get("X-Edge-Serial", ""))
        except RefusedListError as error:
            return HTTPStatus.SERVICE_UNAVAILABLE, str(error)
        return (HTTPStatus.FORBIDDEN, f"certificate {serial} is refused") if serial in refused else None

    def _problem(self, asked: Asked, service: Service) -> str:
        if service.kind == "dns" and is_question(asked):
            return state_write_problem(asked, self.server.states)
        return cdn_problem(asked) if service.kind == "cdn" else dns_problem(asked, self.server.states)

    def _hand_on(self, asked: Asked, name: str, service: Service) -> None:
        """Ask the API with its key. The body is written anew, so that it means there what was judged here."""
        body = None if asked.body is None else json.dumps(asked.body).encode()
        header, key = self.server.headers[name]
        headers = {header: key, **({"Content-Type": "application/json"} if body else {})}
        connection = HTTPConnection(_LOOPBACK, service.inner_port, timeout=_INNER_SECONDS[service.kind])
        try:
            connection.request(self.command, self.path, body=body, headers=headers)
            answer = connection.getresponse()
            text = answer.read(_LARGEST_ANSWER)
        except (OSError, HTTPException) as error:
            # 504 and not 500: whoever asked is not to try again, as one does when a store is busy.
            self._refuse(HTTPStatus.GATEWAY_TIMEOUT, f"{name} does not answer behind its door: {error}")
            return
        finally:
            connection.close()
        if self.command != "GET":
            self._log("changed" if answer.status < HTTPStatus.BAD_REQUEST else f"answered {answer.status} to")
        self._answer(answer.status, answer.getheader("Content-Type") or "text/plain", text)

    def _body(self) -> bytes | None:
        """Return the whole body; None where it is too large, or its size is not said."""
        length = self.headers.get("Content-Length", "0")
        known = length.isascii() and length.isdigit() and len(length) <= len(str(LARGEST_BODY))
        if not known or int(length) > LARGEST_BODY or self.headers.get("Transfer-Encoding"):
            return None
        return self.rfile.read(int(length))

    def _refuse(self, status: HTTPStatus, problem: str) -> None:
        self._log(f"refused with {status.value}, {problem}:")
        self._answer(status, "application/json", json.dumps({"error": problem}).encode())

    def _log(self, what: str) -> None:
        user, serial, origin, api = (
            self.headers.get(f"X-Edge-{each}", "") for each in ("User", "Serial", "From", "Api")
        )
        asked = f"{self.command} {self.path[:300]!r}"
        line = f"user={user!r} from={origin} api={api} {what} {asked} certificate={serial}"
        print(line, file=sys.stderr, flush=True)  # noqa: T201 - the log of this program

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        if status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status != HTTPStatus.NO_CONTENT:
            self.wfile.write(body)


def main(words: list[str] | None = None) -> None:
    """Answer for as long as the host runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("plan", type=Path)
    RightsServer(DoorPlan.read(parser.parse_args(words).plan)).serve_forever()


if __name__ == "__main__":
    main()
