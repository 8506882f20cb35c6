"""What a service says that does not prove who it is counts as no answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from app.bounded_http import Answer, BoundedClient, NoAnswerError
from app.sealed_calls import MOMENT, NONCE, SEAL, Question, Seals

KEY = "what-shop-and-payments-know-each-other-by"
SEALS = Seals(KEY)
ASKED = Question("POST", "/v1/payments", "", "order-1", b"{}")


def test_a_seal_is_the_one_that_is_written_down() -> None:
    """By hand: printf of the parts with their lengths, then openssl dgst -sha256 -hmac."""
    headers = {MOMENT: "1000", NONCE: "0" * 32, SEAL: "0" * 64}
    assert SEALS.problem(ASKED, headers) == "its seal is of another key, or of another question"
    assert SEALS.of_question(ASKED, "1000", "0" * 32) == EXPECTED


EXPECTED = "698e7280be98d1f98eae2caefd7afbfa295aa2c88329ba590f00c2a3e3639eff"


def test_parts_that_join_to_the_same_text_have_other_seals() -> None:
    one = SEALS.of_question(Question("GET", "/v1/ab", "c", "", b""), "1", "0" * 32)
    other = SEALS.of_question(Question("GET", "/v1/a", "bc", "", b""), "1", "0" * 32)
    assert one != other


def test_an_old_seal_that_is_right_says_that_it_is_old() -> None:
    headers = {MOMENT: "1000", NONCE: "0" * 32, SEAL: SEALS.of_question(ASKED, "1000", "0" * 32)}
    assert "120 s ago" in str(SEALS.problem(ASKED, headers))


@pytest.mark.parametrize("name", [MOMENT, NONCE, SEAL])
@pytest.mark.parametrize("value", ["", "-1", "x", "1e9", "\u0661", "9" * 400])
def test_headers_of_any_form_are_refused_without_an_error(name: str, value: str) -> None:
    assert SEALS.problem(ASKED, {**SEALS.headers(ASKED), name: value}) is not None


def test_what_was_sealed_now_is_answered() -> None:
    assert SEALS.problem(ASKED, SEALS.headers(ASKED)) is None
    assert KEY not in repr(SEALS)


def _answered(seal: Callable[[str], str | None]) -> Answer:
    """Ask a service that answers 201 with a body of 2 bytes, and with a seal for the question's seal."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        asked = head.partition(f"{SEAL}: ")[2].partition("\r\n")[0]
        made = seal(asked)
        line = f"{SEAL}: {made}\r\n" if made else ""
        writer.write(f"HTTP/1.1 201 Created\r\ncontent-length: 2\r\n{line}\r\n{{}}".encode())
        await writer.drain()
        writer.close()

    async def ask() -> Answer:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        client = BoundedClient(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", 5.0, seals=SEALS)
        try:
            return await client.ask("GET", "/v1/payments/by-key/a%20b?c=%2Fd")
        finally:
            await client.close()
            server.close()

    return asyncio.run(ask())


def test_an_answer_with_its_seal_is_believed() -> None:
    assert _answered(lambda asked: SEALS.of_answer(asked, 201, b"{}")) == Answer(201, b"{}")


@pytest.mark.parametrize(
    "seal",
    [
        lambda _: None,
        lambda asked: Seals("another-key-of-32-characters-or-more").of_answer(asked, 201, b"{}"),
        lambda asked: SEALS.of_answer(asked, 200, b"{}"),
        lambda asked: SEALS.of_answer(asked, 201, b"[]"),
        lambda asked: SEALS.of_answer(f"0{asked[1:]}" if asked[0] != "0" else f"1{asked[1:]}", 201, b"{}"),
        lambda asked: asked,
    ],
    ids=["none", "another key", "another status", "another body", "another question", "the question's own"],
)
def test_any_other_answer_is_none(seal: Callable[[str], str | None]) -> None:
    with pytest.raises(NoAnswerError, match="proves"):
        _answered(seal)
