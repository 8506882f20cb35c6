"""HTTPS at which both sides show a certificate, and who asks is known by its own before a byte of HTTP is read.

One connection carries one request. Everything that a caller can make larger or slower has a bound: handshakes, heads,
bodies, time, and the connections of all and of each region. There is no answer for who shows no certificate of the
authority of this line.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import h11
import structlog

from app.errors import ShopError
from app.export.callers import region_of

SHAKE_SECONDS = 5.0
"""For the handshake of TLS, from the moment that the connection was taken."""
READ_SECONDS = 30.0
"""For a whole request: as long as the region waits for its answer."""
ANSWER_SECONDS = 30.0
WRITE_SECONDS = 30.0
FINISH_SECONDS = 10.0
"""For what is being answered when the process leaves."""
MOST_HEAD = 8192
"""Bytes of a request's line and headers that are waited for; what has come whole is at most `_CHUNK`."""
MOST_CONNECTIONS = 128
"""Of all together; beyond it the oldest that has not shown who it is gives way, so that strangers keep nobody out."""
MOST_OF_ONE = 4
"""Connections of one region: it needs one, and one more while the one before ends."""
BACKLOG = 128
_TAKEN_AT_ONCE = 16
_CHUNK = 16 * 1024
_PAUSE_SECONDS = 1.0
"""Without listening when the process has no file left."""
_SAY_SECONDS = 60.0
"""Between two lines about strangers, whom anybody can send."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, and the number of the region whose certificate it came with."""

    region: int
    method: str
    path: str
    query: str
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Said:
    """An answer."""

    status: int
    body: bytes
    kind: str = "application/json"


class RefusedRequestError(Exception):
    """A request that is not answered by what it asks for.

    Args:
        status: of the answer.
        why: for who reads it.
    """

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


Answers = Callable[[Asked], Awaitable[Said]]


