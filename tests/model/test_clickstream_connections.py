"""The connections of bench/clickstream: kept alive, never waited for without an end, and honest about what was sent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import clickstream_world  # noqa: F401 the folders of benchmarks come onto the path with it
import pytest
import stream_connections
from free_port import free_port
from stream_connections import Answer, Connections, NoAnswerError, NotSentError

from app.clicks.senders import Sender, sender_of

pytestmark = pytest.mark.requirement("what became of each request is known, or is known to be unknown")
TAKEN = b"HTTP/1.1 204 No Content\r\ndate: x\r\n\r\n"
Serves = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Asks = Callable[[Connections], Awaitable[None]]


def with_server(serves: Serves, asks: Asks) -> None:
    async def run() -> None:
        server = await asyncio.start_server(serves, "127.0.0.1", 0)
        async with server:
            connections = Connections(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", None)
            await asks(connections)
            await connections.close()

    asyncio.run(run())


async def request_of(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = int(head.partition("content-length: ")[2].split("\r\n")[0])
    return head, await reader.readexactly(length)


def answering(*answers: bytes, heads: list[str] | None = None) -> Serves:
    """Return a server that gives these answers on each connection, and then ends it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            try:
                head, _ = await request_of(reader)
            except asyncio.IncompleteReadError:
                break
            if heads is not None:
                heads.append(head)
            writer.write(answer)
            await writer.drain()
        writer.close()

    return serve


def test_a_connection_is_used_again_and_its_browser_is_a_person() -> None:
    heads: list[str] = []

    async def asks(connections: Connections) -> None:
        assert [await connections.post(b"{}") for _ in range(3)] == [Answer(204, 0)] * 3
        assert connections.opened == 1

    with_server(answering(*[TAKEN] * 4, heads=heads), asks)
    fields = dict(line.split(": ", 1) for line in heads[0].split("\r\n")[1:] if line)
    assert heads[0].startswith("POST /b HTTP/1.1\r\n")
    assert sender_of(fields["user-agent"].encode()) is Sender.PERSON
    assert fields["sec-fetch-site"] == "same-origin"


def test_a_503_has_a_body_and_says_how_long_to_wait() -> None:
    first = (
        b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 4\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlate\n"
    )
    last = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: soon\r\ncontent-length: 0\r\n\r\n"
    answers = iter([first, last, first])

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answering(next(answers))(reader, writer)

    async def asks(connections: Connections) -> None:
        assert await connections.post(b"{}") == Answer(503, 4)
        assert await connections.post(b"{}") == Answer(503, 0)
        await asyncio.sleep(0.2)  # the server's end arrives
        assert await connections.post(b"{}") == Answer(503, 4)
        assert connections.opened == 3

    with_server(serve, asks)


CUT = TAKEN.replace(b"date: x", b"content-length: 9")


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 204", b"nonsense\r\n\r\n", CUT])
def test_an_end_instead_of_an_answer_is_no_answer(answer: bytes) -> None:
    async def asks(connections: Connections) -> None:
        with pytest.raises(NoAnswerError):
            await connections.post(b"{}")

    with_server(answering(answer), asks)


def test_silence_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_connections, "ANSWER_SECONDS", 0.2)

    async def serve(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def asks(connections: Connections) -> None:
        with pytest.raises(NoAnswerError, match="in time"):
            await connections.post(b"{}")

    with_server(serve, asks)


def test_where_nobody_listens_nothing_was_sent() -> None:
    async def asks() -> None:
        with pytest.raises(NotSentError):
            await Connections(f"http://127.0.0.1:{free_port()}", None).post(b"{}")

    asyncio.run(asks())
