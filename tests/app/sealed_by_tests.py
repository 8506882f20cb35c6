"""Questions to the payments service, sealed by hand from what app/sealed_calls.py says of seals."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Generator, Sequence

import httpx


def seal_of(key: str, parts: Sequence[str]) -> str:
    text = "".join(f"{len(part.encode())}:{part}\n" for part in ("shopsphere call 1", *parts))
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def sealed_headers(key: str, method: str, path: str, idempotency: str, body: bytes) -> dict[str, str]:
    """Headers of a question without a query, sealed now."""
    moment, nonce = str(int(time.time())), "0123456789abcdef" * 2
    parts = ("question", method, path, "", idempotency, moment, nonce, hashlib.sha256(body).hexdigest())
    return {"x-call-moment": moment, "x-call-nonce": nonce, "x-call-seal": seal_of(key, parts)}


def answer_seal(key: str, question: str, status: int, body: bytes) -> str:
    return seal_of(key, ("answer", question, str(status), hashlib.sha256(body).hexdigest()))


class SealedByTests(httpx.Auth):
    """Seals each question, and judges the seal of each answer that was given to it."""

    requires_request_body = True
    requires_response_body = True

    def __init__(self, key: str, *, late_seconds: float = 0.0) -> None:
        self._key = key
        self._late = late_seconds

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        moment, nonce = str(int(time.time() - self._late)), "0123456789abcdef" * 2
        path, _, query = request.url.raw_path.decode().partition("?")
        key = request.headers.get("idempotency-key", "")
        body = hashlib.sha256(request.content).hexdigest()
        seal = seal_of(self._key, ("question", request.method, path, query, key, moment, nonce, body))
        request.headers.update({"x-call-moment": moment, "x-call-nonce": nonce, "x-call-seal": seal})
        answer = yield request
        if answer.status_code != httpx.codes.UNAUTHORIZED:
            wanted = answer_seal(self._key, seal, answer.status_code, answer.content)
            assert answer.headers.get("x-call-seal") == wanted
