"""The door's HTTP server: every connection has a bound in time and size, and there is a bound on connections.

A request has seconds as a whole, not per byte; one connection carries one request. An address that holds many
connections, and strangers together, are turned away at once, so that gateways and operators always find a place.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from ipaddress import IPv4Address

import h11

from runbooks.agent.door.answers import Answer, Answers, Request, request_of
from runbooks.agent.door.callers import Callers, Places
from runbooks.agent.door.refusals import QUIET_SECONDS, Refusals

READ_SECONDS = 3.0
"""For a whole request, from the moment that its connection was taken."""
WRITE_SECONDS = 3.0
"""For the taking of the answer."""
MOST_HEAD = 8192
"""Bytes of the request's line and headers, also of what frames a body."""
MOST_BODY = 4096
"""Bytes of a request's body; nothing is in it that is read."""
BACKLOG = 1024
"""Connections that the kernel keeps until they are taken: one that finds no place there tries again after a second."""
_TAKEN_AT_ONCE = 128
"""Each is a descriptor until it is turned away, and a process has 1,024 of them."""
_CHUNK = 4096
_FULL = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class RefusedRequestError(Exception):
    """A request that is not answered by what it asks for.

    Args:
        status: of the answer.
        why: for who reads it.
    """

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class DoorServer:
    """Listens, and answers.

    Args:
        callers: who is known here.
        answers: what is answered.
        refusals: writes down who was refused.
    """

    def __init__(self, callers: Callers, answers: Answers, refusals: Refusals | None = None) -> None:
        self._callers, self._answers, self._places = callers, answers, Places()
        self._refusals = refusals or Refusals()

    async def listen(self, address: IPv4Address, port: int) -> asyncio.Server:
        """Begin to answer; raises OSError when the port is taken."""
        listening = socket.create_server((str(address), port))
        server = await asyncio.start_server(self._connected, sock=listening, backlog=_TAKEN_AT_ONCE, limit=_CHUNK)
        listening.listen(BACKLOG)  # asyncio's one number is for both
        self._look_at_refusals()
        return server

    def _look_at_refusals(self) -> None:
        """What was counted is told also when nobody comes any more."""
        self._refusals.look()
        asyncio.get_running_loop().call_later(QUIET_SECONDS, self._look_at_refusals)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address = str((writer.get_extra_info("peername") or ("unknown",))[0])
        known = self._callers.are_known(address)
        if not self._places.take(address, known=known):
            self._refusals.see(address, "there is no place")
            writer.write(_FULL)  # into the kernel's buffer, which is empty: it waits for nobody
            writer.close()
            return
        try:
            await self._serve(reader, writer, address)
        except (OSError, TimeoutError, h11.ProtocolError):
            pass  # the caller is gone, too slow, or speaks something else; gateways leave when they saw the status
        finally:
            writer.transport.abort()
            self._places.leave(address, known=known)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str) -> None:
        line = h11.Connection(h11.SERVER, max_incomplete_event_size=MOST_HEAD)
        try:
            async with asyncio.timeout(READ_SECONDS):
                request = await _read(line, reader, writer, address)
            answer = await self._answers.to(request)
        except RefusedRequestError as refusal:
            answer = Answer(refusal.status, f"{refusal}\n".encode())
        except h11.RemoteProtocolError as error:
            answer = Answer(error.error_status_hint, f"{error}\n".encode())
        except TimeoutError:
            answer = Answer(408, f"a request has {READ_SECONDS:.0f} s\n".encode())
        if 400 <= answer.status < 500:  # noqa: PLR2004 the caller's fault, by HTTP's classes
            self._refusals.see(address, f"{answer.status} {answer.body.decode(errors='replace').strip()}")
        async with asyncio.timeout(WRITE_SECONDS):
            _write(line, writer, answer)
            await writer.drain()
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


async def _read(
    line: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str
) -> Request:
    """Return a request; its body is read and thrown away, so that the answer is not lost with it."""
    request: h11.Request | None = None
    length = 0
    while True:
        event = line.next_event()
        if event is h11.NEED_DATA:
            if line.they_are_waiting_for_100_continue:
                writer.write(line.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
            line.receive_data(await reader.read(_CHUNK))
        elif isinstance(event, h11.Request):
            request = event
        elif isinstance(event, h11.Data):
            length += len(event.data)
            if length > MOST_BODY:
                raise RefusedRequestError(413, f"a body has at most {MOST_BODY} bytes here")
        elif isinstance(event, h11.EndOfMessage) and request:
            return request_of(request.method, request.target, dict(request.headers), address)
        else:
            raise RefusedRequestError(400, "no whole request")


def _write(line: h11.Connection, writer: asyncio.StreamWriter, answer: Answer) -> None:
    headers = [
        ("Content-Type", answer.kind),
        ("Content-Length", str(len(answer.body))),
        ("Connection", "close"),
    ]
    response = h11.Response(status_code=answer.status, headers=headers)
    for event in (response, h11.Data(data=answer.body), h11.EndOfMessage()):
        writer.write(line.send(event) or b"")
