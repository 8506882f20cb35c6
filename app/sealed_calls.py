"""Questions and answers between two services that prove to each other who they are, and what exactly was said.

Both have one key, and while it is renewed a second one: they seal with the first and believe both. The question's seal
covers method, path, query, idempotency key, moment and the whole body, so with a payment its order's number, its amount
and the card's token; the answer's seal covers the question's seal, the status and the whole body. So an answer is of
this question, and of somebody who has the key.

A question that is heard a second time within `FRESH_SECONDS` is answered again: every question of the payments
service may be repeated, a payment by its idempotency key.
"""

from __future__ import annotations

import hmac
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

FRESH_SECONDS = 120
"""Longest time between the moment of a question and its hearing (s): clocks of a site's nodes are closer than that."""
MOMENT, NONCE, SEAL = "x-call-moment", "x-call-nonce", "x-call-seal"
KEY = "idempotency-key"
_MOMENT = re.compile(r"[0-9]{1,12}")
_NONCE = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Attributes:
        method: of the request.
        path: of the request, decoded.
        query: of the request, as it is sent.
        key: its idempotency key; empty for none.
        body: of the request.
    """

    method: str
    path: str
    query: str
    key: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Seals:
    """Makes and judges seals.

    Attributes:
        key: what both services know, 32 characters or more; it seals.
        other: the one before it or the one after it, believed as well; empty for none.
    """

    key: str = field(repr=False)
    other: str = field(default="", repr=False)

    def headers(self, question: Question) -> dict[str, str]:
        """Return the headers that seal a question now."""
        moment, nonce = str(int(time.time())), secrets.token_hex(16)
        return {MOMENT: moment, NONCE: nonce, SEAL: self.of_question(question, moment, nonce)}

    def problem(self, question: Question, headers: Mapping[str, str]) -> str | None:
        """Return why a question is not answered; None where its seal is right and fresh."""
        moment, nonce, seal = (headers.get(name, "") for name in (MOMENT, NONCE, SEAL))
        if not seal:
            return "it has no seal"
        if not _MOMENT.fullmatch(moment) or not _NONCE.fullmatch(nonce):
            return "its moment or nonce has another form"
        if not self._is_one_of(seal, *_asked(question, moment, nonce)):
            return "its seal is of another key, or of another question"
        if abs(time.time() - int(moment)) > FRESH_SECONDS:
            return f"it was sealed more than {FRESH_SECONDS} s ago, or a clock is wrong"
        return None

    def of_question(self, question: Question, moment: str, nonce: str) -> str:
        """Return the seal of a question with this moment (s since 1970) and nonce."""
        return _made(self.key, *_asked(question, moment, nonce))

    def of_answer(self, question_seal: str, status: int, body: bytes) -> str:
        """Return the seal of the answer to a sealed question."""
        return _made(self.key, *_answered(question_seal, status, body))

    def is_answer(self, seal: str, question_seal: str, status: int, body: bytes) -> bool:
        """Whether a seal is that of this answer to this question."""
        return self._is_one_of(seal, *_answered(question_seal, status, body))

    def _is_one_of(self, seal: str, *parts: str) -> bool:
        return any(_equal(seal, _made(key, *parts)) for key in (self.key, self.other) if key)


def _asked(question: Question, moment: str, nonce: str) -> tuple[str, ...]:
    said = (question.method, question.path, question.query, question.key)
    return ("question", *said, moment, nonce, sha256(question.body).hexdigest())


def _answered(question_seal: str, status: int, body: bytes) -> tuple[str, ...]:
    return ("answer", question_seal, str(status), sha256(body).hexdigest())


def _made(key: str, *parts: str) -> str:
    # Each part with its length: no two lists of parts make one text.
    text = "".join(f"{len(part.encode())}:{part}\n" for part in ("shopsphere call 1", *parts))
    return hmac.digest(key.encode(), text.encode(), "sha256").hex()


def _equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
