"""Whom the payments service answers: who seals its questions with the key that the storefront has."""

from __future__ import annotations

from typing import Any

import msgspec
import structlog

from app.refusals import Refusals
from app.sealed_calls import KEY, MOMENT, NONCE, SEAL, Question, Seals

OPEN = frozenset({"/livez", "/readyz", "/version", "/metrics"})
"""Health and figures: nothing of any payment. All else is about money, in whatever way its path is written."""
_ONCE = (KEY, MOMENT, NONCE, SEAL)
"""Headers of which a second one would be judged by one program and heard by another."""
_UNAUTHORISED, _TOO_LARGE = 401, 413


class Door:
    """Wraps an ASGI application: questions have to be sealed, but for those of OPEN, and their answers are.

    Args:
        inner: the application.
        seals: of the storefront's key.
        largest_body: of a question (bytes).
    """

    def __init__(self, inner: Any, seals: Seals, largest_body: int) -> None:
        self._inner = inner
        self._seals = seals
        self._largest = largest_body
        self.log = structlog.get_logger("door")
        self._refusals = Refusals(
            lambda problem, times: self.log.warning("a question was refused", problem=problem, times=times)
        )

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""
        self._refusals.look()  # probes come every few seconds, so what was counted is told also when nobody asks
        if scope["type"] != "http" or scope["path"] in OPEN:
            await self._inner(scope, receive, send)
            return
        body = await _body(receive, self._largest)
        if body is None:
            await _refuse(send, _TOO_LARGE, f"expected {self._largest} bytes or fewer")
            return
        given = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
        headers = dict(given)
        query = scope.get("query_string", b"").decode("latin-1")
        asked = Question(scope["method"], scope["path"], query, headers.get(KEY, ""), body)
        twice = next((name for name in _ONCE if sum(each == name for each, _ in given) > 1), None)
        problem = f"it has {twice} more than once" if twice else self._seals.problem(asked, headers)
        if problem is not None:
            self._refusals.see(problem)
            await _refuse(send, _UNAUTHORISED, f"this question is not answered: {problem}")
            return
        await self._inner(scope, _heard(body, receive), _Sealing(send, self._seals, headers[SEAL]))


class _Sealing:
    """Sends an answer with its seal, once all of it is there."""

    def __init__(self, send: Any, seals: Seals, question: str) -> None:
        self._send = send
        self._seals = seals
        self._question = question
        self._start: Any = None
        self._body = bytearray()

    async def __call__(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        if message["type"] != "http.response.body":
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if message.get("more_body", False):
            return
        seal = self._seals.of_answer(self._question, self._start["status"], bytes(self._body))
        headers = [*self._start["headers"], (SEAL.encode(), seal.encode())]
        await self._send({**self._start, "headers": headers})
        await self._send({"type": "http.response.body", "body": bytes(self._body)})


async def _body(receive: Any, largest: int) -> bytes | None:
    """Return a question's body; None where it is too large, or where its sender has left."""
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if len(body) > largest:
            return None
        more = message.get("more_body", False)
    return bytes(body)


def _heard(body: bytes, receive: Any) -> Any:
    """Return what hands on a body that was read, and then whatever else comes."""
    told = False

    async def again() -> Any:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _refuse(send: Any, status: int, detail: str) -> None:
    body = msgspec.json.encode({"status": status, "detail": detail})
    kind = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": kind})
    await send({"type": "http.response.body", "body": body})
