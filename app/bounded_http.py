"""Questions to another service over HTTP, with a bound on the time and on the size of the whole answer.

httpx bounds each read, not the answer: a server that sends a byte a second holds a caller for ever, and one that sends
a gigabyte fills its memory. Here everything that keeps a usable answer away is one error, whatever it is called below.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import httpx
import msgspec

from app.sealed_calls import KEY, SEAL, Question, Seals

LARGEST_ANSWER = 64 * 1024
"""Bytes of an answer that are read when the caller says nothing else."""
READ_PAUSES = (0.5, 2.0)
"""Pauses (s) before what only reads is asked again: one lost answer of thousands must not end a comparison of days."""

T = TypeVar("T")


class NoAnswerError(Exception):
    """No usable answer: what was asked for may or may not have been done."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer, of whatever status."""

    status: int
    body: bytes

    def fields(self) -> dict[str, object]:
        """Return the JSON object that the body holds.

        Raises:
            NoAnswerError: it holds anything else.
        """
        try:
            return msgspec.json.decode(self.body, type=dict[str, object])
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise NoAnswerError(f"status {self.status} and a body that is no JSON object") from error


class BoundedClient:
    """Asks one service.

    Args:
        url: where it answers.
        seconds: longest time from the question to the last byte of the answer (s).
        headers: sent with every question.
        authority: file with the certificates that it is trusted by; the system's if None.
        seals: of a service that answers only questions that are sealed; what it does not seal is no answer of it.
        context: what TLS is made with, in place of what the authority makes; of a service that asks who asks.
    """

    def __init__(
        self,
        url: str,
        seconds: float,
        *,
        headers: Mapping[str, str] | None = None,
        authority: str | None = None,
        seals: Seals | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._seconds = seconds
        self._seals = seals
        if context is None and url.startswith("https:"):
            context = ssl.create_default_context(cafile=authority)
        # Compressed answers are not asked for: a small one can unfold to any size.
        self._client = httpx.AsyncClient(
            base_url=url,
            timeout=seconds,
            trust_env=False,
            headers={"accept-encoding": "identity", **(headers or {})},
            verify=True if context is None else context,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def ask(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        largest: int = LARGEST_ANSWER,
    ) -> Answer:
        """Return the whole answer; `body` is sent as JSON unless it is None.

        Raises:
            NoAnswerError: there was none in time, or it is larger than `largest` bytes.
        """
        content = None if body is None else msgspec.json.encode(body)
        sent = {**(headers or {}), **({} if content is None else {"content-type": "application/json"})}
        try:
            request = self._client.build_request(method, path, content=content, headers=sent)
            if self._seals is not None:
                request.headers.update(self._seals.headers(_question(request)))
            async with asyncio.timeout(self._seconds):
                answer = await self._client.send(request, stream=True)
                try:
                    return await self._heard(request, answer, largest)
                finally:
                    await answer.aclose()
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, TimeoutError, ValueError) as error:
            raise NoAnswerError(type(error).__name__) from error

    async def _heard(self, request: httpx.Request, answer: httpx.Response, largest: int) -> Answer:
        if answer.headers.get("content-encoding", "identity") != "identity":
            raise NoAnswerError("the answer is compressed, which was not asked for")
        body = await _read(answer, largest)
        if self._seals is not None:
            seal, asked = answer.headers.get(SEAL, ""), request.headers[SEAL]
            if not self._seals.is_answer(seal, asked, answer.status_code, body):
                raise NoAnswerError(f"status {answer.status_code}, and nothing that proves who says so")
        return Answer(answer.status_code, body)

    async def read(
        self,
        method: str,
        path: str,
        readable: Callable[[Answer], T],
        *,
        body: object = None,
        largest: int = LARGEST_ANSWER,
    ) -> T:
        """Return what `readable` makes of an answer; only for what changes nothing, because it may be asked again.

        Args:
            method: of the question.
            path: of the question.
            readable: raises NoAnswerError for an answer that is of no use.
            body: sent as JSON unless it is None.
            largest: bytes of an answer that are read.

        Raises:
            NoAnswerError: there was no usable answer, READ_PAUSES apart.
        """
        for pause in READ_PAUSES:
            try:
                return readable(await self.ask(method, path, body=body, largest=largest))
            except NoAnswerError:
                await asyncio.sleep(pause)
        return readable(await self.ask(method, path, body=body, largest=largest))


def _question(request: httpx.Request) -> Question:
    url = request.url
    return Question(request.method, url.path, url.query.decode(), request.headers.get(KEY, ""), request.content)


async def _read(answer: httpx.Response, largest: int) -> bytes:
    body = bytearray()
    async for piece in answer.aiter_raw():
        body += piece
        if len(body) > largest:
            raise NoAnswerError(f"the answer is larger than {largest} bytes")
    return bytes(body)
