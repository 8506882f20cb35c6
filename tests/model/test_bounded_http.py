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
        ask(b" " * 600, piece=1, pause=SECONDS / 5)  # each byte comes in time, the answer would take 60 s
    assert time.monotonic() - began < 30


def test_an_answer_that_does_not_end_is_none() -> None:
    with pytest.raises(NoAnswerError, match="larger than 65536 bytes"):
        ask(b"x" * 10_000_000, piece=16_384)


@pytest.mark.parametrize("announced", [10, 10**12])
def test_an_answer_that_breaks_off_is_none(announced: int) -> None:
    with pytest.raises(NoAnswerError):
        ask(b"{}", piece=2, announced=announced)


def read(*answers: bytes | None) -> tuple[int, int]:
    """Read a number from a service that gives these bodies in turn, then the last one again; None is silence."""
    asked = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        await reader.readuntil(b"\r\n\r\n")
        body, asked = answers[min(asked, len(answers) - 1)], asked + 1
        if body is not None:
            writer.write(HEAD % len(body) + body)
            await writer.drain()
        writer.close()

    def number(heard: Answer) -> int:
        if not heard.body.isdigit():
            raise NoAnswerError("no number")
        return int(heard.body)

    async def run() -> int:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            client = BoundedClient(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", SECONDS)
            try:
                return await client.read("GET", "/", number)
            finally:
                await client.close()

    return asyncio.run(run()), asked


@pytest.mark.parametrize("lost", [(), (None,), (b"sorry",), (b"sorry", None)])
def test_what_only_reads_is_asked_again(monkeypatch: pytest.MonkeyPatch, lost: tuple[bytes | None, ...]) -> None:
    monkeypatch.setattr("app.bounded_http.READ_PAUSES", (0.01, 0.02))
    assert read(*lost, b"7") == (7, len(lost) + 1)


def test_a_reader_gives_up_after_three_answers_of_no_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.bounded_http.READ_PAUSES", (0.01, 0.02))
    with pytest.raises(NoAnswerError, match="no number"):
        read(b"sorry", None, b"sorry")