class MutualHttps:
    """Listens, and answers.

    Args:
        context: what TLS is made with now.
        answers: to who has shown a certificate of a region.
        largest: bytes of a request's body.

    Attributes:
        connections: that are open.
        turned_away: connections for which there was no place, and strangers that gave way.
        strangers: connections whose other side did not show who it is.
    """

    def __init__(self, context: Callable[[], ssl.SSLContext], answers: Answers, largest: int) -> None:
        self._context, self._answers, self._largest = context, answers, largest
        self._listening: socket.socket | None = None
        self._open: set[asyncio.Task[None]] = set()
        self._unknown: dict[asyncio.Task[None] | None, None] = {}  # the oldest first
        self._of_region: Counter[int] = Counter()
        self._said_at = -_SAY_SECONDS
        self._log = structlog.get_logger("regions")
        self.turned_away = self.strangers = 0

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._open)

    def bind(self, address: str, port: int) -> None:
        """Take the port; who connects waits until `listen`.

        Raises:
            ShopError: somebody else has it, or the process may not take it.
        """
        try:
            self._listening = socket.create_server((address, port), backlog=BACKLOG)
        except OSError as error:
            raise ShopError.build(
                "the port for regions cannot be taken",
                expected=f"{address}:{port}, which nobody else has",
                found=str(error),
                action="set TAKE_PORT to another one, or end what has it",
            ) from error
        self._listening.settimeout(0)

    def listen(self) -> None:
        """Begin to answer, within the running event loop, at the port that was taken."""
        self._go_on()

    async def close(self) -> None:
        """Take no more connections, and wait for those that are being answered."""
        if self._listening is None:
            return
        asyncio.get_running_loop().remove_reader(self._listening)
        self._listening.close()
        self._listening = None
        if self._open:
            await asyncio.wait(self._open, timeout=FINISH_SECONDS)
        for task in self._open:
            task.cancel()

    def _take(self) -> None:
        for _ in range(_TAKEN_AT_ONCE):
            if self._listening is None:
                return
            try:
                taken, _address = self._listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._log.error("no connection can be taken", problem=str(error), next_seconds=_PAUSE_SECONDS)
                asyncio.get_running_loop().remove_reader(self._listening)
                asyncio.get_running_loop().call_later(_PAUSE_SECONDS, self._go_on)
                return
            if len(self._open) >= MOST_CONNECTIONS:
                self.turned_away += 1
                if (oldest := next(iter(self._unknown), None)) is None:
                    taken.close()
                    continue
                del self._unknown[oldest]
                oldest.cancel()
            taken.settimeout(0)
            task = asyncio.create_task(self._connected(taken))
            self._open.add(task)
            self._unknown[task] = None
            task.add_done_callback(self._open.discard)

    def _go_on(self) -> None:
        if self._listening is not None:
            asyncio.get_running_loop().add_reader(self._listening, self._take)

    async def _connected(self, taken: socket.socket) -> None:
        reader = asyncio.StreamReader(limit=_CHUNK)
        protocol = asyncio.StreamReaderProtocol(reader)
        loop = asyncio.get_running_loop()
        try:
            transport, _ = await loop.connect_accepted_socket(
                lambda: protocol,
                taken,
                ssl=self._context(),
                ssl_handshake_timeout=SHAKE_SECONDS,
                ssl_shutdown_timeout=1.0,
            )
        except OSError as error:
            taken.close()
            self._stranger(str(error))
            return
        finally:
            self._unknown.pop(asyncio.current_task(), None)
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        try:
            region = region_of(transport.get_extra_info("peercert"))
            if region is None:
                self._stranger("its certificate is of no region")
            elif self._of_region[region] >= MOST_OF_ONE:
                self.turned_away += 1
            else:
                await self._known(region, reader, writer)
        except (OSError, TimeoutError, h11.ProtocolError):
            pass  # the other side is gone, too slow, or speaks something else
        finally:
            transport.abort()

    async def _known(self, region: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._of_region[region] += 1
        try:
            await self._serve(region, reader, writer)
        finally:
            self._of_region[region] -= 1

    async def _serve(self, region: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = h11.Connection(h11.SERVER, max_incomplete_event_size=MOST_HEAD)
        began = time.monotonic()
        asked: Asked | None = None
        try:
            async with asyncio.timeout(READ_SECONDS):
                asked = await _read(line, reader, region, self._largest)
            async with asyncio.timeout(ANSWER_SECONDS):
                said = await self._answers(asked)
        except RefusedRequestError as refusal:
            said = _text(refusal.status, str(refusal))
        except h11.RemoteProtocolError as error:
            said = _text(error.error_status_hint, str(error))
        except TimeoutError:
            said = _text(408, "too slow") if asked is None else _text(503, "there was no answer in time")
        except Exception:  # noqa: BLE001 the next request may do better, and whoever asked is to know
            self._log.exception("a question failed", region=region, path=asked.path if asked else "")
            said = _text(500, "it failed here")
        self._log.info(
            "asked",
            region=region,
            path=asked.path[:40] if asked else "",
            status=said.status,
            ms=round((time.monotonic() - began) * 1000),
        )
        async with asyncio.timeout(WRITE_SECONDS):
            _write(line, writer, said, asked)
            await writer.drain()
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    def _stranger(self, problem: str) -> None:
        self.strangers += 1
        if time.monotonic() - self._said_at >= _SAY_SECONDS:
            self._said_at = time.monotonic()
            self._log.warning("somebody is not spoken with", problem=problem[:200], so_far=self.strangers)


async def _read(line: h11.Connection, reader: asyncio.StreamReader, region: int, largest: int) -> Asked:
    """Return a request with its whole body."""
    request: h11.Request | None = None
    body = bytearray()
    while True:
        event = line.next_event()
        if event is h11.NEED_DATA:
            line.receive_data(await reader.read(_CHUNK))
        elif isinstance(event, h11.Request):
            request = event
            _refuse_unclear(request, largest)
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > largest:
                raise _too_large(largest)
        elif isinstance(event, h11.EndOfMessage) and request:
            path, _, query = request.target.decode("ascii", "replace").partition("?")
            return Asked(region, request.method.decode("ascii"), path, query, bytes(body))
        else:
            raise RefusedRequestError(400, "no whole request")


def _refuse_unclear(request: h11.Request, largest: int) -> None:
    """Refuse by its head a request whose body is too large to be waited for, or has two ends."""
    lengths = [int(value) for name, value in request.headers if name == b"content-length"]
    if lengths and any(name == b"transfer-encoding" for name, _ in request.headers):
        raise RefusedRequestError(400, "a body has a length or comes in chunks, not both")
    if any(length > largest for length in lengths):
        raise _too_large(largest)


def _too_large(largest: int) -> RefusedRequestError:
    return RefusedRequestError(413, f"a body has at most {largest} bytes here")


def _text(status: int, problem: str) -> Said:
    return Said(status, f"{problem}\n".encode(), "text/plain")


def _write(line: h11.Connection, writer: asyncio.StreamWriter, said: Said, asked: Asked | None) -> None:
    headers = [("Content-Type", said.kind), ("Content-Length", str(len(said.body))), ("Connection", "close")]
    response = h11.Response(status_code=said.status, headers=headers)
    body = b"" if asked is not None and asked.method == "HEAD" else said.body
    for event in (response, h11.Data(data=body), h11.EndOfMessage()):
        writer.write(line.send(event) or b"")
