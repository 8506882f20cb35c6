"""Connections that are kept alive, as a browser keeps them, for one kind of POST and its short answers."""

from __future__ import annotations

import asyncio
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
CONNECT_SECONDS = 8.0
ANSWER_SECONDS = 20.0
"""The script gives up then."""
IDLE_SECONDS = 1.5
"""A gateway ends an idle connection after 4 s; what is sent into such an end is lost, which a browser would not see."""
LARGEST_ANSWER = 65_536
END = b"\r\n\r\n"
_LINES = (
    "user-agent: {browser}",
    "content-type: text/plain;charset=UTF-8",
    'sec-ch-ua: "Chromium";v="140", "Not=A?Brand";v="24"',
    "sec-ch-ua-mobile: ?0",
    'sec-ch-ua-platform: "Linux"',
    "accept: */*",
    "origin: {origin}",
    "sec-fetch-site: same-origin",
    "sec-fetch-mode: cors",
    "sec-fetch-dest: empty",
    "referer: {origin}/",
    "accept-encoding: gzip, deflate, br, zstd",
    "accept-language: en-GB,en;q=0.8",
)


class NotSentError(Exception):
    """No connection came about, so that nothing was sent."""


class NoAnswerError(Exception):
    """Something was sent, and no answer came."""


@dataclass(frozen=True)
class Answer:
    """An answer's status, and for how long it asks to wait (s)."""

    status: int
    retry_after: float


@dataclass(eq=False)
class _Kept:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    since: float


class Connections:
    """Connections to a shop.

    Args:
        url: of the shop; `/b` is added.
        trust: whom to believe; None without TLS.

    Attributes:
        opened: how many so far.
    """

    def __init__(self, url: str, trust: ssl.SSLContext | None) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._trust = trust if parts.scheme == "https" else None
        origin = f"{parts.scheme}://{parts.netloc}"
        lines = [each.format(browser=BROWSER, origin=origin) for each in _LINES]
        self._head = "\r\n".join(["POST /b HTTP/1.1", f"host: {parts.netloc}", *lines, "content-length: "])
        self._idle: list[_Kept] = []
        self.opened = 0

    async def post(self, body: bytes) -> Answer:
        """Send a batch and return the answer.

        Raises:
            NotSentError: there was no connection.
            NoAnswerError: no answer came in time, or a connection that broke.
        """
        kept = self._taken() or await self._opened()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._asked(kept, body)
        except BaseException as error:
            kept.writer.transport.abort()
            if isinstance(error, TimeoutError):
                raise NoAnswerError("no answer in time") from error
            raise

    async def close(self) -> None:
        """Close those that are idle."""
        for kept in self._idle:
            kept.writer.close()
        self._idle.clear()

    def _taken(self) -> _Kept | None:
        """Return the one that was used last; close those that were idle too long, or that the shop has ended."""
        now = time.monotonic()
        while self._idle and now - self._idle[0].since > IDLE_SECONDS:
            self._idle.pop(0).writer.close()
        while self._idle:
            kept = self._idle.pop()
            if not kept.reader.at_eof():
                return kept
            kept.writer.close()
        return None

    async def _opened(self) -> _Kept:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                reader, writer = await asyncio.open_connection(
                    self._host, self._port, ssl=self._trust, server_hostname=self._host if self._trust else None
                )
        except OSError as error:  # errors of names, of TLS and of time are such
            raise NotSentError(str(error)) from error
        self.opened += 1
        return _Kept(reader, writer, time.monotonic())

    async def _asked(self, kept: _Kept, body: bytes) -> Answer:
        try:
            kept.writer.write(f"{self._head}{len(body)}\r\n\r\n".encode() + body)
            await kept.writer.drain()
            head = (await kept.reader.readuntil(END)).decode("latin-1").lower()
            first, *lines = head.split("\r\n")
            fields = dict(line.partition(":")[::2] for line in lines if line)
            length = int(fields.get("content-length", "0"))
            if length > LARGEST_ANSWER:
                raise NoAnswerError("an answer that is too long")
            await kept.reader.readexactly(length)
            answer = Answer(int(first.split()[1]), _seconds(fields.get("retry-after", "")))
        except (OSError, EOFError, ValueError, IndexError, asyncio.LimitOverrunError) as error:
            raise NoAnswerError(type(error).__name__) from error
        is_last = "close" in fields.get("connection", "") or "transfer-encoding" in fields
        if is_last:
            kept.writer.close()
        else:
            kept.since = time.monotonic()
            self._idle.append(kept)
        return answer


def _seconds(text: str) -> float:
    with suppress(ValueError):
        return float(text)
    return 0.0
