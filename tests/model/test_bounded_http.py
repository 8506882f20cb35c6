"""An answer of another service has a bound on its whole time and size, however slowly or richly it comes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.bounded_http import Answer, BoundedClient, NoAnswerError

pytestmark = pytest.mark.requirement("an answer of another service is bounded in time and in bytes")

SECONDS = 0.5
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"


@asynccontextmanager
async def service(body: bytes, *, piece: int, pause: float, announced: int) -> AsyncIterator[str]:
    """A service that sends its answer in pieces with pauses; yields its address."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(HEAD % announced)
            for start in range(0, len(body), piece):
                writer.write(body[start : start + piece])
                await writer.drain()
                await asyncio.sleep(pause)
        except OSError:
            return  # who asked has heard enough
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def ask(body: bytes, *, piece: int, pause: float = 0.0, announced: int | None = None) -> Answer:
    async def run() -> Answer:
        length = len(body) if announced is None else announced
        async with service(body, piece=piece, pause=pause, announced=length) as url:
            client = BoundedClient(url, SECONDS)
            try:
                return await client.ask("GET", "/")
            finally:
                await client.close()

    return asyncio.run(run())


def test_a_whole_answer_arrives_in_pieces_too() -> None:
    assert ask(b'{"status": "captured"}', piece=5, pause=0.01).fields() == {"status": "captured"}


def test_a_byte_now_and_then_holds_nobody() -> None:
    began = time.monotonic()
    with pytest.raises(NoAnswerError):
        ask(b" " * 100, piece=1, pause=SECONDS / 5)  # each byte comes in time, the answer would take 10 s
    assert time.monotonic() - began < 5 * SECONDS


def test_an_answer_that_does_not_end_is_none() -> None:
    with pytest.raises(NoAnswerError, match="larger than 65536 bytes"):
        ask(b"x" * 10_000_000, piece=16_384)


@pytest.mark.parametrize("announced", [10, 10**12])
def test_an_answer_that_breaks_off_is_none(announced: int) -> None:
    with pytest.raises(NoAnswerError):
        ask(b"{}", piece=2, announced=announced)
